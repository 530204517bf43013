"""Smoobu's calendar: three events for each stay, of which the first two are only its first and last hour."""

from collections.abc import Iterator
from datetime import date, datetime, time

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Channel, Role
from changeover_sandbox.world.chance import chance

CHANNELS = {Channel.AIRBNB: "Airbnb", Channel.BOOKING: "Booking.com", Channel.VRBO: "VRBO", Channel.EXPEDIA: "Expedia"}
CLOSED = {Role.OWNER: "Blocked - owner", Role.MAINTENANCE: "Maintenance"}


def events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        number = f"smoobu-{chance(scene.seed, 'smoobu', sight.stay.key).randint(1_000_000, 99_999_999)}"
        booked, guest = sight.stay.booked_on, sight.stay.guest
        title = CLOSED.get(sight.role, "Blocked")
        if sight.role is Role.GUEST:
            title = f"{guest} ({CHANNELS.get(sight.stay.origin, 'Direct')})"
            yield Event(f"{number}-in", *_hour(sight.check_in, 15), f"Check-in {guest}", stamped=booked)
            yield Event(f"{number}-out", *_hour(sight.check_out, 10), f"Check-out {guest}", stamped=booked)
        yield Event(number, sight.check_in, sight.check_out, title, stamped=booked)


def _hour(day: date, hour: int) -> tuple[datetime, datetime]:
    return datetime.combine(day, time(hour)), datetime.combine(day, time(hour + 1))


DIALECT = Dialect(
    header=("VERSION:2.0", "PRODID:-//Smoobu//Smoobu Calendar//EN"),
    order=("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"),
    events=events,
)
