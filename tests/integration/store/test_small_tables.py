from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from changeover.core.plan import Alert, Change, Level, Plan, Verb
from changeover.core.recollection import Seen
from changeover.core.stay import Decision, EntryType, Hold, HoldReason, Kind, Sighting, Status, Stay
from changeover.store import alerts, facts, flags, holds, plans, runs, sightings, written_types
from changeover.store.alerts import Raised
from changeover.store.database import Database
from changeover.store.flags import Flag
from changeover.store.run_ids import ALPHABET, new_run_id
from changeover.store.runs import Ending, Run, RunState, Trigger
from changeover.store.written_types import WrittenTypes

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
SEEN = Sighting(
    source="recFeedCasaVerde1",
    record_id="recStay0000000001",
    uids=("new@example", "old@example"),
    check_in=date(2026, 4, 1),
    check_out=date(2026, 4, 5),
    kind=Kind.OWNER_STAY,
    entry_source="Airbnb",
    block_type="Owner Stay",
    misses=2,
    missing_since=NOW - timedelta(hours=8),
    last_seen=NOW - timedelta(hours=9),
    gone=True,
    next_is_owner=True,
)
HOLD = Hold("recFeedCasaVerde1", "recStay0000000001", "recPropertyCasa01", date(2026, 4, 1), date(2026, 4, 5), NOW)
RUN = Run(
    id="run-0000",
    cycle="run-cycle",
    env="dev",
    automation="ICS Calendar",
    trigger=Trigger.CRON,
    state=RunState.RUNNING,
    started_at=NOW,
    version="0.1.0",
    host="box",
    pid=4711,
    token=3,
)
STAY = Stay(
    record_id="key",
    uid="a@example",
    source="recFeedCasaVerde1",
    url="https://feeds.example/casa",
    property_id="recPropertyCasa01",
    check_in=date(2026, 4, 1),
    check_out=date(2026, 4, 5),
    entry_type=EntryType.RESERVATION,
    status=Status.NEW,
    entry_source="Airbnb",
    created=NOW,
)


class TestSightings:
    def test_counters_stored_in_one_run_are_there_in_the_next(self, database: Database) -> None:
        """V-3: the counters were never loaded and so always 0."""
        with database.begin() as connection:
            assert sightings.save(connection, [SEEN]) == 1
        with database.begin() as connection:
            (loaded,) = sightings.load_all(connection)
            assert loaded == SEEN
            sightings.save(connection, [replace(loaded, misses=loaded.misses + 1)])
        with database.read() as connection:
            assert [each.misses for each in sightings.load_all(connection)] == [3]

    def test_they_come_in_one_order_whatever_the_order_they_were_stored_in(self, database: Database) -> None:
        several = [replace(SEEN, source=source, record_id=record) for source in "ab" for record in ("rec1", "rec2")]
        with database.begin() as connection:
            sightings.save(connection, reversed(several))
        with database.read() as connection:
            assert list(sightings.load_all(connection)) == several

    def test_what_a_source_shows_again_moves_without_what_it_had_lost_before(self, database: Database) -> None:
        shown = [replace(SEEN, source=source, last_seen=NOW) for source in ("a", "b", "csv_itrip")]
        lost = replace(SEEN, source="a", record_id="recLost")
        later = NOW + timedelta(hours=4)
        with database.begin() as connection:
            sightings.save(connection, [*shown, lost])
            assert sightings.see_again(connection, [Seen("a", NOW, later), Seen("b", NOW, later)]) == 2
        with database.read() as connection:
            moments = {(each.source, each.record_id): each.last_seen for each in sightings.load_all(connection)}
        row = SEEN.record_id
        assert moments == {
            ("a", row): later,
            ("b", row): later,
            ("csv_itrip", row): NOW,
            ("a", "recLost"): lost.last_seen,
        }

    def test_forgetting_drops_the_named_pairs_only(self, database: Database) -> None:
        other = replace(SEEN, source="csv_itrip")
        with database.begin() as connection:
            sightings.save(connection, [SEEN, other])
            sightings.forget(connection, [(SEEN.source, SEEN.record_id), ("nobody", "rec")])
            assert sightings.load_all(connection) == (other,)

    def test_a_receipt_gives_a_created_row_its_id_in_every_source_that_showed_it(self, database: Database) -> None:
        pair = [replace(SEEN, record_id="key"), replace(SEEN, source="csv_itrip", record_id="key")]
        with database.begin() as connection:
            sightings.save(connection, pair)
            assert sightings.rename(connection, "key", "recNew") == 2
            assert {each.record_id for each in sightings.load_all(connection)} == {"recNew"}
            assert sightings.rename(connection, "key", "recNew") == 0

    def test_the_creates_sighting_replaces_an_older_one_of_an_adopted_row_but_no_other_sources(
        self, database: Database
    ) -> None:
        adopted = replace(SEEN, record_id="recNew", misses=9)
        elsewhere = replace(adopted, source="csv_itrip")
        with database.begin() as connection:
            sightings.save(connection, [replace(SEEN, record_id="key"), adopted, elsewhere])
            sightings.rename(connection, "key", "recNew")
            assert {(each.source, each.misses) for each in sightings.load_all(connection)} == {
                (SEEN.source, SEEN.misses),
                ("csv_itrip", 9),
            }

    def test_more_rows_than_a_chunk_and_than_any_limit_on_parameters_are_stored(self, database: Database) -> None:
        many = [replace(SEEN, record_id=f"rec{number:06}") for number in range(12_000)]
        with database.begin() as connection:
            assert sightings.save(connection, many) == 12_000
            assert sightings.save(connection, [replace(each, misses=0) for each in many]) == 12_000
        with database.read() as connection:
            loaded = sightings.load_all(connection)
        assert len(loaded) == 12_000
        assert {each.misses for each in loaded} == {0}
        with database.begin() as connection:
            assert sightings.forget(connection, ((each.source, each.record_id) for each in many)) == 12_000
            assert sightings.load_all(connection) == ()


class TestWrittenTypes:
    def test_they_are_remembered_replaced_and_forgotten(self, database: Database) -> None:
        with database.begin() as connection:
            written_types.save(connection, [WrittenTypes("rec1", "Turnover", ""), WrittenTypes("rec2", "Turnover", "")])
            written_types.save(connection, [WrittenTypes("rec1", "Needs Review", "Unknown")])
            written_types.forget(connection, ["rec2", "nobody"])
            assert written_types.load_all(connection) == {"rec1": WrittenTypes("rec1", "Needs Review", "Unknown")}

    def test_a_receipt_moves_them_to_the_row_over_what_it_had(self, database: Database) -> None:
        with database.begin() as connection:
            written_types.save(connection, [WrittenTypes("key", "Turnover", ""), WrittenTypes("recNew", "Old", "")])
            assert written_types.rename(connection, "key", "recNew")
            assert not written_types.rename(connection, "key", "recNew")
            assert written_types.load_all(connection) == {"recNew": WrittenTypes("recNew", "Turnover", "")}


class TestHolds:
    def test_the_list_of_the_plan_replaces_the_stored_one(self, database: Database) -> None:
        other = replace(HOLD, source="csv_itrip", reason=HoldReason.DUPLICATE)
        with database.begin() as connection:
            holds.replace_all(connection, [HOLD])
            holds.replace_all(connection, [other])
            assert [held.hold for held in holds.load_all(connection)] == [other]

    def test_an_id_names_the_same_removal_for_as_long_as_it_waits(self, database: Database) -> None:
        with database.begin() as connection:
            holds.replace_all(connection, [HOLD])
            (first,) = holds.load_all(connection)
            holds.replace_all(connection, [replace(HOLD, since=NOW + timedelta(days=1))])
            (second,) = holds.load_all(connection)
        assert first.id == second.id == holds.hold_id(HOLD.source, HOLD.record_id)

    def test_a_person_decides_by_id_and_is_told_of_ids_nobody_knows(self, database: Database) -> None:
        other = replace(HOLD, source="csv_itrip")
        held_id = holds.hold_id(HOLD.source, HOLD.record_id)
        with database.begin() as connection:
            holds.replace_all(connection, [HOLD, other])
            decided = holds.decide(connection, [held_id, "held-nobody", held_id], Decision.APPROVED)
            after = {held.hold.source: held.hold.decision for held in holds.load_all(connection)}
        assert [held.hold.decision for held in decided.held] == [Decision.APPROVED]
        assert decided.unknown == ("held-nobody",)
        assert after == {HOLD.source: Decision.APPROVED, "csv_itrip": Decision.WAITING}

    def test_all_can_be_decided_at_once(self, database: Database) -> None:
        with database.begin() as connection:
            holds.replace_all(connection, [HOLD, replace(HOLD, source="csv_itrip")])
            decided = holds.decide(connection, None, Decision.REJECTED)
            assert len(decided.held) == 2
            assert {held.hold.decision for held in holds.load_all(connection)} == {Decision.REJECTED}

    def test_a_decision_made_while_a_run_was_planning_is_not_lost(self, database: Database) -> None:
        with database.begin() as connection:
            holds.replace_all(connection, [HOLD])
            holds.decide(connection, None, Decision.APPROVED)
            holds.replace_all(connection, [HOLD])
            assert [held.hold.decision for held in holds.load_all(connection)] == [Decision.APPROVED]

    def test_a_decision_about_other_nights_does_not_count(self, database: Database) -> None:
        with database.begin() as connection:
            holds.replace_all(connection, [HOLD])
            holds.decide(connection, None, Decision.APPROVED)
            holds.replace_all(connection, [replace(HOLD, check_out=date(2026, 4, 9))])
            assert [held.hold.decision for held in holds.load_all(connection)] == [Decision.WAITING]

    def test_the_plans_own_decision_stands(self, database: Database) -> None:
        with database.begin() as connection:
            holds.replace_all(connection, [HOLD])
            holds.decide(connection, None, Decision.APPROVED)
            holds.replace_all(connection, [replace(HOLD, decision=Decision.REJECTED)])
            assert [held.hold.decision for held in holds.load_all(connection)] == [Decision.REJECTED]

    def test_a_receipt_renames_a_hold_too(self, database: Database) -> None:
        with database.begin() as connection:
            holds.replace_all(connection, [replace(HOLD, record_id="key"), replace(HOLD, record_id="recNew")])
            assert holds.rename(connection, "key", "recNew") == 1
            assert holds.rename(connection, "key", "recNew") == 0
            assert [held.hold.record_id for held in holds.load_all(connection)] == ["recNew"]


class TestRuns:
    def test_every_run_keeps_its_own_record(self, database: Database) -> None:
        """Z-13: the one row of the control table was overwritten by each run and was the only history."""
        ending = Ending(
            RunState.PARTIAL, NOW + timedelta(seconds=41), {"feeds": {"ok": 2}}, "timeout", "2 feeds failed"
        )
        with database.begin() as connection:
            for number in range(3):
                runs.add(connection, replace(RUN, id=f"run-{number}", started_at=NOW + timedelta(minutes=number)))
            assert runs.finish(connection, "run-1", ending)
            assert [run.id for run in runs.recent(connection, limit=2)] == ["run-2", "run-1"]
            found = runs.show(connection, "run-1")
        assert found is not None
        assert (found.state, found.ended_at, found.counters) == (ending.state, ending.ended_at, ending.counters)
        assert (found.error_code, found.error_text, found.trigger) == ("timeout", "2 feeds failed", Trigger.CRON)

    def test_an_id_is_given_once(self, database: Database) -> None:
        with database.begin() as connection:
            runs.add(connection, RUN)
        with pytest.raises(IntegrityError), database.begin() as connection:
            runs.add(connection, RUN)

    def test_an_ending_is_final(self, database: Database) -> None:
        with database.begin() as connection:
            runs.add(connection, RUN)
            assert runs.finish(connection, RUN.id, Ending(RunState.TIMED_OUT, NOW))
            assert not runs.finish(connection, RUN.id, Ending(RunState.SUCCEEDED, NOW))
            assert not runs.finish(connection, "run-nobody", Ending(RunState.SUCCEEDED, NOW))
            found = runs.show(connection, RUN.id)
        assert found is not None
        assert found.state is RunState.TIMED_OUT

    def test_an_unknown_run_is_none(self, database: Database) -> None:
        with database.read() as connection:
            assert runs.show(connection, "run-nobody") is None

    def test_runs_are_found_by_cycle_and_by_automation(self, database: Database) -> None:
        with database.begin() as connection:
            runs.add(connection, RUN)
            runs.add(connection, replace(RUN, id="run-b", automation="CSV Files"))
            runs.add(connection, replace(RUN, id="run-c", cycle="run-other"))
            assert [run.id for run in runs.of_cycle(connection, "run-cycle")] == ["run-0000", "run-b"]
            assert [run.id for run in runs.recent(connection, automation="CSV Files")] == ["run-b"]

    def test_what_still_runs_under_an_older_lease_was_interrupted(self, database: Database) -> None:
        with database.begin() as connection:
            runs.add(connection, RUN)
            runs.add(connection, replace(RUN, id="run-mine", token=4))
            runs.add(connection, replace(RUN, id="run-mail", token=0, trigger=Trigger.MAIL))
            runs.add(connection, replace(RUN, id="run-done", state=RunState.SUCCEEDED))
            orphans = runs.interrupt_orphans(connection, 4, NOW + timedelta(hours=4))
            again = runs.interrupt_orphans(connection, 4, NOW + timedelta(hours=4))
        assert [(run.id, run.state, run.error_code) for run in orphans] == [
            (RUN.id, RunState.INTERRUPTED, "interrupted")
        ]
        assert orphans[0].ended_at == NOW + timedelta(hours=4)
        assert again == ()

    def test_records_are_kept_400_days_with_their_plans(self, database: Database) -> None:
        old = NOW - timedelta(days=401)
        with database.begin() as connection:
            runs.add(connection, replace(RUN, id="run-old", started_at=old))
            runs.add(connection, RUN)
            plans.save(connection, "run-old", Plan(now=old), old)
            plans.save(connection, RUN.id, Plan(now=NOW), NOW)
            assert runs.prune(connection, NOW) == 1
            assert [run.id for run in runs.recent(connection)] == [RUN.id]
            assert plans.show(connection, "run-old") is None
            assert plans.show(connection, RUN.id) is not None

    @pytest.mark.parametrize(
        ("state", "carried_out"),
        [
            (RunState.SUCCEEDED, True),
            (RunState.INTERRUPTED, True),
            (RunState.DISABLED, False),
            (RunState.LOCKED, False),
        ],
    )
    def test_only_runs_carried_out_set_the_last_ran_time(self, state: RunState, carried_out: bool) -> None:
        assert state.carried_out is carried_out

    def test_run_ids_sort_by_time_and_are_never_equal(self) -> None:
        ids = [new_run_id(NOW + timedelta(microseconds=number)) for number in range(50)]
        assert ids == sorted(ids)
        assert len({new_run_id(NOW) for _ in range(1000)}) == 1000
        assert all(len(each) == 24 and each.startswith("run-") and set(each[4:]) <= set(ALPHABET) for each in ids)


class TestPlans:
    def test_a_plan_is_kept_as_it_was_printed(self, database: Database) -> None:
        plan = Plan(now=NOW, changes=(Change(Verb.NEW, None, STAY),), holds=(HOLD,))
        with database.begin() as connection:
            plans.save(connection, RUN.id, Plan(now=NOW), NOW)
            plans.save(connection, RUN.id, plan, NOW)
            stored = plans.show(connection, RUN.id)
        assert stored == plans.StoredPlan(RUN.id, NOW, plan.to_json())


class TestAlerts:
    ALERT = Alert("feed_failing", "recFeedCasaVerde1", Level.WARNING, "3 fetches failed")
    KEY = "dev:feed_failing:recFeedCasaVerde1"

    def test_one_alert_is_open_per_key_and_a_repetition_only_counts(self, database: Database) -> None:
        """Z-36: alarms were written again and again, for ever."""
        with database.begin() as connection:
            assert alerts.open_or_repeat(connection, "dev", self.ALERT, NOW, "run-1") is Raised.OPENED
            later = NOW + timedelta(hours=4)
            assert alerts.open_or_repeat(connection, "dev", self.ALERT, later, "run-2") is Raised.REPEATED
            (standing,) = alerts.standing(connection)
        assert (standing.key, standing.count, standing.opened_at) == (self.KEY, 2, NOW)
        assert (standing.last_at, standing.run_id) == (later, "run-2")

    def test_a_rise_of_level_is_told_and_a_fall_is_not(self, database: Database) -> None:
        error = replace(self.ALERT, level=Level.ERROR)
        with database.begin() as connection:
            alerts.open_or_repeat(connection, "dev", self.ALERT, NOW)
            assert alerts.open_or_repeat(connection, "dev", error, NOW) is Raised.RISEN
            assert alerts.open_or_repeat(connection, "dev", self.ALERT, NOW) is Raised.REPEATED
            (standing,) = alerts.standing(connection)
        assert standing.level is Level.ERROR

    def test_a_resolved_alert_opens_anew(self, database: Database) -> None:
        with database.begin() as connection:
            alerts.open_or_repeat(connection, "dev", self.ALERT, NOW)
            assert alerts.resolve(connection, self.KEY, NOW + timedelta(hours=1))
            assert not alerts.resolve(connection, self.KEY, NOW + timedelta(hours=2))
            assert alerts.standing(connection) == ()
            again = NOW + timedelta(hours=3)
            assert alerts.open_or_repeat(connection, "dev", self.ALERT, again) is Raised.OPENED
            (standing,) = alerts.standing(connection)
        assert (standing.count, standing.opened_at, standing.resolved_at) == (1, again, None)

    def test_what_a_run_looked_at_and_did_not_raise_is_over(self, database: Database) -> None:
        second = replace(self.ALERT, subject="recFeedOther00001")
        disk = Alert("disk", "/data", Level.CRITICAL, "under the floor")
        with database.begin() as connection:
            for alert in (self.ALERT, second, disk):
                alerts.open_or_repeat(connection, "dev", alert, NOW)
            gone = alerts.resolve_others(connection, "dev", ["feed_failing"], [self.KEY], NOW)
            assert gone == ("dev:feed_failing:recFeedOther00001",)
            assert {each.rule for each in alerts.standing(connection)} == {"feed_failing", "disk"}

    def test_an_unknown_key_is_none(self, database: Database) -> None:
        with database.read() as connection:
            assert alerts.show(connection, self.KEY) is None


class TestFactsAndFlags:
    def test_a_fact_is_replaced_and_forgotten(self, database: Database) -> None:
        with database.begin() as connection:
            facts.put(connection, "daily", ["2026-03-03"], NOW - timedelta(days=1))
            facts.put(connection, "daily", None, NOW)
            assert facts.read(connection, "daily") == facts.Fact("daily", None, NOW)
            assert facts.forget(connection, "daily")
            assert not facts.forget(connection, "daily")

    def test_the_switches_last_read_replace_those_before(self, database: Database) -> None:
        flag = Flag("ICS Calendar", "recAutomation0001", True, 1, NOW)
        with database.begin() as connection:
            flags.replace_all(connection, [flag, Flag("Evolve", None, False, 2, NOW)])
            flags.replace_all(connection, [flag])
            assert flags.load_all(connection) == (flag,)
