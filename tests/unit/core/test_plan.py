"""A plan as data: what it prints, what it serialises, and what it never shows."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from changeover.core.plan import Change, Counts, Plan, Verb, create_key, plain
from changeover.core.stay import EntryType, Report, Status
from plugins.paper_base import AIRBNB, CASA, PaperBase, block, day, guest

NAMES = {CASA: "Casa"}


@pytest.fixture
def base() -> PaperBase:
    return PaperBase()


def test_a_plan_prints_a_line_per_change(base: PaperBase) -> None:
    assert list(base.feed(AIRBNB, guest("u1", 10, 14)).lines(NAMES)) == [
        f"new       Casa {day(10)} → {day(14)} Reservation (Airbnb)"
    ]
    changed = base.feed(AIRBNB, guest("u1", 10, 15))
    assert list(changed.lines({})) == [
        f"modified  {CASA} {day(10)} → {day(15)} Reservation (Airbnb): Check-out {day(14)} → {day(15)}"
    ]
    missed = base.feed(AIRBNB)
    assert "missing_count 0 → 1" in next(missed.lines(NAMES))


def test_a_held_removal_is_a_line_too(base: PaperBase) -> None:
    stays = [guest(f"u{i}", 10 + 2 * i, 11 + 2 * i) for i in range(6)]
    base.feed(AIRBNB, *stays)
    plan = base.feed(AIRBNB, *[guest(s.uid, 10 + 2 * i, 11 + 2 * i, canceled=True) for i, s in enumerate(stays)])
    lines = list(plan.lines(NAMES))
    assert f"held      Casa {day(10)} → {day(11)}" in lines
    assert sum(line.startswith("held") for line in lines) == 6
    assert len(plan.to_json()["held"]) == 6  # type: ignore[arg-type]


def test_neither_report_text_nor_url_is_ever_shown(base: PaperBase) -> None:
    """Invariant 8: door codes and calendar addresses stay out of plans."""
    first = base.feed(AIRBNB, guest("u1", 10, 14, report=Report(info="door 4711")))
    second = base.feed(AIRBNB, guest("u1", 10, 14, report=Report(info="door 4712")))
    for plan in (first, second):
        text = json.dumps(plan.to_json()) + "\n".join(plan.lines(NAMES))
        assert "door" not in text
        assert AIRBNB.url not in text
        assert "itrip_info" in text


def test_a_plan_is_plain_json_and_equal_plans_are_equal_json(base: PaperBase) -> None:
    plan = base.feed(AIRBNB, guest("u1", 10, 14), block("u2", 20, 22))
    same = PaperBase().feed(AIRBNB, block("u2", 20, 22), guest("u1", 10, 14))
    assert json.loads(json.dumps(plan.to_json())) == json.loads(json.dumps(same.to_json()))
    first = json.loads(json.dumps(plan.to_json()))["changes"][0]
    assert (first["verb"], first["record_id"], first["property"]) == ("new", None, CASA)
    assert first["changes"]["check_in"] == [None, day(10).isoformat()]
    assert plan.to_json()["counts"]["changes"] == {"new.Block": 1, "new.Reservation": 1}  # type: ignore[index]


def test_counts_are_by_verb_and_entry_type(base: PaperBase) -> None:
    """R-89."""
    counts = base.feed(AIRBNB, guest("u1", 10, 14), guest("u3", 30, 34), block("u2", 20, 22)).counts
    assert (counts.of("new"), counts.of("new", EntryType.RESERVATION), counts.of("new", EntryType.BLOCK)) == (3, 2, 1)
    assert (counts.read, counts.kept, counts.of("removed"), counts.unchanged) == (3, 3, 0, 0)


def test_the_plans_of_two_steps_are_shown_as_one(base: PaperBase) -> None:
    first = base.feed(AIRBNB, guest("u1", 10, 14))
    second = base.feed(AIRBNB, guest("u1", 10, 14), block("u2", 20, 22))
    both = first.then(second)
    assert (both.changes, both.holds, both.now) == (first.changes + second.changes, second.holds, second.now)
    assert both.counts.changes == {"new.Reservation": 1, "new.Block": 1}
    assert list(both.lines(NAMES)) == [*first.lines(NAMES), *second.lines(NAMES)]


def test_adding_counts_forgets_none_of_them() -> None:
    ones = Counts(
        **{each.name: {"x": 1} if each.name in ("changes", "rejected", "dropped") else 1 for each in fields(Counts)}
    )
    twos = Counts(
        **{each.name: {"x": 2} if each.name in ("changes", "rejected", "dropped") else 2 for each in fields(Counts)}
    )
    assert ones + twos == twos + ones
    assert ones + ones == twos


def test_a_plan_without_changes_writes_nothing(base: PaperBase) -> None:
    assert base.feed(AIRBNB, guest("u1", 10, 14)).writes
    assert not base.feed(AIRBNB, guest("u1", 10, 14)).writes
    assert not Plan(base.now).writes


def test_differences_are_plain_and_only_of_cells(base: PaperBase) -> None:
    before = base.add_row()
    after = base.edit(before, check_out=day(20), job_id="job_1", same_day=True, status=Status.MODIFIED)
    assert Change(Verb.MODIFY, before, after).differences() == {
        "check_out": (day(14).isoformat(), day(20).isoformat()),
        "status": ("New", "Modified"),
        "same_day": (False, True),
    }


@pytest.mark.parametrize(("value", "expected"), [("", None), (None, None), (0, 0), (False, False), (Status.NEW, "New")])
def test_a_value_in_plain_form(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_a_create_key_tells_stays_apart_and_knows_one_again() -> None:
    """AT-44: uid, URL, status and dates."""
    parts = ("u1_rec", "https://feeds.example/a", Status.NEW, day(10), day(14))
    key = create_key(*parts)
    assert (len(key), create_key(*parts)) == (40, key)
    others = [
        create_key("u1_re", "chttps://feeds.example/a", *parts[2:]),
        create_key(*parts[:2], Status.MODIFIED, *parts[3:]),
        create_key(*parts[:3], day(9), day(14)),
        create_key(*parts[:4], day(15)),
    ]
    assert len({key, *others}) == 5
