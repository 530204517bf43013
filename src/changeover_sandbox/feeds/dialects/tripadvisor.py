"""TripAdvisor's calendar: its own name before each guest's."""

from collections.abc import Iterator

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role


def events(scene: Scene) -> Iterator[Event]:
    for sight in scene.sights:
        guest = f"Tripadvisor Rentals: {sight.stay.guest}"
        yield Event(
            uid=f"{scene.stay_hex(sight)}@tripadvisor.com",
            start=sight.check_in,
            end=sight.check_out,
            summary=guest if sight.role is Role.GUEST else "Unavailable",
            stamped=sight.stay.booked_on,
        )


DIALECT = Dialect(
    header=("VERSION:2.0", "PRODID:-//TripAdvisor//FlipKey Calendar//EN"),
    order=("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"),
    events=events,
)
