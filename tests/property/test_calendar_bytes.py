"""Whatever bytes a feed sends, reading them never raises but for its own reasons, and never loses events silently."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Event

from changeover.core.stay import Rules
from changeover.sources.ics.feeds import FeedConfig
from changeover.sources.ics.platforms import load
from changeover.sources.ics.read import read
from changeover.sources.ics.reading import Reading, dump
from changeover.sources.ics.reading import load as load_reading
from changeover.sources.ics.repair import BrokenBody, canonical_hash, repair
from changeover.sources.ics.values import BadValue, Zones, texts, values

ROOT = Path(__file__).parents[2]
PLATFORMS = load(ROOT / "config" / "platforms.toml")
SAMPLES = {path.stem: path.read_bytes() for path in sorted((ROOT / "tests" / "golden" / "ics").glob("*.ics"))}
WHOLE = sorted(
    name
    for name in SAMPLES
    if name not in ("27_bad_truncated_mid_event", "29_bad_html_login_page_200", "31_bad_zero_bytes")
)
FEED = FeedConfig("recFeed0000000001", "https://calendar.example/feed.ics", "recHome0000000001")
RULES = Rules(ZoneInfo("America/Phoenix"))
TODAY = date(2026, 11, 1)

line = st.one_of(
    st.sampled_from(
        [
            "BEGIN:VCALENDAR",
            "END:VCALENDAR",
            "BEGIN:VEVENT",
            "END:VEVENT",
            "BEGIN:VTIMEZONE",
            "END:VTIMEZONE",
            "DTSTART:20261112",
            "DTSTART;TZID=X:20261112T100000",
            "DTEND:20261114",
            "DURATION:P2D",
            "RRULE:FREQ=WEEKLY",
            "RRULE:FREQ=DAILY;INTERVAL=9999999999999",
            "RECURRENCE-ID:20261119",
            "EXDATE:20261119",
            "UID:a",
            "SUMMARY:Reserved",
            "TZID:X",
            "METHOD:CANCEL",
        ]
    ),
    st.text(max_size=30),
)


def reading(body: bytes) -> Reading | str:
    try:
        return read(repair(body), FEED, PLATFORMS, RULES, TODAY)
    except BrokenBody as broken:
        return broken.cause


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_calendar(body: bytes) -> None:
    assert reading(body) == "not a calendar"


@given(st.lists(line, max_size=25))
@settings(max_examples=200, deadline=None)
def test_lines_that_look_like_a_calendar_never_raise(lines: list[str]) -> None:
    body = "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    found = reading(body.encode("utf-8", "surrogatepass"))
    if isinstance(found, Reading):
        assert all(1 <= (each.check_out - each.check_in).days <= 400 for each in found.observations)
        assert load_reading(dump(found), FEED.property_id) == found


@given(st.sampled_from(WHOLE), st.floats(0, 1, exclude_max=True))
@settings(max_examples=300, deadline=None)
def test_v1_a_calendar_cut_at_any_byte_fails_or_is_whole(name: str, share: float) -> None:
    body = SAMPLES[name]
    if name == "59_two_calendars":
        body = body[: body.index(b"END:VCALENDAR") + 15]  # nothing tells that another calendar was to follow
    cut = body[: int(len(body) * share)]
    found = reading(cut)
    assert found in ("cut off", "not a calendar") or found == reading(body)


@given(st.sampled_from(WHOLE), st.sampled_from([b"\n", b"\r", b"\r\n", b"\r\r\n", b"\n\n"]), st.booleans(), st.data())
@settings(max_examples=200, deadline=None)
def test_line_ends_folds_and_a_mark_change_nothing(name: str, ends: bytes, mark: bool, data: st.DataObject) -> None:
    lines = re.sub(rb"\r\n[ \t]", b"", SAMPLES[name].lstrip(b"\xef\xbb\xbf\r\n")).split(b"\r\n")
    width = data.draw(st.integers(2, 90))
    folded = (ends + b" ").join  # every line in pieces
    body = ends.join(folded([text[n : n + width] for n in range(0, len(text), width)]) for text in lines)
    assert reading((b"\xef\xbb\xbf" if mark else b"") + body) == reading(SAMPLES[name])
    assert canonical_hash(repair(body)) == canonical_hash(repair(SAMPLES[name]))


@given(st.sampled_from(WHOLE), st.randoms(use_true_random=False), st.datetimes())
@settings(max_examples=100, deadline=None)
def test_the_instant_and_the_order_change_no_hash_and_no_reading(name, random, instant) -> None:
    head, *events = re.split(rb"(?=BEGIN:VEVENT)", SAMPLES[name])
    if not events or name == "59_two_calendars":
        return
    events[-1], tail = events[-1][: events[-1].index(b"END:VEVENT") + 12], events[-1].partition(b"END:VEVENT\r\n")[2]
    random.shuffle(events)
    stamp = f"DTSTAMP:{instant:%Y%m%dT%H%M%S}Z".encode()
    other = re.sub(rb"DTSTAMP:\w+", stamp, head + b"".join(events) + tail)
    assert canonical_hash(repair(other)) == canonical_hash(repair(SAMPLES[name]))
    found, before = reading(other), reading(SAMPLES[name])
    assert isinstance(found, Reading)
    assert isinstance(before, Reading)
    assert found.observations == before.observations


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
@example(r"a\\nb")
@example("a\\")
@example(r"\N\,\;\\\x")
def test_our_texts_are_those_of_icalendar(text: str) -> None:
    text = text.strip()
    body = repair(f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:{text}\nEND:VEVENT\nEND:VCALENDAR".encode())
    ours = texts(body.calendars[0].events[0], "").summary
    theirs = Event.from_ical(f"BEGIN:VEVENT\r\nSUMMARY:{text}\r\nEND:VEVENT\r\n").get("SUMMARY")
    assert ours == str(theirs).strip()


@given(
    st.one_of(
        st.tuples(st.from_regex(r"[0-9]{8}", fullmatch=True), st.sampled_from(["", ";VALUE=DATE"])),
        st.tuples(
            st.from_regex(r"20[0-9]{2}[01][0-9][0-3][0-9]T[0-2][0-9][0-6][0-9][0-6][0-9]Z", fullmatch=True), st.just("")
        ),
        st.tuples(st.datetimes().map(lambda moment: f"{moment:%Y%m%dT%H%M%SZ}".zfill(16)), st.just(";VALUE=DATE-TIME")),
    )
)
@example(("20260229", ""))
@example(("00000101", ""))
@example(("20261112T235960Z", ""))
def test_our_dates_and_instants_are_those_of_icalendar(printed: tuple[str, str]) -> None:
    digits, params = printed
    event = Event.from_ical(f"BEGIN:VEVENT\r\nDTSTART{params}:{digits}\r\nEND:VEVENT\r\n")
    theirs = None if event.errors else event["DTSTART"].dt
    body = repair(f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART{params}:{digits}\nEND:VEVENT\nEND:VCALENDAR".encode())
    lines = body.calendars[0].events[0]
    try:
        ours = values(lines, texts(lines, ""), Zones(())).start
    except BadValue:
        ours = None
    assert ours == theirs
