"""An owner's own Google calendar: people's words, and repeated visits as one event with RRULE and EXDATE (R-41)."""

from collections.abc import Iterator
from datetime import date, timedelta

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role
from changeover_sandbox.world.chance import chance, digest
from changeover_sandbox.world.model import Series

CLOSED = {Role.OWNER: "Owner: family visit", Role.MAINTENANCE: "Maintenance - air conditioning"}


def events(scene: Scene) -> Iterator[Event]:
    visits = {sight.check_in for sight in scene.sights if sight.stay.series}
    if scene.listing.series is not None and visits:
        yield _series(scene, scene.listing.series, visits)
    for sight in scene.sights:
        if not sight.stay.series:
            transparent = chance(scene.seed, "busy", sight.stay.key).random() < 0.5
            yield Event(
                uid=f"{scene.stay_hex(sight)[:26]}@google.com",
                start=sight.check_in,
                end=sight.check_out,
                summary=CLOSED.get(sight.role, "Blocked"),
                extra=(f"TRANSP:{'TRANSPARENT' if transparent else 'OPAQUE'}", "STATUS:CONFIRMED"),
            )


def _series(scene: Scene, series: Series, visits: set[date]) -> Event:
    turns = [series.first + timedelta(weeks=turn * series.every) for turn in range(series.count)]
    left_out = [f"EXDATE;VALUE=DATE:{turn:%Y%m%d}" for turn in turns if turn not in visits]
    return Event(
        uid=f"{digest(scene.seed, 'series', scene.listing.number)[:26]}@google.com",
        start=series.first,
        end=series.first + timedelta(days=series.nights),
        summary="Blocked - owner",
        extra=(
            f"RRULE:FREQ=WEEKLY;INTERVAL={series.every};COUNT={series.count}",
            *left_out,
            "TRANSP:OPAQUE",
            "STATUS:CONFIRMED",
        ),
    )


DIALECT = Dialect(
    header=(
        "PRODID:-//Google Inc//Google Calendar 70.9054//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Owner calendar",
        "X-WR-TIMEZONE:America/Phoenix",
    ),
    order=("DTSTART", "DTEND", "DTSTAMP", "UID", "SUMMARY", "extra"),
    events=events,
)
