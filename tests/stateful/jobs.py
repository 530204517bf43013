"""What happens at the company that does the jobs, what of it is told when, and the trouble it may be in."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from changeover.store.events import EventState
from changeover_sandbox.housecallpro.model import Job
from stateful.company import signed
from stateful.coordinator import Coordinator, jobs
from stateful.job_proof import Words
from stateful.job_truth import is_alive, is_open, job_id_of, marked, start_of
from stateful.mortal import Fate
from stateful.proof import Cells
from stateful.steps import PICK, among, between, either, step

PAUSE = 7  # steps between two runs: life goes on faster than runs follow
AT_HAND = 40  # webhooks on the way; the company gives up older ones
FAULTS = among(
    ["drop-after-commit", "POST", "^/jobs$", ""],
    ["drop-after-commit", "POST", "^/jobs$", ""],
    ["drop-after-commit", "PUT", "", ""],
    ["drop-before", "POST", "^/jobs$", ""],
    ["drop-before", "", "", ""],
    ["truncate", "", "", ""],
    ["html", "", "", ""],
    ["status", "", "", "503"],
    ["status", "POST", "", "500"],
    ["status", "PUT", "bulk_update", "409"],
    ["status", "", "", "401"],
    ["rate-limit", "", "", "Retry-After: 1"],
)
MOODS = among("quiet", "quiet", "quiet", "dies", "spoiled")
CALLS = ("order", "ordered", "look", "seen")  # to the company
CALLS_TO_THE_BASE = ("request", "answered")


def ongoing(self: Any) -> bool:
    """Whether there is a job that somebody may do something with."""
    return self.has_jobs and any(is_alive(job) for job in self.company.work.values())


def posted(self: Any) -> bool:
    """Whether anything is on its way."""
    return self.has_jobs and bool(self.company.mail)


class Jobs(Coordinator, ABC):
    """Steps of the company's people, of the post and of the worker."""

    _disturbed: Callable[..., Any]

    # -- the company's people ----------------------------------------------------------------------------------------

    def _job(self, pick: int, *, open_only: bool = True) -> Job | None:
        fit = [job for job in self.company.work.values() if (is_open(job) if open_only else not job.gone)]
        return fit[pick % len(fit)] if fit else None

    def _act(self, job: Job, action: str, **more: Any) -> bool:
        self.was_settled_before = False
        done = self.company.act(job.id, action, **more)
        self.statistics["deeds of the company's people"] += done
        return done

    @step(3, when=ongoing, pick=PICK, action=among("on_my_way", "start", "start", "complete"))
    def go_and_clean(self, pick: int, action: str) -> None:
        if job := self._job(pick):
            self._act(job, action)

    @step(3, when=ongoing, pick=PICK, by=among("pro", "user", "delete"))
    def call_a_job_off(self, pick: int, by: str) -> None:
        if job := self._job(pick, open_only=by != "delete"):
            self._act(job, "delete") if by == "delete" else self._act(job, "cancel", by=by)

    @step(3, when=ongoing, pick=PICK, hours=among(-26, -1, 1, 2, 24), which=PICK)
    def move_a_job(self, pick: int, hours: int, which: int) -> None:
        job = self._job(pick)
        if job is None:
            return
        visit = job.visits[which % len(job.visits)] if job.visits else None
        start = (visit.start if visit else self.now) + timedelta(hours=hours)
        more = {"appointment_id": visit.id} if visit else {}
        self._act(job, "reschedule", start=start.isoformat(), **more)

    @step(3, when=ongoing, pick=PICK, who=PICK, take=either())
    def assign_people(self, pick: int, who: int, take: bool) -> None:
        if job := self._job(pick):
            somebody = self.company.people[who % len(self.company.people)]
            self._act(job, "unassign" if take else "assign", employee_ids=[somebody])

    @step(1, when=ongoing, pick=PICK, hours=among(-24, 3, 26))
    def add_a_visit(self, pick: int, hours: int) -> None:
        job = self._job(pick)
        if job is not None and job.start is not None:
            start = job.start + timedelta(hours=hours)
            self._act(job, "add_appointment", start=start.isoformat(), end=(start + timedelta(hours=1)).isoformat())

    @step(4, when=ongoing, pick=PICK, how=among("before", "behind", "behind", "instead"))
    def write_into_the_line(self, pick: int, how: str) -> None:
        job = self._job(pick)
        line = None if job is None else job.first_line
        if job is None or line is None:
            return
        said = f"by hand {next(self.numbers)}"
        name = {"before": f"{said}: {line.name}", "behind": f"{line.name} ({said})"}.get(how, said)
        if len(name) < 190 and self._act(job, "rename_line_item", name=name):
            words = self.words.setdefault(job.id, Words())
            if how == "instead":
                self.words[job.id] = Words(whole=said)
            elif words.whole:
                words.whole = name
            else:
                words.inside.append(said)

    @step(3, when=jobs, pick=PICK, minutes=among(0, 0, 30, -45, 90, 240), kind=among("turnover", "none", "laundry"))
    def make_a_job_by_hand(self, pick: int, minutes: int, kind: str) -> None:
        """The office has made it in the app: it may be linked (J-87), or keep a row waiting for a person (J-90)."""
        found = self._row(pick, having=False)
        start = start_of(found[1]) if found else None
        place = self._place(found[1]) if found else None
        if start is None or place is None:
            return
        begins = start + timedelta(minutes=minutes)
        types = self.company.settings
        type_id = {
            "turnover": types["HCP_STR_NEXT_GUEST_JOB_TYPE_ID"],
            "laundry": types["HCP_RETURN_LAUNDRY_JOB_TYPE_ID"],
        }
        self.was_settled_before = False
        order = {
            "customer_id": place.customer_id,
            "address_id": place.address_id,
            "schedule": {
                "scheduled_start": begins.isoformat(),
                "scheduled_end": (begins + timedelta(hours=1)).isoformat(),
            },
            "line_items": [{"name": "Our own clean"}],
            "job_fields": {"job_type_id": type_id.get(kind)},
        }
        self.words[self.company.api("POST", "/jobs", order)["id"]] = Words(whole="Our own clean")

    # -- what is told of it ------------------------------------------------------------------------------------------

    @step(9, when=posted, number=between(1, 12), order=PICK, how=among("once", "once", "twice", "reversed"))
    def webhooks_come(self, number: int, order: int, how: str) -> None:
        """Some of those on the way, in any order, each acknowledged before the next."""
        mail, chance = self.company.mail, Random(order)
        del mail[:-AT_HAND]
        taken = [
            mail.pop(chance.randrange(len(mail)) if how != "reversed" else -1) for _ in range(min(number, len(mail)))
        ]
        for body in [each for each in taken for _ in range(2 if how == "twice" else 1)]:
            timestamp, signature = signed(body, self.now.timestamp())
            event_id = self.program.take(body, timestamp, signature)
            assert event_id is not None
            self.statistics["webhooks acknowledged"] += 1

    @step(1, when=posted, number=between(1, 20))
    def webhooks_are_lost(self, number: int) -> None:
        del self.company.mail[:number]

    @step(1, when=posted, stale=either())
    def nobody_believes_a_webhook(self, stale: bool) -> None:
        """HC-81: too old a signature, or not the company's."""
        body = self.company.mail.pop()
        timestamp, signature = signed(body, self.now.timestamp() - (301 if stale else 0))
        before = self.program.hooks_waiting()
        wrong = signature if stale else signature[::-1]
        assert self.program.take(body, timestamp, wrong) is None or signature == signature[::-1]
        assert self.program.hooks_waiting() == before

    @step(
        9,
        when=jobs,
        order=PICK,
        how=among("quiet", "quiet", "quiet", "dies", "spoiled"),
        at=between(1, 40),
        fault=FAULTS,
    )
    def the_worker_works(self, order: int, how: str, at: int, fault: list[str]) -> None:
        self.clicked = set(self.program.clicks_waiting())
        self.reads_only = not self.clicked
        rows = self.base.rows()
        dead = {
            each for each in self.clicked & rows.keys() if not is_alive(self.company.jobs.get(job_id_of(rows[each])))
        }
        self.renewing |= dead
        if how == "spoiled":
            mode, method, path, value = fault
            self.company.spoil(mode, method, path, at % 5 + 1, value or None)
        try:
            done = self.program.work(Random(order).shuffle, Fate(at) if how == "dies" else None)
        finally:
            self.company.heal()
            self.reads_only, clicked, self.clicked = False, self.clicked, set()
        self.touched, self.was_settled_before = True, False
        if how == "quiet" and done is not None:
            self._check_what_was_told(done, but=clicked)

    def _check_what_was_told(self, done: Sequence[str], *, but: Collection[str]) -> None:
        """J-76, J-80: the row of every job whose webhooks are done says what is so."""
        before, rows = self.seen_before.rows, self.base.rows()
        served = self._served(rows)
        removed = {job_id_of(cells): key for key, cells in rows.items() if cells.get("Status") == "Removed"}
        for job_id in done:
            record_id = served.get(job_id) or removed.get(job_id)
            if record_id is not None and record_id not in but and self._is_known(record_id, rows[record_id]):
                self.check_row(before.get(record_id, {}), rows[record_id])
                self.statistics["rows told by webhooks"] += 1

    def _is_known(self, record_id: str, cells: Cells) -> bool:
        """Whether the program has read what a person wrote into the row (J-79)."""
        known = self.rows_read.get(record_id, {})
        told = all(known.get(name) == cells.get(name) for name in ("Custom Service Time", "Check-out Date"))
        return told and job_id_of(cells) not in self.filled

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    @step(
        4,
        when=lambda self: self.has_jobs and self.since_a_run > PAUSE,
        pick=PICK,
        fault=FAULTS,
        times=among(1, 1, 2, 6, None),
    )
    def a_run_meets_a_company_in_trouble(self, pick: int, fault: list[str], times: int | None) -> None:
        self.tick(pick, 3)
        mode, method, path, value = fault
        self.company.spoil(mode, method, path, times, value or None)
        self._disturbed(Fate())
        self.company.heal()

    @step(4, when=lambda self: self.has_jobs and self.since_a_run > PAUSE, pick=PICK, at=between(1, 24))
    def a_run_dies_at_a_call(self, pick: int, at: int) -> None:
        self.tick(pick, 3)
        # What is delivered by the real engine dies in a thread of its own, which nobody hears of for minutes.
        self._disturbed(Fate(at, where=CALLS if self.ways.durable else (*CALLS, *CALLS_TO_THE_BASE)))
        self.program.bury_the_dead()

    @step(1, when=lambda self: self.has_jobs and self.since_a_run > PAUSE, calls=between(1, 30))
    def the_hours_calls_are_used_up(self, calls: int) -> None:
        """HC-32, J-110: the run makes no more than its share of them, and goes on next time."""
        whole, mark = self.program.settings, self.company.mark()
        self.program.settings = whole.model_copy(update={"hcp_hourly_limit": calls})
        self._disturbed(Fate())
        self.program.settings = whole
        assert self.company.mark() - mark <= max(1, calls * 4 // 5)

    # -- at the end --------------------------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        super().come_to_rest()
        if not self.has_jobs:
            return
        for body in self.company.mail[-AT_HAND:]:
            self.program.take(body, *signed(body, self.now.timestamp()))
        self.company.mail.clear()
        self.the_worker_works(1, "quiet", 1, ["", "", "", ""])

    def check_rest(self) -> None:
        super().check_rest()
        if self.has_jobs:
            self.time.shift(timedelta(hours=3))
            self.the_worker_works(1, "quiet", 1, ["", "", "", ""])
            self.clean_run()
            self.the_worker_works(1, "quiet", 1, ["", "", "", ""])
            assert not self.program.hooks_waiting(), "acknowledged and never done"
            self.statistics["webhooks given up"] += self.program.hooks_of(EventState.FAILED)

    def forget_ties(self) -> None:
        """With the database everything is lost that is not in the base: what was to be told, begun, asked for."""
        super().forget_ties()
        self.renewing.clear()
        rows = {job_id_of(cells) for cells in self.base.rows().values()} if self.has_jobs else set()
        alive = (job for job in self.company.work.values() if self.has_jobs and marked(job) and is_alive(job))
        self.unfinished |= {job.id for job in alive if job.id not in rows or len(job.lines) < 2}
