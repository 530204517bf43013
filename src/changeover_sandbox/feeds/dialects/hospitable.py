"""Hospitable's calendar: guest and confirmation code, and one word for all closed nights."""

from collections.abc import Iterator

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role
from changeover_sandbox.world.chance import code


def events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        guest = f"{sight.stay.guest} (HM{code(8, scene.seed, sight.stay.key)})"
        yield Event(
            uid=f"{scene.stay_uuid(sight)}@reservations.hospitable.com",
            start=sight.check_in,
            end=sight.check_out,
            summary=guest if sight.role is Role.GUEST else "Closed Period",
            stamped=sight.stay.booked_on,
        )


DIALECT = Dialect(
    header=("VERSION:2.0", "PRODID:-//Hospitable//Hospitable Calendar//EN"),
    order=("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"),
    events=events,
)
