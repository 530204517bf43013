"""Founds the business: owners, houses and their calendars, all from the seed; it lets nothing happen in the houses."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from changeover_sandbox.world import names
from changeover_sandbox.world.chance import ALPHANUMERIC, chance, code, digest
from changeover_sandbox.world.model import (
    GUEST_CHANNELS,
    MANAGERS,
    PLATFORMS,
    Channel,
    Customer,
    EntryType,
    Feed,
    Listing,
    Series,
)

HOUSES_PER_FEED = 190 / 246
"""The measured business: 246 feeds over some 190 houses (reservations.md §13)."""

PLATFORM_WEIGHTS: dict[Channel, int] = {
    Channel.AIRBNB: 44,
    Channel.VRBO: 14,
    Channel.BOOKING: 9,
    Channel.HOSTAWAY: 8,
    Channel.GUESTY: 6,
    Channel.OWNERREZ: 5,
    Channel.HOSPITABLE: 4,
    Channel.LODGIFY: 2,
    Channel.HOSTTOOLS: 2,
    Channel.SMOOBU: 2,
    Channel.IGMS: 2,
    Channel.TRIPADVISOR: 1,
    Channel.GOOGLE: 1,
}
FURTHER_WEIGHTS = PLATFORM_WEIGHTS | {Channel.VRBO: 40, Channel.BOOKING: 30, Channel.GOOGLE: 14, Channel.AIRBNB: 30}

LAST_VISIT_DAYS = 180


@dataclass(frozen=True, slots=True)
class Business:
    """`without_calendar`: homes whose stays only a report or a portal shows."""

    customers: tuple[Customer, ...]
    listings: tuple[Listing, ...]
    without_calendar: tuple[Listing, ...]


@dataclass(frozen=True, slots=True)
class _Founding:
    seed: int
    start: date
    customers: int


def found(seed: int, feeds: int, start: date) -> Business:
    """A business whose houses have exactly `feeds` calendars together; the first houses show every platform once."""
    houses = max(1, round(feeds * HOUSES_PER_FEED)) if feeds else 0
    customers = tuple(_customer(number) for number in range(max(1, houses * 3 // 4) if houses else 0))
    platforms = _platforms(seed, houses, feeds)
    founding = _Founding(seed, start, len(customers))
    listings: list[Listing] = []
    first_feed = 0
    for number, chosen in enumerate(platforms):
        listings.append(_listing(founding, number, chosen, first_feed))
        first_feed += len(chosen)
    return Business(customers, tuple(listings), tuple(_without_calendar(founding, houses)))


def _customer(number: int) -> Customer:
    first, last = names.FIRST_NAMES, names.LAST_NAMES
    surname = last[(number // len(first)) % len(last)]
    # Past every pair of names an owner has a second surname: reports name owners, and names decide.
    second = number // (len(first) * len(last))
    if second:
        surname = f"{surname} {last[(second - 1) % len(last)]}" + ("" if second <= len(last) else f" {second}")
    return Customer(number, first[number % len(first)], surname)


def _platforms(seed: int, houses: int, feeds: int) -> list[tuple[Channel, ...]]:
    """The platforms of each house: one, and for some two or three different ones."""
    draw = chance(seed, "platforms")
    chosen = [
        [PLATFORMS[number] if number < len(PLATFORMS) else _pick(draw, PLATFORM_WEIGHTS, ())]
        for number in range(houses)
    ]
    for _ in range(feeds - houses):
        house = _roomy(draw, chosen)
        house.append(_pick(draw, FURTHER_WEIGHTS, house))
    return [tuple(house) for house in chosen]


def _roomy(draw: random.Random, chosen: Sequence[list[Channel]]) -> list[Channel]:
    """A house that can take one more calendar; the first ones keep theirs alone, as clean samples of each platform."""
    first = len(PLATFORMS) if len(chosen) > 3 * len(PLATFORMS) else 0
    while True:
        house = chosen[draw.randrange(first, len(chosen))]
        if len(house) < 3:
            return house


def _pick(draw: random.Random, weights: dict[Channel, int], taken: Sequence[Channel]) -> Channel:
    """A platform not yet taken; of property managers' software a house has at most one."""
    managed = any(channel in MANAGERS for channel in taken)
    free = {key: weight for key, weight in weights.items() if key not in taken and not (managed and key in MANAGERS)}
    return draw.choices(list(free), list(free.values()))[0]


def _listing(founding: _Founding, number: int, platforms: tuple[Channel, ...], first_feed: int) -> Listing:
    seed = founding.seed
    draw = chance(seed, "listing", number)
    name, address, unit = _named(draw, number, number % 3)
    # A house closed for the year is on Airbnb alone, so that its block contradicts no other calendar (P-2, P-34).
    closed = platforms == (Channel.AIRBNB,) and number >= len(PLATFORMS) and draw.random() < 0.05
    return Listing(
        number=number,
        name=name,
        address=address,
        customer=draw.randrange(founding.customers),
        unit=unit,
        channels=tuple(_guest_channels(draw, platforms)),
        closes_in=_closes_in(platforms),
        feeds=tuple(_feed(seed, first_feed + place, number, platform) for place, platform in enumerate(platforms)),
        series=_series(draw, founding.start) if Channel.GOOGLE in platforms else None,
        closed=closed,
    )


def _without_calendar(founding: _Founding, houses: int) -> Iterator[Listing]:
    """Two homes of the suppliers' own, the second with a listing number in its name (R-32); none without houses."""
    for number, habit in ((houses, 1), (houses + 1, 0)) if houses else ():
        draw = chance(founding.seed, "listing", number)
        name, address, unit = _named(draw, number, habit)
        yield Listing(
            number=number,
            name=name,
            address=address,
            customer=draw.randrange(founding.customers),
            unit=unit,
            channels=(Channel.DIRECT,),
            closes_in=Channel.DIRECT,
            feeds=(),
        )


def _named(draw: random.Random, number: int, habit: int) -> tuple[str, str, str]:
    """Name, street address and unit code of a house, in one of the three habits people have (reservations.md §2)."""
    first, second = names.HOUSE_FIRST, names.HOUSE_SECOND
    house = f"{first[number % len(first)]} {second[(number // len(first) + number) % len(second)]}"
    side, street, town = draw.choice("NSEW"), draw.choice(names.STREETS), draw.choice(names.TOWNS)
    address = f"{10 + number} {side} {street} {town}"
    unit = f"{draw.choice('ABCDEFGH')}{100 + number}"
    if habit == 0:
        return f"{house} #{40000001 + number}", address, unit
    if habit == 1:
        return f"{house}  {100 + number}", address, unit
    return f"{house} [] {address}", address, unit


def _guest_channels(draw: random.Random, platforms: Sequence[Channel]) -> Iterator[Channel]:
    """Channels with a calendar of their own, and behind a manager's software others that have none."""
    yield from (platform for platform in platforms if platform in GUEST_CHANNELS)
    if any(platform in MANAGERS for platform in platforms):
        behind = [c for c in (*GUEST_CHANNELS[:3], Channel.EXPEDIA) if c not in platforms]
        yield from draw.sample(behind, k=min(2, len(behind)))
        yield Channel.DIRECT


def _closes_in(platforms: Sequence[Channel]) -> Channel:
    """Owners close nights in their own calendar if they have one, else in the manager's software, else in a channel."""
    if Channel.GOOGLE in platforms:
        return Channel.GOOGLE
    return next((platform for platform in platforms if platform in MANAGERS), platforms[0])


def _feed(seed: int, number: int, listing: int, platform: Channel) -> Feed:
    draw = chance(seed, "feed", number)
    token = digest(seed, "token", number)[:24]
    lag, imports, roll = draw.randint(1, 6), draw.random() < 0.9, draw.random()
    airbnb, booking = platform is Channel.AIRBNB, platform is Channel.BOOKING
    closed_means = (EntryType.RESERVATION if roll < 0.4 else EntryType.BLOCK) if booking else None
    return Feed(
        number=number,
        name=f"{platform}-{code(8, seed, 'name', number, alphabet=ALPHANUMERIC)}-{token}",
        listing=listing,
        platform=platform,
        # Where closed means booked, nothing else may be in the calendar.
        imports=imports and closed_means is not EntryType.RESERVATION,
        lag=lag,
        notice=(1 if roll < 0.10 else 2 if roll < 0.15 else 0) if airbnb else 0,
        prep=1 if airbnb and 0.15 <= roll < 0.25 else 0,
        window=270 if airbnb and roll > 0.5 else 200 if booking and roll > 0.3 else None,
        language="fr" if platform is Channel.VRBO and roll < 0.15 else "en",
        closed_means=closed_means,
    )


def _series(draw: random.Random, start: date) -> Series:
    """Two nights every third or fourth week, begun some time before the first day.

    It ends before any calendar's window does, so that no visit lies in nights that are closed anyway.
    """
    first, every = start - timedelta(days=draw.randint(20, 60)), draw.choice((3, 4))
    turns = ((start - first).days + LAST_VISIT_DAYS) // (7 * every)
    return Series(first, nights=2, every=every, count=min(turns, draw.randint(6, 12)))
