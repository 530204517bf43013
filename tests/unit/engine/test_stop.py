from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from changeover.engine.stop import Stop, StopLevel, Stopped, StopSwitch

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


def test_without_a_file_nothing_is_stopped(tmp_path: Path) -> None:
    switch = StopSwitch(tmp_path)
    switch.check_writes()
    assert switch.state() == Stop(StopLevel.NONE)


@pytest.mark.parametrize(
    ("level", "starts", "writes", "reads"),
    [
        (StopLevel.NONE, True, True, True),
        (StopLevel.PAUSE, False, True, True),
        (StopLevel.READ_ONLY, False, False, True),
        (StopLevel.FULL, False, False, False),
    ],
)
def test_each_level_stops_more_than_the_one_before(
    tmp_path: Path, level: StopLevel, starts: bool, writes: bool, reads: bool
) -> None:
    """Z-17: nothing could stop the schedule."""
    switch = StopSwitch(tmp_path)
    assert switch.set(Stop(level, "roof is being mended", "Ana", NOW))
    found = StopSwitch(tmp_path).state()
    assert found == Stop(level, "roof is being mended", "Ana", NOW)
    assert (found.starts, found.writes, found.reads) == (starts, writes, reads)


@pytest.mark.parametrize("level", [StopLevel.READ_ONLY, StopLevel.FULL])
def test_a_write_asked_for_while_stopped_is_refused_with_the_reason(tmp_path: Path, level: StopLevel) -> None:
    switch = StopSwitch(tmp_path)
    switch.set(Stop(level, "wrong rows"))
    with pytest.raises(Stopped, match=f"{level} .wrong rows") as caught:
        switch.check_writes()
    assert caught.value.stop.level is level


def test_a_file_put_there_in_the_middle_of_a_run_counts_at_the_next_write(tmp_path: Path) -> None:
    switch = StopSwitch(tmp_path)
    switch.check_writes()
    (tmp_path / "stop.json").write_text('{"level": "full"}')
    with pytest.raises(Stopped, match="full"):
        switch.check_writes()
    switch.clear()
    switch.check_writes()
    switch.clear()  # twice is no error


@pytest.mark.parametrize(
    "text", ["", "stop!", "[]", "null", "{}", '{"level": "halt"}', '{"level": "pause"', '"pause"', "\udcff"]
)
def test_a_file_nobody_understands_stops_everything(tmp_path: Path, text: str) -> None:
    (tmp_path / "stop.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert StopSwitch(tmp_path).state().level is StopLevel.FULL


def test_a_file_that_cannot_be_opened_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "stop.json").mkdir()
    assert StopSwitch(tmp_path).state().level is StopLevel.FULL


@pytest.mark.parametrize("at", ["yesterday", "2026-03-04T15:00:00", 5, None])
def test_a_time_nobody_understands_does_not_turn_a_pause_into_a_full_stop(tmp_path: Path, at: object) -> None:
    (tmp_path / "stop.json").write_text(json.dumps({"level": "pause", "at": at}))
    assert StopSwitch(tmp_path).state() == Stop(StopLevel.PAUSE)


def test_the_file_is_whole_or_absent_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "not yet there"
    StopSwitch(folder).set(Stop(StopLevel.PAUSE))
    assert [each.name for each in folder.iterdir()] == ["stop.json"]
    assert stat.S_IMODE((folder / "stop.json").stat().st_mode) == 0o600
