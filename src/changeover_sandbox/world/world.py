"""The business at a moment, lived day by day from a seed: same seed and days, same world; it reads no clock."""

from datetime import date, timedelta

from changeover_sandbox.world.bookings import first_book, one_day
from changeover_sandbox.world.business import found
from changeover_sandbox.world.chance import chance
from changeover_sandbox.world.diary import Diary
from changeover_sandbox.world.model import Customer, Feed, Happening, Listing, Moment, Stay
from changeover_sandbox.world.truth import LiveStay, truth
from changeover_sandbox.world.view import Sight, sights


class World:
    """A business of `feeds` calendars that opens on `start`. Pure: it changes only by `advance`."""

    def __init__(self, seed: int, feeds: int, start: date) -> None:
        business = found(seed, feeds, start)
        self.seed = seed
        self.start = start
        self.moment = Moment(start)
        self.customers: tuple[Customer, ...] = business.customers
        self.listings: tuple[Listing, ...] = business.listings
        self.without_calendar: tuple[Listing, ...] = business.without_calendar
        self.feeds: tuple[Feed, ...] = tuple(feed for listing in self.listings for feed in listing.feeds)
        self._by_name = {feed.name: feed for feed in self.feeds}
        self._diaries: list[Diary] = [
            first_book(listing, chance(seed, "book", listing.number), start)
            for listing in (*self.listings, *self.without_calendar)
        ]

    def advance(self, to: date, hour: int = 8) -> list[Happening]:
        """Lives every day up to `to` and stops at its `hour` (0 to 23).

        Returns what happened in the houses with calendars, in order.
        ValueError when the moment lies before the present one.
        """
        moment = Moment(to, hour)
        if moment < self.moment:
            message = f"the world is already at {self.moment.day} {self.moment.hour}:00"
            raise ValueError(message)
        happened: list[Happening] = []
        day = self.moment.day
        while day < to:
            day += timedelta(days=1)
            for diary in self._diaries:
                today = list(one_day(diary, chance(self.seed, diary.listing.number, day), day))
                happened.extend(today if diary.listing.feeds else ())
        self.moment = moment
        return happened

    def feed(self, name: str) -> Feed | None:
        return self._by_name.get(name)

    def stays(self, listing: int) -> tuple[Stay, ...]:
        """Every stay of a house, past and canceled ones too."""
        return tuple(self._diaries[listing].stays.values())

    def sights(self, feed: Feed) -> tuple[Sight, ...]:
        """What the calendar shows now."""
        return sights(feed, self.stays(feed.listing), self.moment)

    def truth(self, listing: int) -> tuple[LiveStay, ...]:
        """The stays of a house that should be live rows now."""
        return truth(self.listings[listing], self.stays(listing), self.moment)
