"""Platforms are told by host and product, and their file is checked as a whole (R-75, P-35)."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.core.classify import EventText, Uids, classify
from changeover.core.stay import Kind
from changeover.sources.ics.platforms import BadPlatforms, load


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("www.airbnb.com", "Airbnb"),
        ("airbnb.co.uk", "Airbnb"),
        ("www.airbnb.com.au", "Airbnb"),
        ("ical.booking.com", "Booking.com"),
        ("WWW.ABRITEL.FR", "VRBO"),
        ("calendar.google.com", "Google Calendar"),
        ("airbnb.com.evil.example", "Other"),
        ("notairbnb.com", "Other"),
        ("booking.com.example", "Other"),
        ("", "Other"),
    ],
)
def test_a_host_names_its_platform(platforms, host: str, expected: str) -> None:
    assert platforms.detect(host, "") == expected


def test_the_product_counts_where_the_host_tells_nothing(platforms) -> None:
    assert platforms.detect("127.0.0.1", "-//HomeAway.com, Inc.//EN") == "VRBO"
    assert platforms.detect("127.0.0.1", r"-//admin.booking.com\, b.v.//NONSGML v1.0//EN") == "Booking.com"
    assert platforms.detect("www.airbnb.com", "-//HomeAway.com, Inc.//EN") == "Airbnb"


def test_every_platform_but_the_volatile_ones_has_stable_uids(platforms) -> None:
    odd = {name: words.uids for name, words in platforms.words.items() if words.uids is not Uids.STABLE}
    assert odd == {
        "Booking.com": Uids.UNSTABLE,
        "VRBO": Uids.UNSTABLE_BLOCKS,
        "Lodgify": Uids.UNSTABLE,
        "HostTools": Uids.UNSTABLE,
    }


def test_words_for_one_feed_stand_under_its_record_id(tmp_path: Path) -> None:
    file = tmp_path / "platforms.toml"
    file.write_text('[feeds.recA]\nreservation = ["p***"]\n')
    found = load(file)
    assert classify(EventText("P*** S***"), found.dialect("recA", "Other")).kind is Kind.RESERVATION
    assert classify(EventText("P*** S***"), found.dialect("recB", "Other")).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[platforms.X]\nuids = "sometimes"\ncolour = 1', ["platforms.X.uids", "platforms.X.colour"]),
        ("[signs.reservation]\ncodes = ['(']", ["signs.reservation.codes.0"]),
        ("[broken", ["platforms.toml"]),
    ],
)
def test_a_bad_file_is_refused_with_every_fault_named(tmp_path: Path, text: str, named: list[str]) -> None:
    file = tmp_path / "platforms.toml"
    file.write_text(text)
    with pytest.raises(BadPlatforms) as caught:
        load(file)
    assert all(each in str(caught.value) for each in named)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "platforms.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BadPlatforms):
        load(file)


def test_the_fingerprint_follows_the_words(tmp_path: Path) -> None:
    one, other = tmp_path / "a.toml", tmp_path / "b.toml"
    one.write_text("[platforms.X]")
    other.write_text("[platforms.Y]")
    assert load(one).fingerprint != load(other).fingerprint
    assert load(one).words["X"].name == "X"
