"""What guests and owners do: the first book of a house, and one day more in it; it never shows a calendar."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from changeover_sandbox.world import names
from changeover_sandbox.world.diary import Diary
from changeover_sandbox.world.model import (
    Channel,
    Happening,
    Listing,
    Moment,
    Stay,
    StayKind,
    Version,
)

PAST_DAYS, BOOK_DAYS, FARTHEST = 75, 150, 190
"""The first book reaches from 75 days back to 150 ahead; no stay ever ends later than 190 days ahead."""
GAPS = ((0, 4.0), (30, 5.5), (90, 20.0), (BOOK_DAYS, 55.0))
"""(days ahead of the first day, mean of the free nights between stays): full now, empty far ahead."""
NIGHTS = {2: 14, 3: 24, 4: 20, 5: 14, 6: 7, 7: 11, 10: 4, 14: 3, 21: 1, 28: 1}
CHANNEL_WEIGHTS = {Channel.AIRBNB: 6, Channel.VRBO: 3, Channel.BOOKING: 2, Channel.DIRECT: 1}
BOOK, CANCEL, CHANGE, CLOSE, OVERBOOK = 0.11, 0.025, 0.015, 0.012, 0.02
"""Chances of a house on one day; the last is the share of bookings that two channels sell at once."""
ASKED = 0.2
"""Share of VRBO's new bookings that are tentative for some days."""
AGREED, REFUSED = 0.5, 0.65
"""A day's chance that such a one is agreed to; from there to the second number, that it comes to nothing."""
NEW_IDENTITY = 0.2
"""Share of altered stays that get a new UID (P-1)."""
ONE = timedelta(days=1)


def first_book(listing: Listing, draw: random.Random, start: date) -> Diary:
    """The diary of a house on the first day: past, running and coming stays, all made before it."""
    diary = Diary(listing)
    if listing.closed:
        _close_year(diary, start)
        return diary
    _visits(diary, start)
    farthest = start + timedelta(days=FARTHEST)
    cursor = start - timedelta(days=PAST_DAYS + draw.randint(0, 10))
    while cursor < start + timedelta(days=BOOK_DAYS):
        check_in = cursor + timedelta(days=_gap(draw, (cursor - start).days))
        cursor = check_in + timedelta(days=_nights(draw))
        made = Moment(min(check_in, start) - timedelta(days=draw.randint(1, 60)), draw.randint(0, 7))
        blocked = not listing.channels or draw.random() < 0.12
        version = Version(made, check_in, cursor)
        if blocked:
            version = Version(made, check_in, max(cursor, check_in + 3 * ONE))
        if version.check_out <= farthest and diary.free(version.check_in, version.check_out):
            _close(diary, draw, version) if blocked else _sell(diary, draw, version)
        cursor = version.check_out
    return diary


def one_day(diary: Diary, draw: random.Random, day: date) -> Iterator[Happening]:
    """What happens in a house on a day, in the order in which it happens."""
    rolls = [draw.random() for _ in range(4)]
    if diary.listing.closed:
        return
    yield from _answers(diary, draw, day)
    if rolls[0] < CANCEL and (stays := diary.upcoming(day, StayKind)):
        yield diary.cancel(draw.choice(stays), _hour(draw, day))
    if rolls[1] < CHANGE:
        yield from _alter(diary, draw, day)
    if rolls[2] < BOOK and diary.listing.channels:
        yield from _book(diary, draw, day)
    if rolls[3] < CLOSE:
        yield from _block(diary, draw, day)
    diary.forget(day)


def _answers(diary: Diary, draw: random.Random, day: date) -> Iterator[Happening]:
    """Hosts agree to what guests have asked for, or do not; on the day of arrival at the latest."""
    for stay in [stay for stay in diary.live() if stay.now.tentative]:
        roll = draw.random()
        if roll < AGREED:
            yield diary.change(stay, replace(stay.now, since=_hour(draw, day), tentative=False))
        elif roll < REFUSED or stay.check_in <= day:
            yield diary.cancel(stay, _hour(draw, day))


def _close_year(diary: Diary, start: date) -> None:
    made = Moment(start - timedelta(days=30), 3)
    key = f"{diary.listing.number}-closed"
    version = Version(made, start, start + timedelta(days=365))
    diary.stays[key] = Stay(key, StayKind.BLOCK, diary.listing.closes_in, "", (version,), open_end=True)


def _visits(diary: Diary, start: date) -> None:
    """The owner's repeated visits, one stay each."""
    series = diary.listing.series
    if series is None:
        return
    made = Moment(min(series.first, start) - timedelta(days=5), 2)
    for turn in range(series.count):
        first = series.first + timedelta(weeks=turn * series.every)
        version = Version(made, first, first + timedelta(days=series.nights))
        diary.book(StayKind.OWNER, Channel.GOOGLE, "", version, series=True)


def _gap(draw: random.Random, ahead: int) -> int:
    mean = next((gap for limit, gap in GAPS if ahead < limit), GAPS[-1][1])
    return int(draw.expovariate(1 / mean))


def _nights(draw: random.Random) -> int:
    return draw.choices(list(NIGHTS), list(NIGHTS.values()))[0]


def _hour(draw: random.Random, day: date) -> Moment:
    """Things happen in the night before eight, so that mirrors of some are still late at eight (P-6)."""
    return Moment(day, draw.randint(0, 7))


def _sell(diary: Diary, draw: random.Random, version: Version, channel: Channel | None = None) -> Happening:
    channels = diary.listing.channels
    origin = channel or draw.choices(channels, [CHANNEL_WEIGHTS.get(each, 1) for each in channels])[0]
    if origin is not Channel.VRBO:
        version = replace(version, tentative=False)
    guest = f"{draw.choice(names.FIRST_NAMES)} {draw.choice(names.LAST_NAMES)}"
    return diary.book(StayKind.GUEST, origin, guest, version)


def _close(diary: Diary, draw: random.Random, version: Version) -> Happening:
    kind = draw.choices((StayKind.OWNER, StayKind.BLOCK, StayKind.MAINTENANCE), (5, 3, 2))[0]
    return diary.book(kind, diary.listing.closes_in, "", version)


def _book(diary: Diary, draw: random.Random, day: date) -> Iterator[Happening]:
    """A new guest; now and then one night of it is already sold on another channel."""
    if draw.random() < OVERBOOK and (twice := _sold_twice(diary, draw, day)):
        yield twice
        return
    for _ in range(4):
        check_in = day + timedelta(days=int(draw.expovariate(1 / 25)))
        check_out = check_in + timedelta(days=_nights(draw))
        if check_out <= day + timedelta(days=FARTHEST) and diary.free(check_in, check_out):
            version = Version(_hour(draw, day), check_in, check_out, tentative=draw.random() < ASKED)
            yield _sell(diary, draw, version)
            return


def _sold_twice(diary: Diary, draw: random.Random, day: date) -> Happening | None:
    for stay in diary.upcoming(day, (StayKind.GUEST,)):
        others = [channel for channel in diary.listing.channels if channel is not stay.origin]
        check_in, check_out = stay.check_out - ONE, stay.check_out + 3 * ONE
        if others and stay.check_in < check_in and diary.free(check_in, check_out, but=stay.key):
            return _sell(diary, draw, Version(_hour(draw, day), check_in, check_out), draw.choice(others))
    return None


def _block(diary: Diary, draw: random.Random, day: date) -> Iterator[Happening]:
    """Closed nights, three at least: fewer beside a stay would read as Airbnb's preparation nights (P-32)."""
    for _ in range(3):
        check_in = day + timedelta(days=draw.randint(1, 60))
        check_out = check_in + timedelta(days=draw.choice((3, 3, 4, 5, 7)))
        if diary.free(check_in, check_out):
            yield _close(diary, draw, Version(_hour(draw, day), check_in, check_out))
            return


def _alter(diary: Diary, draw: random.Random, day: date) -> Iterator[Happening]:
    """A guest comes or leaves on another day; who has arrived can only leave on another day."""
    coming = [stay for stay in diary.upcoming(day, (StayKind.GUEST,)) if not stay.now.tentative]
    stays = coming + diary.running(day)
    if not stays:
        return
    stay = draw.choice(stays)
    check_in, check_out = stay.check_in, stay.check_out
    move = draw.choice((-1, 1, 1, 2))
    if stay in coming and draw.random() < 0.4:
        check_in -= move * ONE
    else:
        check_out += move * ONE
    if (
        (check_in <= day and stay in coming)
        or check_out - check_in < 2 * ONE
        or not diary.free(check_in, check_out, stay.key)
    ):
        return
    generation = stay.now.generation + (draw.random() < NEW_IDENTITY)
    yield diary.change(stay, Version(_hour(draw, day), check_in, check_out, generation=generation))
