"""From an intent to a job with its lines and a row that says so, through any failure and kill (J-48 … J-56)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from changeover.core.job import Gone, Home, Job, JobRow, JobState, marked_rows
from changeover.core.job_match import candidates
from changeover.core.job_order import Line, called_otherwise, complete, made_of, shorter_line
from changeover.core.job_sync import Context, followed
from changeover.core.job_texts import ANOTHER_THAT_DAY, Words, lines_missing
from changeover.engine.jobs import alerts as job_alerts
from changeover.engine.jobs import cache, receipts, rows
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.jobs.intents import Making, Wanted
from changeover.engine.lease import Lease
from changeover.housecallpro import directory, jobs, line_items
from changeover.housecallpro.errors import Ambiguous, BadPayload, HcpError, NotFound, Rejected, Retriable, Validation
from changeover.housecallpro.errors import Gone as GoneError
from changeover.ops import logging
from changeover.store import alerts, job_writes
from changeover.store import jobs as store
from changeover.store.facts import Json
from changeover.store.job_writes import JobWrite, WriteKind
from changeover.store.jobs import IntentState

log = logging.get(__name__)

_CLOCKS_DIFFER: Final = timedelta(minutes=2)


class Unclear(Retriable):
    """Nobody knows whether the job was made, after all looks (J-53)."""

    said = "Nobody knows yet whether Housecall Pro made the job; it is being looked for"


class LinesMissing(HcpError):
    """The job is there without its lines (J-55, J-58)."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One creation at work: whose row, which home, and the claim under which nobody else is at work on it."""

    desk: JobDesk
    lease: Lease
    row: JobRow
    home: Home | None

    def save(self, making: Making, *, begins: bool = False) -> Making:
        """Stores the step durably, unless another has taken the row over meanwhile.

        A power cut may undo steps after the row has the job's id: what they did is looked at again then (J-55, J-56).
        """
        desk, lasting = self.desk, making.state in (IntentState.POSTING, IntentState.MADE)
        with desk.db.begin(lasting=lasting) as connection:
            self.lease.check(connection)
            store.save_intent(connection, making.stored())
            if begins:
                job_writes.add(connection, desk.cause, [receipts.of_order(making.wanted.order)], desk.clock())
            elif making.job_id:
                job_writes.made(connection, making.record_id, making.job_id)
        return making

    def clear(self) -> None:
        """Whether a job was made is known now."""
        desk = self.desk
        with desk.db.begin() as connection:
            key = alerts.key_of(desk.env, job_alerts.UNCLEAR, self.row.record_id)
            alerts.resolve(connection, key, desk.clock())

    def drop(self) -> None:
        with self.desk.db.begin() as connection:
            self.lease.check(connection)
            store.drop_intent(connection, self.row.record_id)
            job_writes.made(connection, self.row.record_id, "")


def begin(bench: Bench, wanted: Wanted, earlier: int = 0) -> tuple[JobRow, Job | Gone]:
    """Makes a job (J-48). `earlier` counts POSTs for this row that nobody could find anything of.

    The row as it is written, and the job as last read. Raises HcpError, AirtableError; what is open goes on next time.
    """
    now = bench.desk.clock()
    making = bench.save(Making(wanted, IntentState.POSTING, now, now, attempts=earlier + 1), begins=True)
    posted = _posted(bench, making)
    return _go_on(bench, posted, fresh=True)


def resume(bench: Bench, making: Making) -> tuple[JobRow, Job | Gone] | None:
    """Goes on where a creation was cut off (J-53 … J-56); None where nothing had been made: then all is open anew."""
    if making.state is IntentState.POSTING:
        found = _looked_for(bench, making, making.posted_at)
        if found is None:
            bench.drop()
            bench.clear()
            return None
        making = _saved(bench, making, found)
    return _go_on(bench, making, fresh=False)


def _go_on(bench: Bench, making: Making, *, fresh: bool) -> tuple[JobRow, Job | Gone]:
    if making.state is IntentState.MADE or bench.row.job_id != making.job_id:  # a person may have emptied the cell
        bench, making = _named(bench, making)
    if making.state is IntentState.NAMED:
        making = _lined(bench, making, fresh=fresh)
    return _finished(bench, making)


# -- the POST (J-49, J-53) -------------------------------------------------------------------------------------------


def _posted(bench: Bench, making: Making) -> Making:
    """Sends once; where the end is unclear, looks, sends a last time, looks again."""
    job = _post(bench, making)
    if job is None:
        job = _looked_for(bench, making, bench.desk.clock())
    if job is None and making.attempts < _MOST_POSTS:
        making = bench.save(replace(making, attempts=making.attempts + 1, posted_at=bench.desk.clock()))
        job = _post(bench, making) or _looked_for(bench, making, bench.desk.clock())
    if job is None:
        with bench.desk.db.begin() as connection:
            alert = job_alerts.unclear(making.record_id)
            alerts.open_or_repeat(connection, bench.desk.env, alert, bench.desk.clock())
        raise Unclear
    return _saved(bench, making, job)


_MOST_POSTS: Final = 2


def _post(bench: Bench, making: Making) -> Job | None:
    """The job; None where nobody knows. A refusal ends the intent: nothing was made."""
    order = making.wanted.order
    try:
        try:
            return jobs.create(bench.desk.hcp, order)
        except Validation:
            if not order.employee_id or _active(bench.desk, order.employee_id):
                raise
            return jobs.create(bench.desk.hcp, replace(order, employee_id=""))
    except Ambiguous:
        log.warning("job.unclear", record_id=order.record_id, attempts=making.attempts)
        return None
    except HcpError:
        if making.attempts == 1:
            bench.drop()  # refused, or never sent
        raise


def _active(desk: JobDesk, employee_id: str) -> bool:
    """Whether the default assignee may be assigned; one who may not is said once, and the job is nobody's (J-34)."""
    if any(each.id == employee_id for each in directory.employees(desk.hcp)):
        return True
    with desk.db.begin() as connection:
        alerts.open_or_repeat(connection, desk.env, job_alerts.inactive_employee(employee_id), desk.clock())
    return False


def _looked_for(bench: Bench, making: Making, since: datetime) -> Job | None:
    """Looks 2, 10 and 30 s after the unclear end; what is overdue after a restart is one look (J-53)."""
    desk = bench.desk
    due = [since + timedelta(seconds=seconds) for seconds in desk.pauses.unclear]
    for place, at in enumerate(due):
        if place + 1 < len(due) and due[place + 1] <= desk.clock():
            continue
        wait = (at - desk.clock()).total_seconds()
        if wait > 0:
            desk.sleep(wait)
        found = _found(desk, making)
        if found is not None:
            return found
    return None


def _found(desk: JobDesk, making: Making) -> Job | None:
    order = making.wanted.order
    first, last = look_window(order.start, desk)
    around = jobs.between(desk.hcp, first, last, customer_id=order.customer_id)
    taken = cache.taken(desk, but=making.record_id)
    free = candidates(around, taken=taken | {making.wanted.replaces}, templates=frozenset({order.template_id}))
    return made_of(free, order, making.created_at - _CLOCKS_DIFFER, taken)


def look_window(start: datetime, desk: JobDesk) -> tuple[datetime, datetime]:
    """From the day before the start to the day after, in the business's days (J-47)."""
    day = desk.rules.local_day(start)
    first = datetime.combine(day - timedelta(days=1), time(), desk.rules.zone)
    last = datetime.combine(day + timedelta(days=2), time(), desk.rules.zone) - timedelta(seconds=1)
    return first.astimezone(UTC), last.astimezone(UTC)


def _saved(bench: Bench, making: Making, job: Job) -> Making:
    """J-50: the id is durable before anything else is done."""
    log.info("job.made", record_id=making.record_id, job_id=job.id)
    unmarked = making.record_id not in marked_rows(job)
    made = replace(making, wanted=replace(making.wanted, made_at=job.created, unmarked=unmarked))
    return bench.save(made.to(IntentState.MADE, job.id))


# -- the row, the lines, the last write (J-50 … J-52, J-54 … J-56) ---------------------------------------------------


def _named(bench: Bench, making: Making) -> tuple[Bench, Making]:
    """J-54: the id goes into the row before any other call."""
    row = bench.row
    if row.job_id != making.job_id:
        row = rows.put(bench.desk, row, replace(row.job, job_id=making.job_id, created=making.wanted.made_at))
    bench = replace(bench, row=row)
    return bench, bench.save(making.to(IntentState.NAMED))


def _lined(bench: Bench, making: Making, *, fresh: bool) -> Making:
    """J-51, J-55: the template's lines, confirmed by what the service then has."""
    try:
        look = not fresh or making.wanted.unmarked
        there = line_items.read(bench.desk.hcp, making.job_id) if look else ()
        known = _known(bench.desk, making.wanted, there)
        if known is not None:
            return bench.save(replace(making, wanted=known).to(IntentState.LINED))
        lines = _written(bench, making)
    except (NotFound, GoneError):
        return bench.save(making.to(IntentState.LINED))  # the job is gone; its last read says so
    except Rejected as error:
        bench.save(making.to(IntentState.NAMED, error=error.text))
        rows.put(bench.desk, bench.row, replace(bench.row.job, service_details=lines_missing(error.text)))
        raise LinesMissing(error.text, status=error.status) from error
    wanted = replace(making.wanted, lines=lines)
    return bench.save(replace(making, wanted=wanted).to(IntentState.LINED))


def _known(desk: JobDesk, wanted: Wanted, there: Sequence[Line]) -> Wanted | None:
    """What is wanted, as the lines are there already; None where they are still to be written.

    The first one's other name is ours, fitted once more, or a person's that stays (J-98). A job that was found without
    our marker may have been made by a person: then its lines are left alone (J-47).
    """
    renamed = called_otherwise(there, wanted.lines)
    if renamed is None:
        return replace(wanted, theirs=True) if wanted.unmarked and there else None
    if renamed and renamed == shorter_line(wanted.order.facts, desk.rules):
        return replace(wanted, lines=(replace(wanted.lines[0], name=renamed), *wanted.lines[1:]))
    return replace(wanted, renamed=renamed)


def _written(bench: Bench, making: Making) -> tuple[Line, ...]:
    """The lines as they were sent and are there now. Raises BadPayload where others are there."""
    wanted = making.wanted.lines
    try:
        there = _sent(bench, making, wanted)
    except Validation as error:
        if "name" not in error.fields:
            raise
        shorter = shorter_line(making.wanted.order.facts, bench.desk.rules)
        wanted = (replace(wanted[0], name=shorter), *wanted[1:])
        there = _sent(bench, making, wanted)
    if not complete(there, wanted):
        raise BadPayload("The job's lines are not those that were sent.")
    return wanted


def _sent(bench: Bench, making: Making, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    after: dict[str, Json] = {"names": [each.name for each in lines]}
    with receipts.of(bench.desk, [JobWrite(WriteKind.LINES, making.record_id, making.job_id, {}, after)]):
        return line_items.replace_all(bench.desk.hcp, making.job_id, lines)


def _finished(bench: Bench, making: Making) -> tuple[JobRow, Job | Gone]:
    """J-52, J-56: the row says what the job is, and the intent is over."""
    desk = bench.desk
    job = jobs.settled(desk.hcp, making.job_id, lambda read: bool(read.visits))
    wanted = making.wanted
    found = followed(bench.row, job, Context(desk.rules, bench.home, linked=wanted.theirs))
    state = found.state
    if isinstance(job, Job):
        said = _told(wanted, job, Words(desk.rules.zone))
        state = replace(_with_lines(state, wanted), created=job.created or state.created, service_details=said)
    row = rows.put(desk, bench.row, state)
    with desk.db.begin() as connection:
        bench.lease.check(connection)
        store.drop_intent(connection, row.record_id)
        cache.remember(connection, desk, row, job)
        job_alerts.keep(connection, desk.env, [job_alerts.RowSeen(row, found)], desk.rules, desk.clock())
    bench.clear()
    log.info("job.created", record_id=row.record_id, job_id=making.job_id)
    return row, job


def _with_lines(state: JobState, wanted: Wanted) -> JobState:
    """J-102; with an empty line a cycle looks at what a person made of it (J-94)."""
    if wanted.theirs:
        return replace(state, line="", last_line="", hcp_line="")
    name = wanted.lines[0].name
    line = "" if wanted.renamed else wanted.order.line
    return replace(state, line=line, last_line=name, hcp_line=wanted.renamed or name)


def _told(wanted: Wanted, job: Job, words: Words) -> str:
    """JM-14, with the job it replaces (J-57) and the one beside it (J-90)."""
    start = job.start or wanted.order.start
    said = words.linked(start) if wanted.theirs else words.created(start)
    replaced = f"; it replaces {wanted.replaces}" if wanted.replaces else ""
    return f"{said}{replaced}{ANOTHER_THAT_DAY if wanted.another_that_day else ''}"
