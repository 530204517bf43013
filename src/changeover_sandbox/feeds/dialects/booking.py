"""Booking.com's calendar: bookings look like closed nights, a running stay begins today, closed ranges roll (P-3)."""

from collections.abc import Iterator
from datetime import date

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world.chance import digest

CLOSED = "CLOSED - Not available"


def events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        start = max(sight.check_in, scene.day)
        # The start is part of the identity: a running stay gets a new UID every day.
        uid = digest(scene.seed, scene.feed.name, sight.stay.key, sight.generation, start, sight.check_out)
        yield Event(f"{uid}@booking.com", start, sight.check_out, CLOSED)
    if scene.feed.window is not None:
        start, end = _closed_from(scene), scene.ahead(365)
        yield Event(f"{scene.nights_hex(start, end)}@booking.com", start, end, CLOSED)


def _closed_from(scene: Scene) -> date:
    """The first of a month: the next one is opened when its turn comes."""
    limit = scene.ahead(scene.feed.window or 0)
    month = limit.month % 12 + 1
    return date(limit.year + (month == 1), month, 1)


DIALECT = Dialect(
    header=(
        "VERSION:2.0",
        "PRODID:-//admin.booking.com\\, b.v.//NONSGML v1.0//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ),
    order=("DTSTAMP", "DTSTART", "DTEND", "UID", "SUMMARY"),
    events=events,
)
