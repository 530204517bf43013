"""Guesty's calendar: real times in UTC, and UIDs that hold `_ + / =`."""

import base64
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role, Sight
from changeover_sandbox.world.chance import chance

CLOSED = {Role.OWNER: "Owner stay", Role.MAINTENANCE: "Maintenance"}
PHOENIX_BEHIND = timedelta(hours=7)


def events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        token = base64.b64encode(bytes.fromhex(scene.stay_hex(sight))).decode()
        yield Event(
            uid=f"gst_{token}",
            start=_utc(sight.check_in, 16),
            end=_utc(sight.check_out, 10),
            summary=_summary(scene, sight),
            stamped=sight.stay.booked_on,
        )


def _utc(day: date, hour: int) -> datetime:
    """An hour in Phoenix as an instant: an evening's check-in may lie on the next UTC day (R-37)."""
    return datetime.combine(day, time(hour), UTC) + PHOENIX_BEHIND


def _summary(scene: Scene, sight: Sight) -> str:
    if sight.role is not Role.GUEST:
        return CLOSED.get(sight.role, "Blocked by Guesty")
    draw = chance(scene.seed, "guesty", sight.stay.key)
    if draw.random() < 0.5:
        return f"Reservation {sight.stay.guest}"
    first, _, last = sight.stay.guest.partition(" ")
    return f"GY-{first} {last[:1]}-GY{draw.randint(100_000, 999_999)}X-{scene.listing.unit}"


DIALECT = Dialect(
    header=("VERSION:2.0", "PRODID:-//Guesty//Guesty Calendar//EN", "CALSCALE:GREGORIAN"),
    order=("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"),
    events=events,
)
