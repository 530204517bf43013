"""Rule files: what they set, and that a bad one is named with everything that is wrong in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from changeover.engine.rules import BadRules, BadSchedule, rule_book, rules_of
from changeover.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        environment="dev",
        home=tmp_path / "var",
        config=tmp_path,
        airtable_api_key="patMADEUP.key",
        airtable_base_id="app" + "A" * 14,
        lookback_days=30,
        lookahead_days=90,
        missing_threshold=4,
        missing_grace_hours=6.5,
        timezone="Europe/Paris",
    )


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    return tmp_path / "schedule.toml"


def test_settings_and_schedule_make_the_rules(settings: Settings, schedule: Path) -> None:
    schedule.write_text('default = "11:00"\nsame_day = "09:30"\nlong_term_nights = 28\n')
    rules = rules_of(settings, schedule)
    assert (str(rules.zone), rules.lookback_days, rules.lookahead_days) == ("Europe/Paris", 30, 90)
    assert (rules.missing_threshold, rules.missing_grace) == (4, timedelta(hours=6, minutes=30))
    hours = rules.hours
    assert (hours.default, hours.same_day, hours.owner_arriving, hours.long_term_nights) == (
        "11:00",
        "09:30",
        "10:00",
        28,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('default = "25:00"', ["default"]),
        ('same_day = "9:30"\nlong_term_nights = 0', ["same_day", "long_term_nights"]),
        ('defualt = "11:00"', ["defualt", "not permitted"]),
        ("default = ", ["schedule.toml"]),
    ],
)
def test_a_bad_schedule_is_named_with_all_that_is_wrong(
    settings: Settings, schedule: Path, text: str, said: list[str]
) -> None:
    schedule.write_text(text)
    with pytest.raises(BadSchedule) as bad:
        rules_of(settings, schedule)
    assert str(schedule) in str(bad.value)
    assert all(each in str(bad.value) for each in said)


def test_bytes_that_are_no_text_are_no_schedule(settings: Settings, schedule: Path) -> None:
    schedule.write_bytes(b"default = '\xff'")
    with pytest.raises(BadSchedule, match=r"schedule\.toml"):
        rules_of(settings, schedule)


def test_the_shipped_rule_files_make_a_rule_book(settings: Settings) -> None:
    book = rule_book(settings)
    assert book.rules.hours.default == "10:15"
    assert "Reservations" in {table.name for table in book.spec.tables}
    assert book.platforms.by_host("www.airbnb.com") == "Airbnb"


@pytest.mark.parametrize("name", ["schedule.toml", "platforms.toml", "airtable_base.json"])
def test_a_file_of_ones_own_replaces_the_shipped_one_and_is_named_when_bad(settings: Settings, name: str) -> None:
    (settings.config / name).write_text("?")
    with pytest.raises(BadRules, match=name):
        rule_book(settings)


def test_a_file_that_may_not_be_read_is_bad_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, *arguments: object, **more: object) -> str:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(BadRules, match="Permission denied"):
        rule_book(settings)
