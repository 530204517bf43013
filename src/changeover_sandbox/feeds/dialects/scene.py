"""What a dialect gets to see of a calendar, and the shape of a dialect; no platform's words stand here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Feed, Listing, Sight
from changeover_sandbox.world.chance import digest, uuid


@dataclass(frozen=True, slots=True)
class Scene:
    """One calendar on one day."""

    seed: int
    day: date
    feed: Feed
    listing: Listing
    sights: tuple[Sight, ...]

    def stay_hex(self, sight: Sight) -> str:
        """32 hexadecimal digits of a stay, the same in every calendar until the channel gives it a new identity."""
        return digest(self.seed, sight.stay.key, sight.generation)

    def stay_uuid(self, sight: Sight) -> str:
        return uuid(self.seed, sight.stay.key, sight.generation)

    def nights_hex(self, check_in: date, check_out: date) -> str:
        """32 hexadecimal digits of closed nights: other nights, another identity."""
        return digest(self.feed.name, check_in, check_out)

    def free(self, night: date) -> bool:
        return not any(sight.check_in <= night < sight.check_out for sight in self.sights)

    def ahead(self, days: int) -> date:
        return self.day + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Dialect:
    """A platform's export: calendar lines, order of an event's properties, and what becomes of the stays."""

    header: tuple[str, ...]
    order: tuple[str, ...]
    events: Callable[[Scene], Iterable[Event]]
