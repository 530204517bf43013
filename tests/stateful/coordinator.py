"""What the coordinator does with jobs: ticks, times, words, ids in the base, and the four buttons."""

from __future__ import annotations

from abc import ABC
from datetime import date, timedelta
from typing import Any, Self

from changeover_sandbox.housecallpro.model import Job
from stateful.job_proof import JobProof
from stateful.job_truth import (
    JOB_ID,
    LAST_LINE,
    Place,
    is_alive,
    is_live,
    is_open,
    job_id_of,
    line_of,
    marked,
    may_have_a_job,
    named_line,
    start_of,
    visit_of,
)
from stateful.model import Row
from stateful.mortal import Fate
from stateful.proof import Cells, Rows
from stateful.steps import PICK, among, between, either, step

PRESSES = ("create-job", "create-job", "update-schedule", "delete-schedule", "update-service-line")
WAYS = among("once", "once", "once", "queued", "queued", "twice", "dies", "dies", "lost", "storm")
REFUSALS = {
    "not_found", "not_eligible", "no_service_time", "no_property", "no_hcp_customer", "no_hcp_address", "no_template",
    "address_mismatch", "multi_visit",
}  # fmt: skip
TIMES = ("On My Way Time", "Job Started Time", "Job Completed Time")
WRITTEN = {"Sync Status": "", "Schedule Sync Details": ""}  # what a written schedule makes of earlier failures (J-68)


def jobs(self: Any) -> bool:
    """Whether a company does the jobs of this life."""
    return bool(self.has_jobs)


class Coordinator(JobProof, ABC):
    """Steps of whoever works with the base, in lives in which a company does the jobs."""

    def __enter__(self) -> Self:
        super().__enter__()
        if self.has_jobs:
            self._move_in()
            self.program.watch = self.watched
        return self

    def _move_in(self) -> None:
        """Every house gets an address at a customer's, and templates; one has none for laundry."""
        for name in ("Job Reconciliation", "Add Service Jobs", "Sync Service Jobs", "Update Service Lines"):
            self.base.add("Automation", {"Name": name, "Active": True})
        houses = [*self.houses, *sorted(self.apart)]
        customer, addresses = self.company.customer(*(f"{number} Example Rd" for number in range(len(houses))))
        owner = self.base.add("Customers", {"Full Name": "Casey Example", "HCP Customer ID": customer})
        for house, address in zip(houses, addresses, strict=True):
            place = Place(customer, address)
            kinds = ("turnover", "inspection") if house == houses[1] else ("turnover", "inspection", "laundry")
            self.places[house] = Place(customer, address, {kind: self.company.template(place) for kind in kinds})
            fields = {
                {"laundry": "Return Laundry"}.get(kind, kind.title()) + " Job Template ID": template
                for kind, template in self.places[house].templates.items()
            }
            linked = {"HCP Customer ID": owner, "HCP Address ID": address}
            self.base.edit("Properties", house, linked | fields)
        self.company.mail.clear()

    # -- rows --------------------------------------------------------------------------------------------------------

    def _owner(self, record_id: str) -> Row | None:
        rows = (guest.row for guest in self.truth.guests if guest.row is not None)
        return next((row for row in rows if row.record_id == record_id), None)

    def _rows_at_hand(self) -> Rows:
        """The live rows of houses with a place whose stay is not long over, as far as the truth knows them."""
        since = (self.today - timedelta(days=1)).isoformat()
        rows = {
            key: cells
            for key, cells in self.base.rows().items()
            if is_live(cells) and cells["Check-out Date"] >= since and self._place(cells)
        }
        return {key: rows[key] for key in sorted(rows) if self._is_apart(rows[key]) or self._owner(key)}

    def _row(self, pick: int, *, having: bool | None = None) -> tuple[str, Cells] | None:
        """A row; one with a job or without if that is wanted and there is one."""
        rows = self._rows_at_hand()
        fit = [each for each in rows if having is None or bool(job_id_of(rows[each])) is having] or list(rows)
        return (fit[pick % len(fit)], rows[fit[pick % len(fit)]]) if fit else None

    def _due(self, pick: int) -> tuple[str, Cells] | None:
        """A row that may get a job, if there is one."""
        rows = self._rows_at_hand()
        may = [
            key
            for key, cells in rows.items()
            if not job_id_of(cells) and may_have_a_job(cells, self._place(cells), self.today, by_itself=False)
        ]
        return (may[pick % len(may)], rows[may[pick % len(may)]]) if may else self._row(pick)

    def _write(self, record_id: str, field: str, value: Any) -> None:
        """A person writes into a row, and it is known that nobody else may change it."""
        row = self._owner(record_id)
        if row is not None:
            match field:
                case "Custom Service Time" | "Custom Service Line Instructions":
                    row.human[field] = value
                    if value is None:
                        del row.human[field]
                case "Service Type":
                    row.service = value
                case "Service Job ID":
                    row.job = value or ""
        if field == "Ready for Job" or (row is None and field.startswith("Custom ")):
            self.by_hand.setdefault(record_id, {})[field] = value
        self.was_settled_before = False
        self.base.edit("Reservations", record_id, {field: value})

    # -- the coordinator ---------------------------------------------------------------------------------------------

    @step(6, when=jobs, pick=PICK, number=among(1, 3, 9))
    def tick(self, pick: int, number: int) -> None:
        rows = list(self._rows_at_hand())
        for place in range(min(number, len(rows))):
            self._write(rows[(pick + place) % len(rows)], "Ready for Job", True)

    @step(1, when=jobs, pick=PICK)
    def untick(self, pick: int) -> None:
        if found := self._row(pick):
            self._write(found[0], "Ready for Job", None)

    @step(3, when=jobs, pick=PICK, words=among(None, "11:30", "08:45", "2:15 PM", "soon"), days=among(None, -1, 0, 1))
    def choose_a_time(self, pick: int, words: str | None, days: int | None) -> None:
        """A clock's time, on a day of its own or not (J-12); `soon` nobody understands."""
        if not (found := self._row(pick)):
            return
        if words in ("11:30", "08:45") and days is not None:
            words = f"{date.fromisoformat(found[1]['Check-out Date']) + timedelta(days=days)} {words}"
        self._write(found[0], "Custom Service Time", words)

    @step(3, when=jobs, pick=PICK, words=among(None, "Check hot tub", "Gate\tcode\n4711", "Zwölf Handtücher 🛁"))
    def say_what_to_look_at(self, pick: int, words: str | None) -> None:
        if found := self._row(pick):
            self._write(found[0], "Custom Service Line Instructions", words)

    @step(3, when=jobs, pick=PICK, word=among("Turnover", "Return Laundry", "Inspection", "Deep Clean", "No Service"))
    def choose_the_service_of_any_row(self, pick: int, word: str) -> None:
        if found := self._row(pick):
            self._write(found[0], "Service Type", word)

    @step(3, when=jobs, pick=PICK, what=among("none", "none", "nobody's", "no id", "free", "another row's"), other=PICK)
    def fill_in_a_job(self, pick: int, what: str, other: int) -> None:
        """Its own, another one, a wrong one, or none at all."""
        found = self._row(pick)
        if not found:
            return
        taken = {job_id_of(cells) for cells in self.base.rows().values()}
        free = sorted(job_id for job_id in self.company.work if job_id not in taken)
        given = sorted(taken - {"", job_id_of(found[1])} - self.filled)
        match what:
            case "none":
                job_id = ""
            case "free" if free:
                job_id = free[other % len(free)]
            case "another row's" if given:
                job_id = given[other % len(given)]
            case "no id":
                job_id = f"job-{next(self.numbers)}"
            case _:
                job_id = f"job_{next(self.numbers):032x}"
        self.filled.add(job_id)
        self.overwritten.add(found[0])
        self.replace_in_the_twin_house(job_id_of(found[1]), job_id)
        self.renewing.discard(found[0])
        self._write(found[0], JOB_ID, job_id or None)

    @step(1, when=jobs, pick=PICK)
    def hand_the_line_back(self, pick: int) -> None:
        """J-103: who empties Last Synced Service Line and presses wants our line instead of their own."""
        found = self._row(pick, having=True)
        if not found or not job_id_of(found[1]):
            return
        self._write(found[0], LAST_LINE, None)
        job_id = job_id_of(found[1])
        words = self.words.pop(job_id, None)
        answer = self._press("update-service-line", found[0])
        if not answer.success or answer.service_name != line_of(self.base.rows()[found[0]]):  # J-96: ours is inside
            self.words |= {job_id: words} if words else {}

    # -- the buttons -------------------------------------------------------------------------------------------------

    @step(12, when=jobs, pick=PICK, action=among(*PRESSES), having=either(), how=WAYS, at=between(1, 60))
    def press(self, pick: int, action: str, having: bool, how: str, at: int) -> None:
        found = self._row(pick, having=having) if action != "create-job" or having else self._due(pick)
        if not found:
            return
        record_id, cells = found
        self.statistics[f"presses: {how}"] += 1
        if action == "create-job" and how != "queued" and not is_alive(self.company.jobs.get(job_id_of(cells))):
            self.renewing.add(record_id)
        match how:
            case "once":
                self._press_undisturbed(action, record_id, cells)
            case "queued":
                self.program.ask(action, record_id)
                self.was_settled_before = False
            case "twice":
                self._press(action, record_id, Fate(at, lambda: self._press(action, record_id), ("committed", "seen")))
            case "dies":
                self._press(action, record_id, Fate(at))
            case "lost":
                self.company.spoil("drop-after-commit", "POST" if at % 2 else "", "", 1 if at % 2 else None)
                self._press(action, record_id)
                self.company.heal()
            case _:
                self.company.spoil("status", "", "", at % 7 + 1, "503")
                self._press(action, record_id)
                self.company.heal()

    def _press(self, action: str, record_id: str, fate: Fate | None = None) -> Any:
        before, self.pressed = self.pressed, record_id
        try:
            answer = self.program.press(action, record_id, fate)
        finally:
            self.pressed = before
        self.touched, self.was_settled_before = True, False
        return answer

    def _press_undisturbed(self, action: str, record_id: str, before: Cells) -> None:
        """What a click that nothing disturbs comes to (J-58, J-60, J-62, J-103)."""
        answer = self._press(action, record_id)
        cells = self.base.rows()[record_id]
        job = self.company.jobs.get(job_id_of(cells))
        due = may_have_a_job(before, self._place(before), self.today, by_itself=False)
        known = self.company.jobs.get(job_id_of(before))
        impossible = known is None or not is_alive(known) or not known.lines
        assert answer.success or answer.code in REFUSALS or impossible, answer
        if not answer.success:
            assert action != "create-job" or not due or answer.code in ("not_eligible", "hcp_error"), (answer, before)
            return
        self.statistics["clicks that did it"] += 1
        assert answer.job_id == job_id_of(cells) != "", (answer, cells)
        if action == "create-job":
            assert job is not None
            assert is_alive(job)
            assert job.lines or record_id not in marked(job) or job.id in self.unfinished, job
            self.renewing.discard(record_id)
        elif action == "update-schedule":
            assert job is not None
            start = start_of(cells)
            visit = visit_of(job, str(cells.get("Service Appointment ID", "")), start)
            assert visit is not None
            assert visit.start == start, (job, cells)
        elif action == "delete-schedule":
            assert not is_open(job) or job is None or self._without(job, before), (job, before)
        else:
            assert job is not None
            item = named_line(job, str(cells.get(LAST_LINE, "")))
            assert item is not None
            assert line_of(cells) in item.name, (item, cells)
            return  # nobody has looked at its schedule
        emptied = TIMES if action == "delete-schedule" else ()  # J-62; a later read shows again what the job still has
        moved = self.seen_before.shapes.get(job_id_of(before)) != self.company.shapes().get(job_id_of(before))
        ended = WRITTEN if moved and start_of(cells) is not None else {}
        self.check_row(self.seen_before.rows[record_id] | ended, cells, but=emptied)

    @staticmethod
    def _without(job: Job, before: Cells) -> bool:
        return before.get("Service Appointment ID") not in {visit.id for visit in job.visits}
