"""Whether a stay gets a job now, and which: made, adopted, linked, revived (J-44 … J-47, J-57, J-90, J-91)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final

from changeover.airtable import job_rows
from changeover.core import job_match
from changeover.core.job import Gone, Home, Job, JobRow, JobStatus
from changeover.core.job_eligibility import (
    FOR_LINKING,
    Asked,
    Case,
    address_mismatch,
    ambiguous,
    refusal,
    template_unusable,
)
from changeover.core.job_match import Confidence, OpenStay, Pair
from changeover.core.job_order import Line, copied, order, total
from changeover.core.job_schedule import revive
from changeover.core.job_status import status_of
from changeover.core.job_sync import Context, followed
from changeover.core.job_texts import Words
from changeover.engine.jobs import alerts as job_alerts
from changeover.engine.jobs import cache, making, receipts, rows
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.jobs.intents import Making, Wanted, making_of
from changeover.engine.jobs.making import Bench, look_window
from changeover.engine.jobs.rows import RESTS_ON_HOMES, Refused
from changeover.engine.lease import Lease
from changeover.housecallpro import directory, jobs, line_items, schedule
from changeover.housecallpro.errors import Gone as GoneError
from changeover.housecallpro.errors import NotFound, Rejected
from changeover.ops import logging
from changeover.store import facts
from changeover.store import jobs as store

log = logging.get(__name__)

_ADDRESS_HOLDS: Final = timedelta(hours=24)
_SAME_ATTEMPT: Final = timedelta(hours=1)


class How(StrEnum):
    """What came of it."""

    CREATED = "created"
    LINKED = "linked"
    VERIFIED = "verified"  # it has one already


@dataclass(frozen=True, slots=True)
class Result:
    """The row as it is written, and its job as last read. `changed_template`: its total is another than last time."""

    how: How
    row: JobRow
    job: Job | Gone
    changed_template: bool = False


def by_button(desk: JobDesk, lease: Lease, record_id: str) -> Result:
    """A person asks for a row's job. Raises Refused, HcpError, AirtableError."""
    row = rows.fresh(desk, record_id)
    asked = Asked(automatic=False, now=desk.clock(), stop=desk.level)
    case = checked(desk, Case(row, rows.known_home(desk, row.property_id), desk.rules, asked))
    return create(desk, lease, case, looked=False)


def checked(desk: JobDesk, case: Case) -> Case:
    """The case with its property read again, if no rule refuses it (§4, AT-36). Raises Refused."""
    found = refusal(case)
    if found is None or found.code in RESTS_ON_HOMES:
        case = replace(case, homes=rows.fresh_home(desk, case.row.property_id))
        found = refusal(case)
    if found is not None:
        raise Refused(found)
    return case


def create(desk: JobDesk, lease: Lease, case: Case, *, looked: bool) -> Result:
    """The job of a row that no rule refuses (J-45 …). `looked`: this run's reconciliation has done the look (J-47)."""
    bench = Bench(desk, lease, case.row, case.home)
    earlier = 0
    begun = unfinished(bench)
    if begun is not None:
        done = making.resume(bench, begun)
        if done is not None:
            return Result(How.CREATED, *done)
        if desk.clock() - begun.posted_at < _SAME_ATTEMPT:
            earlier = begun.attempts
    if case.row.job_id and (begun is None or case.row.job_id != begun.wanted.replaces):
        found = _existing(bench, case)
        if found is not None:
            return found
    return _made(bench, case, looked=looked, earlier=earlier)


def unfinished(bench: Bench) -> Making | None:
    """The row's open intent; one that a person has overtaken by an id of their own is over (J-45)."""
    with bench.desk.db.read() as connection:
        stored = store.intent_of(connection, bench.row.record_id)
    if stored is None:
        return None
    begun = making_of(stored)
    if bench.row.job_id not in ("", begun.job_id, begun.wanted.replaces):
        log.warning("job.overtaken", record_id=bench.row.record_id, made=begun.job_id, linked=bench.row.job_id)
        bench.drop()
        return None
    return begun


# -- a row that has a job (J-57) -------------------------------------------------------------------------------------


def _existing(bench: Bench, case: Case) -> Result | None:
    """The job that is there, brought back to life if it can be; None where a new one is to take its place."""
    desk, row = bench.desk, bench.row
    job = jobs.look(desk.hcp, row.job_id)
    revived = False
    if isinstance(job, Job) and status_of(job) is JobStatus.CANCELED:
        job, revived = _revived(desk, case, job), True
    if isinstance(job, Gone) or status_of(job) is JobStatus.CANCELED:
        return None
    return Result(How.VERIFIED, verified(bench, job, written=revived), job)


def _revived(desk: JobDesk, case: Case, job: Job) -> Job | Gone:
    """A canceled job, sent a schedule; whether that revives it, only its next read can say (HC-64, JX-6)."""
    if case.start is None:
        return job
    change = revive(case.start, desk.rules)
    try:
        with receipts.of(desk, [receipts.of_schedule(case.row.record_id, job, change)]):
            schedule.send(desk.hcp, job.id, change)
    except Rejected as error:
        log.info("job.not_revived", job_id=job.id, error=type(error).__name__)
        return job
    return jobs.settled(desk.hcp, job.id, lambda read: status_of(read) is not JobStatus.CANCELED)


def verified(bench: Bench, job: Job | Gone, *, written: bool = False) -> JobRow:
    """Projection and comparison of a row whose job was read (J-57, J-59)."""
    desk = bench.desk
    found = followed(bench.row, job, Context(desk.rules, bench.home, written=written))
    state = found.state
    if written and isinstance(job, Job) and job.start is not None:
        state = replace(state, service_details=Words(desk.rules.zone).updated(job.start))
    row = rows.put(desk, bench.row, state)
    with desk.db.begin() as connection:
        cache.remember(connection, desk, row, job)
        job_alerts.keep(connection, desk.env, [job_alerts.RowSeen(row, found)], desk.rules, desk.clock())
    return row


# -- a row that gets one (J-46 … J-52) -------------------------------------------------------------------------------


def _made(bench: Bench, case: Case, *, looked: bool, earlier: int) -> Result:
    home = case.home
    assert home is not None  # noqa: S101 - for the type checker: J-22 has looked
    check_address(bench.desk, home)
    template = template_lines(bench.desk, home, case.row.service)
    another = False
    if not looked:
        pairs, found = _look(bench.desk, case)
        _refuse_ambiguous(pairs)
        certain = [pair for pair in pairs if pair.confidence in (Confidence.CERTAIN, Confidence.EXACT)]
        if certain:
            job = found[certain[0].job_id]
            return Result(How.LINKED, link(bench, job), job)
        another = bool(pairs)
    ordered = order(case)
    wanted = Wanted(ordered, copied(template, ordered.line), case.row.job_id, another)
    changed = _note_total(bench.desk, home.template(case.row.service), template)
    return Result(How.CREATED, *making.begin(bench, wanted, earlier), changed)


def check_address(desk: JobDesk, home: Home) -> None:
    """J-27; a positive answer holds for a day (J-35). Raises Refused."""
    name = f"hcp.address:{home.customer_id}:{home.address_id}"
    with desk.db.read() as connection:
        known = facts.read(connection, name)
    if known is not None and timedelta(0) <= desk.clock() - known.at < _ADDRESS_HOLDS:
        return
    try:
        ids = {each.id for each in directory.addresses(desk.hcp, home.customer_id or "")}
    except (NotFound, GoneError):
        ids = set()
    if home.address_id not in ids:
        raise Refused(address_mismatch(home))
    with desk.db.begin() as connection:
        facts.put(connection, name, True, desk.clock())


def template_lines(desk: JobDesk, home: Home, service: str) -> tuple[Line, ...]:
    """J-28: the lines to copy, read for every creation (J-35, JX-9). Raises Refused."""
    try:
        lines = line_items.read(desk.hcp, home.template(service))
    except (NotFound, GoneError):
        lines = ()
    if not lines:
        raise Refused(template_unusable(home, service))
    return lines


def _note_total(desk: JobDesk, template_id: str, template: Sequence[Line]) -> bool:
    """Whether a template costs something else than at the last creation: noted, as prices change unseen (J-35)."""
    name, now = f"hcp.template_total:{template_id}", total(template)
    with desk.db.read() as connection:
        known = facts.read(connection, name)
    if known is not None and known.value == now:
        return False
    with desk.db.begin() as connection:
        facts.put(connection, name, now, desk.clock())
    if known is not None:
        log.warning("template.changed", template=template_id, before_cents=known.value, now_cents=now)
    return known is not None


def _look(desk: JobDesk, case: Case) -> tuple[tuple[Pair, ...], dict[str, Job]]:
    """J-47: what the customer has around that day, how it pairs with this row, and by id what may be linked."""
    stay = OpenStay.of(case)
    if stay is None:
        return (), {}
    around = jobs.between(desk.hcp, *look_window(stay.start, desk), customer_id=stay.customer_id)
    if not around:
        return (), {}
    with desk.db.read() as connection:
        homes = job_rows.homes(connection)
    templates = frozenset(template for home in homes.values() for template in templates_of(home))
    free = job_match.candidates(around, taken=cache.taken(desk), templates=templates)
    others = [each for each in open_stays(desk, case.asked) if each.record_id != stay.record_id]
    matching = job_match.match([stay, *others], free, desk.rules)
    return matching.of(stay.record_id), {job.id: job for job in free}


def open_stays(desk: JobDesk, asked: Asked) -> list[OpenStay]:
    """The live rows without a job that may be linked to one (J-84); those that a job is being made for are not."""
    with desk.db.read() as connection:
        homes = job_rows.homes(connection)
        without = [row for row in job_rows.mirrored(connection) if row.live and not row.job_id]
        being_made = {each.record_id for each in store.open_intents(connection)}
    cases = [Case(row, homes, desk.rules, asked) for row in without if row.record_id not in being_made]
    eligible = [case for case in cases if refusal(case, FOR_LINKING) is None]
    return [stay for case in eligible if (stay := OpenStay.of(case)) is not None]


def templates_of(home: Home) -> tuple[str, ...]:
    """The jobs of a property that are templates and nobody's (J-84)."""
    return tuple(filter(None, (home.turnover_template, home.laundry_template, home.inspection_template)))


def _refuse_ambiguous(pairs: tuple[Pair, ...]) -> None:
    """J-90: which of several it is, only a person can say."""
    unclear = [pair.job_id for pair in pairs if pair.confidence is Confidence.AMBIGUOUS]
    if unclear:
        raise Refused(ambiguous(unclear))


def linked_state(row: JobRow, job: Job, home: Home | None, desk: JobDesk) -> rows.Draft:
    """What linking writes; Housecall Pro is not touched (J-91)."""
    with_id = replace(row, job=replace(row.job, job_id=job.id, created=job.created))
    found = followed(with_id, job, Context(desk.rules, home, linked=True))
    said = Words(desk.rules.zone).linked(job.start) if job.start is not None else "✅ Linked to HCP job"
    return rows.Draft(row, replace(found.state, service_details=said))


def link(bench: Bench, job: Job) -> JobRow:
    """J-91 for one row."""
    desk = bench.desk
    draft = linked_state(bench.row, job, bench.home, desk)
    row = rows.put(desk, draft.row, draft.after)
    with desk.db.begin() as connection:
        cache.remember(connection, desk, row, job)
    log.info("job.linked", record_id=row.record_id, job_id=job.id)
    return row
