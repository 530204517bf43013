"""Rules and client together: what is made, moved, renamed, canceled and found again ends in nothing left to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from changeover.core.job import Gone, JobState, JobTypes
from changeover.core.job_match import Confidence, OpenStay, candidates, match
from changeover.core.job_order import copied, order
from changeover.core.job_schedule import move, unschedule, wanted_start
from changeover.core.job_sync import Context, after_unscheduling, followed
from changeover.core.job_texts import settled
from changeover.core.service_line import LineFacts, service_line
from changeover.core.service_line_merge import Outcome, Question, confirmed, merge, the_item
from changeover.core.stay import Status
from changeover.housecallpro import jobs, line_items, schedule
from plugins.job_world import NOW, PHOENIX, RULES, START, case, home, row

DAY = timedelta(days=1)


class Row:
    """A row whose job exists, with the base's part played by a value."""

    def __init__(self, bench) -> None:
        customer, person = bench.service.customer(), bench.service.employee()
        self.rules = replace(RULES, types=JobTypes(bench.service.job_type("Turnover")["id"]), employee_id=person["id"])
        self.home = home(customer_id=customer["id"], address_id=customer["addresses"][0]["id"])
        self.client = bench.client
        self.row = row()
        self.order = order(case(at=self.home, rules=self.rules))
        self.made = jobs.create(bench.client, self.order)
        self.change(job=JobState(job_id=self.made.id))
        self.read()

    def change(self, **changed: object) -> None:
        self.row = replace(self.row, **changed)

    def read(self) -> JobState:
        """What a cycle makes of the job as it is; the row has it then."""
        found = jobs.look(self.client, self.row.job_id)
        after = followed(self.row, found, Context(self.rules, self.home)).state
        self.change(job=settled(self.row.job, after, NOW, PHOENIX))
        return self.row.job

    @property
    def verdict(self) -> tuple[str, str, str]:
        state = self.read()
        assert self.read() == state  # a second look writes nothing
        return state.status, state.sync_status, state.schedule_details.rpartition(" - ")[0]


@pytest.fixture
def life(bench) -> Row:
    return Row(bench)


def test_a_new_job_is_in_step_with_its_row(life):
    assert life.verdict == ("Scheduled", "Synced", "")
    assert (life.row.job.assignee, life.row.job.scheduled) == ("Robin Example", START)
    assert life.row.job.appointment_id.startswith("appt_")


def test_a_moved_stay_is_told_and_a_click_brings_it_into_step_once(life, bench):
    """J-60, J-63."""
    life.change(custom_time="1:00 PM")
    assert life.verdict == ("Scheduled", "Wrong Time", "Airtable shows 1:00 PM but HCP shows 10:15 AM")
    start = wanted_start(life.row, life.rules)
    for expected in (True, False):
        change = move(life.row, jobs.read(bench.client, life.made.id), start, life.home, life.rules)
        assert (change is not None) is expected
        if change is not None:
            schedule.send(bench.client, life.made.id, change)
    assert life.verdict == ("Scheduled", "Synced", "")


def test_a_schedule_deleted_by_click_leaves_a_job_that_is_not_created(life, bench):
    """J-62."""
    schedule.send(bench.client, life.made.id, unschedule(life.row, jobs.read(bench.client, life.made.id)))
    life.change(job=settled(life.row.job, after_unscheduling(life.row), NOW, PHOENIX))
    before = life.row.job
    assert life.verdict[:2] == ("Unscheduled", "Not Created")
    assert life.row.job == before
    assert unschedule(life.row, jobs.read(bench.client, life.made.id)) is None


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("start", ("In Progress", "Synced", "")),
        ("complete", ("Completed", "Synced", "")),
        ("delete", ("Canceled", "Not Created", "Job deleted in HCP")),
    ],
)
def test_what_people_do_in_the_app_shows_on_the_row(life, bench, action, verdict):
    assert bench.service.act({"id": life.made.id}, action).ok
    assert life.verdict == verdict
    assert life.row.job.job_id == life.made.id


def test_a_job_canceled_by_a_person_says_when(life, bench):
    bench.service.act({"id": life.made.id}, "cancel", at="2026-03-03T16:00:00Z")
    assert life.verdict == ("Canceled", "Not Created", "Job canceled on March 3 at 9:00 AM")


def test_a_removed_stay_is_told_until_its_cleaners_stay_at_home(life, bench):
    """J-64."""
    life.change(status=Status.REMOVED)
    assert life.verdict[2] == "⚠️ Stay removed but HCP job is still scheduled for March 4 at 10:15 AM"
    schedule.delete(bench.client, life.made.id)
    assert life.verdict == ("Unscheduled", "Not Created", "")


def test_a_job_made_by_hand_is_linked_and_one_with_a_marker_is_certain(life, bench):
    """J-86, J-87."""
    stay = OpenStay.of(case(at=life.home, rules=life.rules))
    seen = jobs.between(bench.client, START - DAY, START + DAY, customer_id=life.home.customer_id)
    free = candidates(seen, taken=frozenset(), templates=frozenset())
    assert [pair.confidence for pair in match([stay], free, life.rules).pairs] == [Confidence.CERTAIN]
    unmarked = [replace(job, notes=()) for job in free]
    assert [pair.confidence for pair in match([stay], unmarked, life.rules).pairs] == [Confidence.EXACT]
    assert candidates(seen, taken=frozenset({life.made.id}), templates=frozenset()) == ()
    assert isinstance(jobs.look(bench.client, f"job_{9:032x}"), Gone)


def test_a_line_follows_the_stay_around_what_people_wrote(life, bench):
    """J-51, J-98, J-102."""
    template = bench.service.job(None, line_items=[{"name": "Clean", "unit_price": 14500}])
    lines = copied(line_items.read(bench.client, template["id"]), life.order.line)
    line_items.replace_all(bench.client, life.made.id, lines)
    state = replace(life.row.job, line=life.order.line, last_line=life.order.line, hcp_line=life.order.line)
    renamed = {"name": f"VIP! {life.order.line}"}
    assert bench.service.act({"id": life.made.id}, "rename_line_item", **renamed).ok

    facts = LineFacts.of(replace(life.row, owner_arriving=True), 14)
    for outcome in (Outcome.WRITE, Outcome.STANDS):
        item = the_item(line_items.read(bench.client, life.made.id), state.last_line)
        merged = merge(Question(state.last_line, item.name, facts))
        assert merged.outcome is outcome
        if outcome is Outcome.WRITE:
            item = line_items.rename(bench.client, life.made.id, item, merged.name)
        state = confirmed(state, merged, service_line(facts))
    assert item.name == state.hcp_line == "VIP! OWNER ARRIVING - Turnover STR Next Guest March 9"
    assert (item.unit_price, state.last_line) == (14500, state.line)
