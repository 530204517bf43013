"""From whole calendars to nights under a uid (R-37 … R-43); it decides no kind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice

from changeover.core.classify import EventText
from changeover.core.stay import Rules
from changeover.sources.ics.recurrence import MAX_OCCURRENCES, starts
from changeover.sources.ics.repair import TOO_MUCH, Body, BrokenBody, Line
from changeover.sources.ics.values import BadValue, Moment, Values, Zones, texts, values

MAX_NIGHTS = 400
MAX_ITEMS = 20_000


@dataclass(frozen=True, slots=True)
class Item:
    """Nights [check_in, check_out) that an event shows. `named` is False for a uid made from them (R-43)."""

    uid: str
    named: bool
    sequence: int
    text: EventText
    check_in: date
    check_out: date


@dataclass(frozen=True, slots=True)
class Fault:
    """An event that could not be used (R-39). `uid` is None where it has none, or where its rows go by other uids."""

    place: str
    reason: str
    uid: str | None
    text: EventText


@dataclass(slots=True)
class Parsed:
    """What a body shows, in the order of the body."""

    items: list[Item] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unknown_zones: int = 0


@dataclass(frozen=True, slots=True)
class _Event:
    place: str
    values: Values


def parse(body: Body, rules: Rules, today: date, spent: Callable[[], bool] = lambda: False) -> Parsed:
    """The items of a body. A bad event never loses the rest (P-22).

    Raises BrokenBody when there is more than any home can have, or when `spent` says that it has taken too long.
    """
    parsed = Parsed()
    events = list(_read(body, parsed, spent))
    replaced = {
        (event.values.text.uid, _day(event.values.replaces, rules))
        for event in events
        if event.values.replaces is not None
    }
    for event in events:
        _add(parsed, event, replaced, rules, today)
        if len(parsed.items) > MAX_ITEMS or spent():
            raise BrokenBody(TOO_MUCH)
    shared = {item.uid for item in parsed.items}
    parsed.faults = [replace(each, uid=None) if each.uid in shared else each for each in parsed.faults]
    return parsed


def _read(body: Body, parsed: Parsed, spent: Callable[[], bool]) -> Iterator[_Event]:
    number = 0
    for calendar in body.calendars:
        zones, method = Zones(calendar.zones), calendar.first("METHOD")
        for lines in calendar.events:
            number += 1
            if spent():
                raise BrokenBody(TOO_MUCH)
            text = texts(lines, method)
            try:
                found = values(lines, text, zones)
            except BadValue as error:
                parsed.faults.append(_fault(f"event {number}", error.reason, text, lines))
                continue
            parsed.unknown_zones += found.unknown_zone
            yield _Event(f"event {number}", found)


def _fault(place: str, reason: str, text: EventText, lines: Sequence[Line]) -> Fault:
    # Rows of a repeated event go by the uids of its occurrences: its own uid would not be found among them.
    repeated = any(line.name in ("RRULE", "RECURRENCE-ID") for line in lines)
    return Fault(place, reason, None if repeated or not text.uid else text.uid, text)


def _add(parsed: Parsed, event: _Event, replaced: set[tuple[str, date]], rules: Rules, today: date) -> None:
    found = event.values
    try:
        if found.rule and found.replaces is None:
            parsed.items.extend(_occurrences(found, replaced, rules, today))
        else:
            parsed.items.append(_single(found, rules))
    except (BadValue, OverflowError) as error:
        reason = error.reason if isinstance(error, BadValue) else "bad_date"
        repeated = bool(found.rule) or found.replaces is not None
        uid = None if repeated or not found.text.uid else found.text.uid
        parsed.faults.append(Fault(event.place, reason, uid, found.text))


def _single(found: Values, rules: Rules) -> Item:
    item = _item(found, found.start, rules)
    if found.replaces is None or not found.text.uid:
        return item
    return replace(item, uid=f"{found.text.uid}#{_day(found.replaces, rules):%Y%m%d}")


def _occurrences(found: Values, replaced: set[tuple[str, date]], rules: Rules, today: date) -> list[Item]:
    excluded = {_day(moment, rules) for moment in found.excluded}
    last = today + timedelta(days=rules.lookahead_days)

    def wanted() -> Iterator[Item]:
        for start in starts(found.rule, found.start, last):
            day = _day(start, rules)
            if day in excluded or (found.text.uid, day) in replaced:
                continue
            item = _item(found, start, rules)
            if rules.importable(item.check_in, item.check_out, today):
                # Without a uid of its own an occurrence is named after its nights, like any other event.
                yield replace(item, uid=f"{found.text.uid}#{day:%Y%m%d}") if found.text.uid else item

    return list(islice(wanted(), MAX_OCCURRENCES))


def _item(found: Values, start: Moment, rules: Rules) -> Item:
    """The nights of an event that starts at `start`. Raises BadValue when they are none or too many (R-39)."""
    timed = isinstance(start, datetime)
    check_in = _day(start, rules)
    check_out = _day(_end(found, start), rules)
    text = found.text
    if timed and check_out == check_in:
        # Shown for its uid's sake; the one night it is given here makes no row.
        text, check_out = replace(text, ends_same_day=True), check_in + timedelta(days=1)
    nights = (check_out - check_in).days
    if nights < 1:
        raise BadValue("no_nights")
    if nights > MAX_NIGHTS:
        raise BadValue("too_long")
    uid = text.uid or nameless_uid(check_in, check_out, text.summary)
    return Item(uid, bool(text.uid), found.sequence, text, check_in, check_out)


def _end(found: Values, start: Moment) -> Moment:
    """DTEND, moved along for an occurrence; else DURATION; else one night for a day (R-38)."""
    if found.end is not None:
        if start == found.start:
            return found.end
        return _moved(found.end, found.start, start)
    if found.duration is not None:
        if isinstance(start, datetime):
            return start + found.duration
        # A duration in hours on a whole day still ends on the day it reaches.
        return (datetime.combine(start, datetime.min.time()) + found.duration).date()
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def _moved(end: Moment, first: Moment, start: Moment) -> Moment:
    """The end of an occurrence: as many days later as its start, at the same time of the day."""
    return end + timedelta(days=(_wall_day(start) - _wall_day(first)).days)


def _wall_day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _day(moment: Moment, rules: Rules) -> date:
    """The business's date of a moment: days and floating times as printed (R-37)."""
    if not isinstance(moment, datetime):
        return moment
    return moment.date() if moment.tzinfo is None else moment.astimezone(rules.zone).date()


def nameless_uid(check_in: date, check_out: date, summary: str) -> str:
    """The uid of an event without one (R-43): SHA-256 of `<check-in> <check-out> <summary>`, 16 hex digits."""
    digest = hashlib.sha256(f"{check_in} {check_out} {summary}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"nouid-{digest[:16]}"
