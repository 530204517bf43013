"""Hostaway's calendar: guest and channel in the title, now and then the channel alone."""

from collections.abc import Iterator

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Channel, Role, Sight
from changeover_sandbox.world.chance import chance

CHANNELS = {
    Channel.AIRBNB: "airbnbOfficial",
    Channel.VRBO: "homeaway",
    Channel.BOOKING: "bookingcom",
    Channel.EXPEDIA: "expedia",
}
CLOSED = {Role.OWNER: "Owner stay", Role.MAINTENANCE: "Maintenance"}


def events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        draw = chance(scene.seed, "hostaway", sight.stay.key)
        yield Event(
            uid=f"hostaway-{draw.randint(90_000_000, 99_999_999)}",
            start=sight.check_in,
            end=sight.check_out,
            summary=_summary(sight, nameless=draw.random() < 0.2),
            description=_description(sight, draw.randint(100, 199)) if sight.role is Role.GUEST else "",
            stamped=sight.stay.booked_on,
        )


def _channel(sight: Sight) -> str:
    return CHANNELS.get(sight.stay.origin, "direct")


def _summary(sight: Sight, *, nameless: bool) -> str:
    if sight.role is not Role.GUEST:
        return CLOSED.get(sight.role, "Blocked")
    guest = "" if nameless else f"{sight.stay.guest} "
    return f"{guest}({_channel(sight)}) - by Hostaway"


def _description(sight: Sight, digits: int) -> str:
    nights = (sight.check_out - sight.check_in).days
    channel = _channel(sight)
    return f"Phone: +1555555{digits:04}\nNumber of Guests: 4\nNights: {nights}\nChannel: {channel}\n - by Hostaway"


DIALECT = Dialect(
    header=("VERSION:2.0", "PRODID:-//Hostaway//Calendar Export//EN"),
    order=("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION"),
    events=events,
)
