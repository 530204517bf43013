"""Whatever calendars say, and in whatever order: what must hold of every plan, tried on arbitrary batches and rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.core.plan import Plan, Verb
from changeover.core.reconcile import reconcile
from changeover.core.stay import (
    Batch,
    EntryType,
    HoldReason,
    Kind,
    Observation,
    Rejected,
    Report,
    Rules,
    Source,
    Status,
    Stay,
)
from plugins.paper_base import AIRBNB, BOOKING, CASA, LOFT, PHOENIX, VRBO, PaperBase, day
from plugins.property_depth import DEPTH

ITRIP = Source("csv_itrip", "csv_itrip", "iTrip", "iTrip report")
GONE = Source("orphan:0123456789abcdef", "https://gone.example/x", "VRBO")
SOURCES = (AIRBNB, BOOKING, VRBO, ITRIP)
PATIENT = Rules(PHOENIX, missing_threshold=1000)  # absence never removes, so that all else can be told apart from it
_MISSING = {"missing_count", "missing_since", "last_seen", "suspected_cancel"}

nights = st.builds(lambda first, length: (first, first + length), st.integers(-6, 8), st.integers(1, 5))
kinds = st.sampled_from([Kind.RESERVATION] * 4 + [Kind.BLOCK] * 2 + [Kind.OWNER_STAY, Kind.UNKNOWN, Kind.NOTICE])
reports = st.none() | st.builds(
    Report,
    info=st.none() | st.sampled_from(["codes", "Owner Stay (Next Checkin)"]),
    next_guest=st.none() | st.builds(day, st.integers(0, 12)),
    says_next_guest=st.booleans(),
    next_is_owner=st.booleans(),
)


@dataclass(frozen=True)
class Said:
    """One source's word in one run."""

    source: Source
    items: tuple[Observation, ...]
    rejected: tuple[Rejected, ...]
    fully_read: bool
    retired: bool

    def batch(self, base: PaperBase) -> Batch:
        home = None if self.source is ITRIP else CASA
        return base.batch(
            self.source,
            *self.items,
            home=home,
            fully_read=self.fully_read,
            retired=self.retired,
            rejected=self.rejected,
        )


@st.composite
def items(draw: st.DrawFn, source: Source) -> Observation:
    first, last = draw(nights)
    stable = source is not BOOKING
    return Observation(
        uid=draw(st.sampled_from(["u0", "u1", "u2", "u3"] if stable else [f"x{n}" for n in range(9)])),
        property_id=draw(st.sampled_from([CASA, LOFT])) if source is ITRIP else CASA,
        check_in=day(first),
        check_out=day(last),
        kind=draw(kinds),
        canceled=draw(st.sampled_from([False] * 7 + [True])),
        stable_uid=stable,
        report=draw(reports) if source is ITRIP else None,
    )


def _key(each: Observation) -> tuple[str, str]:
    return each.property_id, each.uid  # a source gives every uid once


@st.composite
def said(draw: st.DrawFn, source: Source) -> Said:
    rejects = st.builds(Rejected, st.just("line"), st.just("bad_date"), st.none() | st.sampled_from(["u0", "u1"]))
    return Said(
        source=source,
        items=tuple(draw(st.lists(items(source), max_size=5, unique_by=_key))),
        rejected=tuple(draw(st.lists(rejects, max_size=1))),
        fully_read=draw(st.sampled_from([True, True, True, False])),
        retired=draw(st.sampled_from([False] * 9 + [True])),
    )


runs = st.lists(st.tuples(*(st.none() | said(source) for source in SOURCES)), min_size=1, max_size=5)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, object]]:
    """Rows as a base may have them when this program comes to it, duplicates and all."""
    made = []
    for _ in range(draw(st.integers(0, 4))):
        first, last = draw(nights)
        source = draw(st.sampled_from([AIRBNB, BOOKING, GONE, None]))
        entry_type = draw(st.sampled_from(list(EntryType)))
        made.append(
            {
                "uid": f"{draw(st.sampled_from(['u0', 'u1', 'x0', 'old']))}_{CASA}",
                "source": source.key if source else None,
                "url": source.url if source else "",
                "check_in": day(first),
                "check_out": day(last),
                "entry_type": entry_type,
                "status": draw(st.sampled_from([Status.NEW, Status.MODIFIED, Status.REMOVED])),
                "job": draw(st.booleans()),
                "service_type": draw(st.sampled_from(["Turnover", "Needs Review", "Deep Clean"])),
            }
        )
    return made


def base_of(made: list[dict[str, object]], rules: Rules) -> PaperBase:
    base = PaperBase(rules=rules)
    base.sources[ITRIP.key] = ITRIP
    for number, values in enumerate(made):
        given_job = {"job_id": f"job_{number}" if values["job"] else ""}
        base.add_row(**{key: value for key, value in values.items() if key != "job"} | given_job)
    return base


def batches_of(base: PaperBase, told: tuple[Said | None, ...]) -> list[Batch]:
    return [each.batch(base) for each in told if each is not None]


def give_jobs(base: PaperBase) -> None:
    """Every live reservation gets a job, as the job side would do."""
    for stay in base.live:
        if stay.entry_type is EntryType.RESERVATION and not stay.job_id and not stay.kept_by_people:
            base.edit(stay, job_id=f"job_of_{stay.record_id}")


@DEPTH
@given(rows(), runs)
def test_the_order_of_batches_and_of_rows_changes_nothing(
    made: list[dict[str, object]], told: list[tuple[Said | None, ...]]
) -> None:
    base = base_of(made, Rules(PHOENIX))
    for each in told:
        batches, known = batches_of(base, each), base.known()
        turned = replace(known, stays=known.stays[::-1], sightings=known.sightings[::-1], holds=known.holds[::-1])
        plan = reconcile(known, batches, base.now, base.rules)
        assert reconcile(turned, batches[::-1], base.now, base.rules) == plan
        base.carry_out(plan)
        base.now += timedelta(hours=4)
        give_jobs(base)


@DEPTH
@given(rows(), runs)
def test_the_same_batches_again_write_nothing_but_counters_of_absence(
    made: list[dict[str, object]], told: list[tuple[Said | None, ...]]
) -> None:
    """Invariant 2. Absence counts on, for that is what a second look without the stay means."""
    base = base_of(made, PATIENT)
    for each in told:
        base.run(*batches_of(base, each), hours=0)
        plan = base.run(*batches_of(base, each), hours=4)
        assert all(change.verb is Verb.UPDATE for change in plan.changes), list(plan.lines({}))
        assert {name for change in plan.changes for name in change.differences()} <= _MISSING
        give_jobs(base)


@DEPTH
@given(rows(), runs)
def test_never_two_live_rows_for_one_stay(made: list[dict[str, object]], told: list[tuple[Said | None, ...]]) -> None:
    """Invariant 1. Rows with a job each that came with the base wait for a person (R-55)."""
    base = base_of(made, Rules(PHOENIX))
    for each in told:
        plan = base.run(*batches_of(base, each))
        waiting = {hold.record_id for hold in plan.holds if hold.reason is HoldReason.DUPLICATE}
        ours = [stay for stay in base.live if not stay.kept_by_people and stay.record_id not in waiting]
        assert _twice((stay.property_id, stay.check_in, stay.check_out) for stay in ours) == []
        shown = {(one.source.key, item.uid) for one in each if one for item in one.items}
        assert [key for key in _twice((stay.source, stay.uid) for stay in ours) if _bare(key) in shown] == []
        assert _twice(stay.job_id for stay in base.live if stay.job_id) == []
        assert all(stay.uid.endswith(f"_{stay.property_id}") and stay.property_id for stay in ours)


def _bare(key: tuple[str, str]) -> tuple[str, str]:
    return key[0], key[1].removesuffix(f"_{CASA}").removesuffix(f"_{LOFT}")


def _twice(values: Iterable[Any]) -> list[Any]:
    return [value for value, number in Counter(values).items() if number > 1]


@DEPTH
@given(rows(), runs)
def test_no_job_and_no_row_of_people_is_ever_touched(
    made: list[dict[str, object]], told: list[tuple[Said | None, ...]]
) -> None:
    """V-10, V-11, invariant 7: a job id stays on its row, whatever becomes of it; people's rows stay as they are."""
    base = base_of(made, Rules(PHOENIX))
    for each in told:
        before = dict(base.stays)
        plan = base.run(*batches_of(base, each))
        after = base.stays | {
            change.after.record_id: change.after for change in plan.changes if change.verb is Verb.RETIRE
        }
        assert set(before) <= set(after)
        assert {key: stay.job_id for key, stay in before.items()} == {key: after[key].job_id for key in before}
        assert all(after[key] == stay for key, stay in before.items() if stay.kept_by_people)
        assert all(
            after[key].service_type == "Deep Clean" for key, s in before.items() if s.service_type == "Deep Clean"
        )
        assert _retired_with_a_job(plan) == []
        give_jobs(base)


def _retired_with_a_job(plan: Plan) -> list[Stay]:
    return [change.after for change in plan.changes if change.verb is Verb.RETIRE and change.after.job_id]


@DEPTH
@given(rows(), runs)
def test_what_was_not_wholly_read_neither_counts_nor_removes(
    made: list[dict[str, object]], told: list[tuple[Said | None, ...]]
) -> None:
    """Invariant 3, V-1: only an explicit cancellation, a retirement or a merge ends a row then."""
    base = base_of(made, Rules(PHOENIX))
    for each in told:
        cut = tuple(replace(one, fully_read=False) if one else None for one in each)
        plan = base.run(*batches_of(base, cut))
        assert plan.counts.misses == 0
        ended = {c.after.change_summary.split(" into ")[0] for c in plan.changes if c.verb is Verb.REMOVE}
        assert ended <= {"Canceled at source", "Feed removed", "Merged"}
        base.run(*batches_of(base, each), hours=12)


@DEPTH
@given(rows(), runs)
def test_who_has_arrived_is_removed_only_by_an_outright_word(
    made: list[dict[str, object]], told: list[tuple[Said | None, ...]]
) -> None:
    """V-5, V-13: from the day of check-in on, absence proves nothing."""
    base = base_of(made, Rules(PHOENIX, missing_threshold=1, missing_grace=timedelta(0)))
    for each in told:
        today = base.rules.today(base.now)
        plan = base.run(*batches_of(base, each))
        for change in plan.changes:
            if change.verb is Verb.REMOVE and change.before and change.before.check_in <= today:
                assert not change.after.change_summary.startswith("Not seen")
        assert _begun_and_counted(plan, today) == []


def _begun_and_counted(plan: Plan, today: object) -> list[Stay]:
    return [
        change.after
        for change in plan.changes
        if change.before
        and change.after.live
        and change.after.check_in <= today  # type: ignore[operator]
        and change.after.missing_count > change.before.missing_count
    ]


@DEPTH
@given(rows(), runs)
def test_removals_of_one_source_beyond_the_limit_all_wait(
    made: list[dict[str, object]], told: list[tuple[Said | None, ...]]
) -> None:
    """R-69, V-7: never more than five at once of so few rows, unless their calendar was retired."""
    base = base_of(made, Rules(PHOENIX, missing_threshold=1, missing_grace=timedelta(0)))
    for number in range(14):
        base.add_row(uid=f"m{number}_{CASA}", check_in=day(20 + number), check_out=day(21 + number))
    for each in told:
        plan = base.run(*batches_of(base, each))
        counted = Counter(
            change.before.source
            for change in plan.changes
            if change.verb is Verb.REMOVE
            and change.before
            and not change.after.change_summary.startswith(("Merged", "Feed"))
        )
        assert max(counted.values(), default=0) <= 5


@pytest.mark.parametrize("source", [AIRBNB, BOOKING])
@DEPTH
@given(data=st.data())
def test_a_new_uid_for_everything_writes_nothing(source: Source, data: st.DataObject) -> None:
    """V-16, R-47: the same nights under other uids are the same stays."""
    base = PaperBase()
    shown = data.draw(st.lists(items(source), max_size=6, unique_by=_key))
    shown = [replace(each, canceled=False) for each in shown]
    base.feed(source, *shown)
    renamed = [replace(each, uid=f"new {each.uid}") for each in shown]
    assert not base.feed(source, *renamed).changes
