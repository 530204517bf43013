"""Every calendar sample is read as the file beside it says."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from changeover.core.stay import Observation, Rules
from changeover.sources.ics.feeds import FeedConfig
from changeover.sources.ics.platforms import Platforms, load
from changeover.sources.ics.read import read
from changeover.sources.ics.repair import BrokenBody, repair

FOLDER = Path(__file__).parent
SAMPLES = sorted(FOLDER.glob("*.ics"))
FEED = FeedConfig("recFeed0000000001", "https://calendar.example/feed.ics", "recHome0000000001")
RULES = Rules(ZoneInfo("America/Phoenix"))


@pytest.fixture(scope="module")
def platforms() -> Platforms:
    return load(FOLDER.parents[2] / "config" / "platforms.toml")


def described(observation: Observation) -> dict[str, object]:
    flags = {
        "canceled": observation.canceled,
        "unstable uid": not observation.stable_uid,
        "open end": observation.open_end,
    }
    found: dict[str, object] = {
        "uid": observation.uid,
        "nights": f"{observation.check_in}/{observation.check_out}",
        "kind": str(observation.kind),
    }
    if observation.block_type:
        found["block_type"] = observation.block_type
    if any(flags.values()):
        found["flags"] = [name for name, is_set in flags.items() if is_set]
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_as_its_neighbour_says(sample: Path, platforms: Platforms) -> None:
    expected = json.loads(sample.with_suffix(".json").read_text())
    if "failed" in expected:
        with pytest.raises(BrokenBody) as caught:
            repair(sample.read_bytes())
        assert caught.value.cause == expected["failed"]
        return
    found = read(repair(sample.read_bytes()), FEED, platforms, RULES, date.fromisoformat(expected["day"]))
    assert {
        "day": expected["day"],
        "platform": found.platform,
        "events": found.events,
        "observations": [described(each) for each in found.observations],
        "rejected": [{"place": each.place, "reason": each.reason, "uid": each.uid} for each in found.rejected],
        "warnings": list(found.warnings),
    } == expected


def test_every_sample_has_an_expectation_and_a_line_in_the_table() -> None:
    table = (FOLDER / "README.md").read_text()
    for sample in SAMPLES:
        assert sample.with_suffix(".json").exists()
        assert sample.stem.partition("_")[0] in table


def test_booking_nights_become_reservations_where_the_feed_says_so(platforms: Platforms) -> None:
    feed = FeedConfig("recF", "https://calendar.example/f.ics", "recH", closed_is_reservation=True)
    found = read(repair((FOLDER / "07_booking_day1.ics").read_bytes()), feed, platforms, RULES, date(2026, 11, 1))
    assert [str(each.kind) for each in found.observations] == ["reservation", "reservation", "window tail"]
