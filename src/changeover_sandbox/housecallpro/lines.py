"""What the public API does with a job's line items (§10); no HTTP."""

from changeover_sandbox.housecallpro import errors
from changeover_sandbox.housecallpro.bodies import BulkLines, LineBody
from changeover_sandbox.housecallpro.company import Work
from changeover_sandbox.housecallpro.events import job_updated
from changeover_sandbox.housecallpro.ids import new_id
from changeover_sandbox.housecallpro.jobs import refuse_archived
from changeover_sandbox.housecallpro.model import Job, Line, LineKind


def refuse_locked(job: Job) -> None:
    """Lines of canceled and of locked jobs stay as they are (HC-22, HC-106)."""
    refuse_archived(job, "change the line items of")
    if job.locked_at is not None:
        raise errors.told(400, "Can't change the line items of a locked job")


def found(job: Job, line_id: str) -> Line:
    """One of the job's lines."""
    line = job.line(line_id)
    if line is None:
        raise errors.not_found("line item")
    return line


def add(work: Work, job: Job, body: LineBody) -> Line:
    """POST of one line, behind all others."""
    refuse_locked(job)
    line = line_of(new_id("rli"), _next_index(job.lines), body)
    job.lines.append(line)
    save(work, job)
    return line


def change(work: Work, job: Job, line: Line, body: LineBody) -> Line:
    """PUT of a whole line: what is left out is back at its default (HC-71)."""
    refuse_locked(job)
    changed = line_of(line.id, line.order_index, body)
    job.lines[job.lines.index(line)] = changed
    save(work, job)
    return changed


def drop(work: Work, job: Job, line: Line) -> None:
    """DELETE of one line."""
    refuse_locked(job)
    job.lines.remove(line)
    save(work, job)


def update_all(work: Work, job: Job, body: BulkLines) -> None:
    """bulk_update (HC-72): known ids change, others are new, unlisted lines go unless lines are appended."""
    refuse_locked(job)
    ids = [one.id for one in body.line_items if one.id is not None]
    if len(set(ids)) < len(ids):
        raise errors.invalid({"line_items": "name a line item twice"})
    listed = {line_id: found(job, line_id) for line_id in ids}
    lines = [line for line in job.lines if body.append_line_items and line.id not in listed]
    index = _next_index([*lines, *listed.values()])
    for one in body.line_items:
        known = listed.get(one.id or "")
        lines.append(line_of(new_id("rli"), index, one) if known is None else line_of(known.id, known.order_index, one))
        index += known is None
    job.lines = lines
    save(work, job)


def save(work: Work, job: Job) -> None:
    """Save changed lines and make them known."""
    work.save(job)
    work.tell([job_updated(work.company, job)])


def _next_index(lines: list[Line]) -> int:
    return 1 + max((line.order_index for line in lines), default=-1)


def line_of(line_id: str, index: int, body: LineBody) -> Line:
    """The line that a body describes."""
    return Line(
        id=line_id,
        order_index=index,
        name=body.name,
        description=body.description,
        unit_price=body.unit_price or 0,
        unit_cost=body.unit_cost or 0,
        quantity=1 if body.quantity is None else body.quantity,
        kind=LineKind.LABOR if body.kind is None else LineKind(body.kind),
        taxable=True if body.taxable is None else body.taxable,
        service_item_id=body.service_item_id,
        service_item_type=body.service_item_type,
    )
