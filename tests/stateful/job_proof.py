"""What must hold of jobs whatever happens, and after every run that nothing disturbed: in the words of the rules."""

from __future__ import annotations

import re
from abc import ABC
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from changeover_sandbox.housecallpro.model import Job
from stateful.company import PRICES, Company, Shape
from stateful.job_truth import (
    HCP_LINE,
    JOB_ID,
    LAST_LINE,
    LINE,
    NEAR,
    Place,
    Sight,
    day,
    differences,
    is_alive,
    is_an_id,
    is_live,
    is_open,
    is_read_by_a_cycle,
    job_id_of,
    line_of,
    marked,
    may_have_a_job,
    named_line,
    start_of,
)
from stateful.program import JOBS
from stateful.proof import Cells, Rows
from stateful.reports import Reports

CELLS_OF_JOBS = (
    "Service Job ID", "Service Appointment ID", "Job Creation Time", "Job Status", "Scheduled Service Time", "Assignee",
    "On My Way Time", "Job Started Time", "Job Completed Time", "Sync Status", "Schedule Sync Details",
    "Service Sync Details", "Sync Date and Time", "Service Line Description", "Last Synced Service Line",
    "HCP Service Line Current",
)  # fmt: skip
READ_ONLY = "hooks"
_WRITES_OF_A_RUN = re.compile(r"POST /jobs|PUT /jobs/job_\w+/line_items/(bulk_update|rli_\w+)")


@dataclass(frozen=True)
class Before:
    """Base and company before the program did something."""

    rows: Rows
    shapes: Mapping[str, Shape]
    mark: int
    base_mark: int
    names: Mapping[str, tuple[str, ...]]  # of the lines of each job
    making: set[str]


@dataclass
class Words:
    """What people made of a job's first line: words that must stay in it, or all that it may say."""

    inside: list[str] = field(default_factory=list)
    whole: str = ""


class JobProof(Reports, ABC):
    """The checks; who inherits them tells what people did."""

    company: Company

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.places: dict[str, Place] = {}
        self.by_hand: dict[str, dict[str, Any]] = {}  # what people have written, by row and field
        self.words: dict[str, Words] = {}  # by job
        self.filled: set[str] = set()  # job ids that people put into a row, right or wrong
        self.overwritten: set[str] = set()  # rows whose job id people have changed: their lines are of another job
        self.renewing: set[str] = set()  # rows whose dead job a button may replace, now or later
        self.unfinished: set[str] = set()  # jobs whose creation nobody remembers: their lines are left alone (J-47)
        self.pressed = ""  # the row of the click that is being done
        self.clicked: set[str] = set()  # the rows of clicks in the queue that is being worked
        self.reads_only = False  # the program works webhooks
        self.at_work = False
        self.rows_read: Rows = {}  # as the last clean run left them: what the program knows of people's words

    # -- whatever the program does -----------------------------------------------------------------------------------

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Stands around a run, a click, work on webhooks."""
        if self.at_work:
            yield
            return
        self.at_work = True
        before = self._before()
        try:
            yield
        finally:
            self.at_work = False
        rows = self.base.rows()
        self._check_what_moved(before)
        self._check_new_jobs(before, rows)
        self._check_ids(before, rows)
        self._check_lines_are_peoples(before)
        self.seen_before = before

    seen_before: Before

    def _before(self) -> Before:
        names = {job.id: tuple(line.name for line in job.lines) for job in self.company.jobs.values()}
        return Before(
            self.base.rows(),
            self.company.shapes(),
            self.company.mark(),
            self.base.mark(),
            names,
            self.program.being_made(),
        )

    def _check_what_moved(self, before: Before) -> None:
        """J-57, J-63, J-77: a press on its row alone changes a job's state, time or people; webhooks write nothing."""
        writes = self.company.writes(before.mark)
        waiting = set() if self.reads_only else {self.pressed, *self.clicked} - {""}
        may_move = {job_id_of(before.rows[each]) for each in waiting if each in before.rows}
        for job_id, shape in self.company.shapes().items():
            known = before.shapes.get(job_id)
            assert known is None or known == shape or job_id in may_move, ("moved without a press", known, shape)
        if not waiting:
            said = [f"{each.method} {each.path}" for each in writes]
            wrong = [each for each in said if self.reads_only or not _WRITES_OF_A_RUN.fullmatch(each)]
            assert not wrong, wrong

    def _check_new_jobs(self, before: Before, rows: Rows) -> None:
        """One alive job per row's marker, and each was due when it was made (J-30, J-47 … J-58)."""
        alive = Counter(each for job in self._ours(rows) for each in marked(job) - self.overwritten)
        assert all(number == 1 for number in alive.values()), ("two jobs of one stay", alive.most_common(3))
        for job_id, job in self.company.work.items():
            if job_id in before.shapes:
                continue
            (record_id,) = marked(job)
            self.statistics["jobs made"] += 1
            assert not self._beside(job, rows), ("made beside its own", job)
            assert not self.reads_only, "made by a webhook"
            looks = [each[record_id] for each in (before.rows, rows) if record_id in each]
            by_itself = record_id not in {self.pressed, *self.clicked} | self.renewing
            place = self._place(looks[-1])
            due = any(may_have_a_job(each, place, self.today, by_itself=by_itself) for each in looks)
            assert due or record_id in before.making, ("made although not due", looks)
            had = job_id_of(before.rows.get(record_id, {}))
            assert not had or record_id in self.renewing, ("replaced", had, job_id)
            assert not had or not is_alive(self.company.jobs.get(had)), ("replaced an alive job", had)

    def _ours(self, rows: Rows) -> list[Job]:
        """Alive jobs that we made and no person has given to another row."""
        on = {job_id_of(cells): record_id for record_id, cells in rows.items()}
        alive = (job for job in self.company.work.values() if is_alive(job) and marked(job))
        return [job for job in alive if on.get(job.id) in (None, *marked(job))]

    def _beside(self, job: Job, rows: Rows) -> list[Job]:
        """Others of the same marker that a look finds (J-47): from the day before its start to the day after."""
        alike = [each for each in self._ours(rows) if each is not job and marked(each) == marked(job)]
        assert job.start is not None
        days = [day(job.start) + timedelta(days=number) for number in (-1, 0, 1)]
        return [each for each in alike if each.start is not None and day(each.start) in days]

    def _check_ids(self, before: Before, rows: Rows) -> None:
        """An id once on a row stays, but for a person's press on a dead one (J-57, J-62)."""
        for record_id, cells in rows.items():
            had, has = job_id_of(before.rows.get(record_id, {})), job_id_of(cells)
            if had == has or record_id not in before.rows:
                continue
            assert not had or record_id in self.renewing, ("the row's job was changed", had, has)
            assert not had or not is_alive(self.company.jobs.get(had)), ("an alive job was replaced", had, has)
            if has not in self.company.jobs:
                raise AssertionError(("a job of nowhere", had, has))
            job = self.company.jobs[has]
            if record_id not in marked(job) and has not in {job_id_of(each) for each in before.rows.values()}:
                self._check_linked(job, cells)
            if had:
                self.statistics["jobs renewed"] += 1
                self.replace_in_the_twin_house(had, has)
                self.renewing.discard(record_id)
        self.learn(rows)

    def _check_linked(self, job: Job, cells: Cells) -> None:
        """J-87: the same customer and address, an hour apart at most."""
        place, start = self._place(cells), start_of(cells)
        assert place is not None
        assert (job.customer_id, job.address_id) == (place.customer_id, place.address_id), (job, cells)
        assert start is not None
        assert job.visits, job
        assert abs(min(visit.start for visit in job.visits) - start) <= NEAR, (job, cells)
        self.statistics["jobs linked"] += 1

    def _check_lines_are_peoples(self, before: Before) -> None:
        """J-96 … J-103: people's words in a first line stay, but where they ask for ours over an empty base (J-99)."""
        asked = [before.rows[each] for each in {self.pressed, *self.clicked} & before.rows.keys()]
        over = {job_id_of(cells) for cells in asked if not cells.get(LAST_LINE)}
        for job_id, words in list(self.words.items()):
            job = self.company.jobs[job_id]
            if job_id in over and tuple(line.name for line in job.lines) != before.names.get(job_id):
                del self.words[job_id]
                continue
            names = [line.name for line in job.lines]
            assert not words.whole or words.whole in names, ("a person's line was replaced", words, names)
            assert all(any(each in name for name in names) for each in words.inside), ("words were lost", words, names)

    # -- after any step ----------------------------------------------------------------------------------------------

    def check_always(self, rows: Rows) -> None:
        super().check_always(rows)
        for record_id, said in self.by_hand.items():
            if record_id in rows:
                now = {name: rows[record_id].get(name) for name in said}
                assert now == said, ("a person's word was lost", record_id, now, said)

    def on_two_rows(self, live: Iterable[Cells]) -> list[str]:
        """J-5: but where a person has filled it in."""
        return [each for each in super().on_two_rows(live) if each not in self.filled]

    def nobodys_business(self, cells: Cells) -> bool:
        """What a row says of a job that others may carry hangs on them too (J-5)."""
        return job_id_of(cells) in self.filled - {""}

    # -- after a run that nothing disturbed --------------------------------------------------------------------------

    def check_jobs(self, rows: Rows, result: Any) -> None:
        """What a clean run leaves: J-30, J-59 … J-69, J-94 … J-103, and what it must not have written (J-1)."""
        if not self.has_jobs:
            return
        before = self.seen_before
        states = {each.name: str(each.state) for each in result.automations if each.name in JOBS}
        self._check_equal_values(before)
        assert self.program.being_made() == set()
        served = self._served(rows)
        for record_id, cells in rows.items():
            if cells.get("Status") == "Old":
                continue
            self._check_due(rows, record_id)
            job_id = job_id_of(cells)
            if is_an_id(job_id) and (served.get(job_id) == record_id or (not is_live(cells) and job_id not in served)):
                self._check_sight(before.rows.get(record_id, cells), cells)  # one made again has what it had
            if job_id and served.get(job_id) == record_id and record_id not in self.overwritten:
                self._check_line(cells)
        self._check_fresh(before, rows)
        self.rows_read = rows
        wrong = any(job_id_of(cells) and not is_an_id(job_id_of(cells)) for cells in rows.values())
        assert wrong or set(states.values()) <= {"succeeded", "partial"}, states

    def _served(self, rows: Rows) -> dict[str, str]:
        """By job the live row that is served: the one last modified (J-5)."""
        found: dict[str, str] = {}
        live = {key: cells for key, cells in rows.items() if is_live(cells) and job_id_of(cells)}
        for record_id in sorted(live, key=lambda key: (live[key].get("Last Updated", ""), key)):
            found[job_id_of(live[record_id])] = record_id
        return found

    def _place(self, cells: Cells) -> Place | None:
        return self.places.get(next(iter(cells.get("Property ID", ())), ""))

    def _check_due(self, rows: Rows, record_id: str) -> None:
        """J-30, J-90: a row that is due has a job, unless one that may be its own is to be had."""
        cells = rows[record_id]
        place, start = self._place(cells), start_of(cells)
        if job_id_of(cells) or not may_have_a_job(cells, place, self.today, by_itself=True):
            return
        assert place is not None
        assert start is not None
        taken = {job_id_of(each) for each in rows.values()}
        maybe = [
            job
            for job in self.company.work.values()
            if is_alive(job)
            and job.id not in taken
            and (job.customer_id, job.address_id) == (place.customer_id, place.address_id)
            and any(day(visit.start) == day(start) or abs(visit.start - start) <= NEAR for visit in job.visits)
        ]
        assert maybe, ("no job was made", record_id, cells)
        self.statistics["rows held for a person"] += 1

    def _check_sight(self, before: Cells, cells: Cells) -> None:
        """J-59 … J-69: the row says what its job is; what nobody reads any more stays as it was (JX-36)."""
        job = self.company.jobs.get(job_id_of(cells))
        if job_id_of(cells) in self.filled and any(g.row and g.row.deleted_at for g in self.truth.guests):
            return  # nobody knows yet that the other row of this job is gone
        if job_id_of(before) == job_id_of(cells) and not is_read_by_a_cycle(job, before):
            assert cells.get("Job Status") == before.get("Job Status"), (before, cells)
            return
        self.check_row(before, cells)

    def check_row(self, before: Cells, cells: Cells, *, but: Collection[str] = ()) -> None:
        """One row against its job, but for these cells."""
        job = self.company.jobs.get(job_id_of(cells))
        wrong = differences(Sight(before, cells, job, self._place(cells), self.company.names))
        wrong = {name: both for name, both in wrong.items() if name not in but}
        assert not wrong, (wrong, job, cells)
        self.statistics["rows compared with their jobs"] += 1

    def _check_line(self, cells: Cells) -> None:
        """J-94 … J-103, J-51: the lines of a job that we made are whole, and the first one says what it should."""
        job = self.company.jobs.get(job_id_of(cells))
        if job is None or not is_open(job) or job.id in self.unfinished | self.filled:
            return
        ours, words = line_of(cells), self.words.get(job.id)
        item = named_line(job, str(cells.get(LAST_LINE, "")))
        if marked(job):
            prices = [line.unit_price for line in sorted(job.lines, key=lambda line: line.order_index)]
            assert prices == PRICES, ("the template's lines are not whole", job)
        if not marked(job) or (words is not None and words.whole):
            return
        assert item is not None
        assert cells.get(LINE) == ours, (cells.get(LINE), ours, job, cells)
        assert ours in item.name if words else ours == item.name, (ours, job, cells)
        assert words or cells.get(HCP_LINE) == cells.get(LAST_LINE) == ours, cells
        self.statistics["lines compared"] += 1

    def _check_fresh(self, before: Before, rows: Rows) -> None:
        """J-11, J-49: a job that this run made starts when its row says."""
        for record_id, cells in rows.items():
            job = self.company.jobs.get(job_id_of(cells))
            if job is None or job.id in before.shapes or record_id in before.making or before.making:
                continue
            assert job.start == start_of(cells), (job, cells)

    def _check_equal_values(self, before: Before) -> None:
        """J-1: no cell of jobs is written with what it says already."""
        cells = {record_id: dict(each) for record_id, each in before.rows.items()}
        for call in self.base.calls(before.base_mark):
            if call["method"] != "PATCH" or not call["path"].endswith("/Reservations") or call["status"] != 200:
                continue
            for record in call["body"]["records"]:
                known = cells.setdefault(record["id"], {})
                same = [
                    name
                    for name, value in record["fields"].items()
                    if name in CELLS_OF_JOBS and record["id"] in before.rows and (value or "") == known.get(name, "")
                ]
                assert not same, ("an equal value was written", same, record)
                known.update({name: value or "" for name, value in record["fields"].items()})

    def learn(self, rows: Rows) -> None:
        """Which jobs the rows have now, as that was right."""
        for guest in self.truth.guests:
            row = guest.row
            if row is not None and row.record_id in rows and row.deleted_at is None:
                row.job = str(rows[row.record_id].get(JOB_ID, ""))

    def replace_in_the_twin_house(self, had: str, has: str) -> None:
        """A job of the twin house is another now, and the first one may be forgotten."""
        if had in self.twin_jobs:
            self.twin_jobs = (self.twin_jobs - {had}) | ({has} - {""})
