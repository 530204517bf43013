"""OwnerRez' calendar: times in a named zone, SEQUENCE, and cancellations that are told by STATUS."""

from collections.abc import Iterator
from datetime import datetime, time

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role, Sight, StayKind

ZONE = "America/Phoenix"
CLOSED = {StayKind.OWNER: "Owner stay", StayKind.MAINTENANCE: "Maintenance"}


def events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        status = "CANCELLED" if sight.role is Role.CANCELED else "CONFIRMED"
        yield Event(
            uid=f"{scene.stay_uuid(sight)}@ownerrez.com",
            start=datetime.combine(sight.check_in, time(16)),
            end=datetime.combine(sight.check_out, time(10)),
            summary=_summary(sight),
            stamped=sight.stay.now.since.day,
            tzid=ZONE,
            extra=(f"SEQUENCE:{sight.sequence}", f"STATUS:{status}"),
        )


def _summary(sight: Sight) -> str:
    if sight.stay.kind is StayKind.GUEST:
        return f"Booking: {sight.stay.guest}"
    return f"Block: {CLOSED.get(sight.stay.kind, 'Not available')}"


DIALECT = Dialect(
    header=(
        "VERSION:2.0",
        "PRODID:-//OwnerRez//NONSGML OwnerRez//EN",
        "METHOD:PUBLISH",
        "BEGIN:VTIMEZONE",
        f"TZID:{ZONE}",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:-0700",
        "TZOFFSETTO:-0700",
        "TZNAME:MST",
        "END:STANDARD",
        "END:VTIMEZONE",
    ),
    order=("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "extra"),
    events=events,
)
