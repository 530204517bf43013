"""iGMS' calendar: guests, and after each of them a cleaning that is a task and no stay."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role, Sight

CLOSED = {Role.OWNER: "Owner stay", Role.MAINTENANCE: "Maintenance"}


def events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        if sight.role is Role.GUEST:
            yield from _guest(scene, sight)
        else:
            title = CLOSED.get(sight.role, "Blocked")
            uid = f"{scene.stay_uuid(sight)}@igms.com"
            yield Event(uid, sight.check_in, sight.check_out, title, stamped=sight.stay.booked_on)


def _guest(scene: Scene, sight: Sight) -> Iterator[Event]:
    identity, guest, booked = scene.stay_uuid(sight), sight.stay.guest, sight.stay.booked_on
    nights = (sight.check_out - sight.check_in).days
    told = f"Guest: {guest}\nNights: {nights}"
    yield Event(f"{identity}@igms.com", sight.check_in, sight.check_out, guest, told, stamped=booked)
    start, end = (datetime.combine(sight.check_out, time(hour), UTC) for hour in (18, 21))
    task = ("CATEGORIES:CLEANING",)
    yield Event(f"{identity}-cleaning@igms.com", start, end, f"{guest} - cleaning", stamped=booked, extra=task)


DIALECT = Dialect(
    header=("VERSION:2.0", "PRODID:-//iGMS//iGMS Calendar//EN"),
    order=("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "extra"),
    events=events,
)
