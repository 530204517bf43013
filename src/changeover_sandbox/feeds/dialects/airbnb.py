"""Airbnb's calendar: six properties, `Not available` for six different things, all DATE (P-1, P-2)."""

from collections.abc import Iterator
from datetime import date, timedelta

from changeover_sandbox.feeds.dialects.scene import Dialect, Scene
from changeover_sandbox.feeds.ical import Event
from changeover_sandbox.world import Role, Sight
from changeover_sandbox.world.chance import chance, code

RESERVED, CLOSED, IMPORTED = "1418fb94e984", "7f662ec65913", "6fec1092d3fa"
NOT_AVAILABLE = "Airbnb (Not available)"
ONE = timedelta(days=1)


def events(scene: Scene) -> Iterator[Event]:
    """Stays and closed nights, then notice, preparation nights and window tail, by date."""
    shown = [_stay(scene, sight) for sight in scene.sights]
    closed = [_closed(scene, *nights) for nights in (*_notice(scene), *_preparation(scene), *_tail(scene))]
    return iter(sorted((*shown, *closed), key=lambda event: (event.start, event.end)))


def _stay(scene: Scene, sight: Sight) -> Event:
    if sight.role is not Role.GUEST:
        imported = sight.role is Role.IMPORTED
        return _closed(scene, sight.check_in, sight.check_out, IMPORTED if imported else CLOSED)
    digits = chance(scene.seed, "phone", sight.stay.key).randint(100, 199)
    url = f"https://www.airbnb.com/hosting/reservations/details/HM{code(8, scene.seed, sight.stay.key)}"
    return Event(
        uid=f"{RESERVED}-{scene.stay_hex(sight)}@airbnb.com",
        start=sight.check_in,
        end=sight.check_out,
        summary="Reserved",
        description=f"Reservation URL: {url}\nPhone Number (Last 4 Digits): {digits:04}",
    )


def _closed(scene: Scene, check_in: date, check_out: date, prefix: str = CLOSED) -> Event:
    uid = f"{prefix}-{scene.nights_hex(check_in, check_out)}@airbnb.com"
    return Event(uid, check_in, check_out, NOT_AVAILABLE)


def _notice(scene: Scene) -> Iterator[tuple[date, date]]:
    """The free nights from today on that cannot be booked any more; they move daily."""
    end = scene.day
    while end < scene.ahead(scene.feed.notice) and scene.free(end):
        end += ONE
    if end > scene.day:
        yield scene.day, end


def _preparation(scene: Scene) -> Iterator[tuple[date, date]]:
    """One free night before and after each stay, where the host wants time to prepare."""
    if not scene.feed.prep:
        return
    stays = [sight for sight in scene.sights if sight.role is Role.GUEST]
    first = scene.ahead(scene.feed.notice)
    leaving = {sight.check_out for sight in stays}
    before = [s.check_in - ONE for s in stays if s.check_in - ONE not in leaving]
    before = [night for night in before if night >= first and scene.free(night)]
    # Without a night before some stay nothing would tell a night after one from closed nights (P-32).
    after = [night for night in sorted(leaving) if night >= first and scene.free(night)] if before else []
    for night in (*before, *after):
        yield night, night + ONE


def _tail(scene: Scene) -> Iterator[tuple[date, date]]:
    if scene.feed.window is not None and not scene.listing.closed:
        yield scene.ahead(scene.feed.window), scene.ahead(366)


DIALECT = Dialect(
    header=("PRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN", "CALSCALE:GREGORIAN", "VERSION:2.0"),
    order=("DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "UID", "DESCRIPTION"),
    events=events,
)
