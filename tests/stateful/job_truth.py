"""What a row must say of its job, worked out once more from row and job alone: J-11 … J-43 and J-59 … J-70.

Nothing of the program is imported. A row is the cells of the base; a job is what the stand-in holds of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from changeover_sandbox.housecallpro.model import CANCELED, COMPLETE, Job, Line, Status, Visit
from stateful.model import PHOENIX

Cells = Mapping[str, Any]
NO_JOB = ("Needs Review", "No Service", "Canceled", "Owner Arrival")
LIVE = ("New", "Modified")
ENDED = ("Completed", "Canceled")
NEAR = timedelta(minutes=60)
JOB_ID, SYNC, DETAILS, WORD = "Service Job ID", "Sync Status", "Schedule Sync Details", "Service Sync Details"
LAST_LINE, LINE, HCP_LINE = "Last Synced Service Line", "Service Line Description", "HCP Service Line Current"
_STAMP = re.compile(r" - [A-Z][a-z]{2} \d{1,2}, \d{1,2}:\d\d [AP]M$")
_FORMS = ("%H:%M", "%I:%M %p", "%Y-%m-%d %H:%M")
_MARKER = re.compile(r"Changeover ref (rec\w{14})")


@dataclass(frozen=True)
class Place:
    """A property as Housecall Pro knows it; `templates` by the kind of service, what lacks is missing."""

    customer_id: str
    address_id: str
    templates: Mapping[str, str] = field(default_factory=dict)


def job_id_of(cells: Cells) -> str:
    """The row's job; an id of history is none (J-4)."""
    job_id = str(cells.get(JOB_ID, "")).strip()
    return "" if job_id.startswith("old_") else job_id


def is_an_id(job_id: str) -> bool:
    """What else a person may have typed nobody can ask for (HC-95)."""
    return re.fullmatch(r"job_[0-9A-Za-z]{1,64}", job_id) is not None


def is_live(cells: Cells) -> bool:
    return cells.get("Status") in LIVE


def day(instant: datetime) -> date:
    return instant.astimezone(PHOENIX).date()


def start_of(cells: Cells) -> datetime | None:
    """When the cleaning is to start (J-11, J-12); None where nobody can tell."""
    leaves = date.fromisoformat(cells["Check-out Date"])
    words = cells.get("Custom Service Time", "").strip()
    if not words:
        early = cells.get("Owner Arriving") or cells.get("Same-day Turnover")
        return datetime.combine(leaves, time(10, 0 if early else 15), PHOENIX).astimezone(UTC)
    for form in _FORMS:
        try:
            said = datetime.strptime(words, form)  # noqa: DTZ007 - a wall clock's time
        except ValueError:
            continue
        on = said.date() if "%Y" in form else leaves
        return datetime.combine(on, said.time(), PHOENIX).astimezone(UTC)
    return None


def kind_of(cells: Cells) -> str:
    return {"Return Laundry": "laundry", "Inspection": "inspection"}.get(cells.get("Service Type", ""), "turnover")


def may_have_a_job(cells: Cells, place: Place | None, today: date, *, by_itself: bool) -> bool:
    """J-17 … J-26, J-30: whether a cycle (`by_itself`) or a button makes a job of this row."""
    start, block = start_of(cells), cells.get("Entry Type") == "Block"
    ready = bool(cells.get("Ready for Job"))
    if (
        not is_live(cells)
        or cells.get("Service Type") in NO_JOB
        or (block and not (cells.get("Service Type") and ready))
    ):
        return False
    if start is None or day(start) < today or place is None or kind_of(cells) not in place.templates:
        return False
    early = bool(cells.get("Custom Service Time")) and day(start) < date.fromisoformat(cells["Check-out Date"])
    return not by_itself or (ready and not early and not cells.get("Suspected Cancel"))


def line_of(cells: Cells) -> str:
    """What cleaners are to read (J-36 … J-43), of texts that fit."""
    custom = " ".join(cells.get("Custom Service Line Instructions", "").split())
    arrives, leaves = (date.fromisoformat(cells[name]) for name in ("Check-in Date", "Check-out Date"))
    service = cells.get("Service Type") or "Turnover"
    following = cells.get("Next Guest Date")
    when = "Unknown" if not following else f"{date.fromisoformat(following):%B} {date.fromisoformat(following).day}"
    base = f"SAME DAY {service} STR" if cells.get("Same-day Turnover") else f"{service} STR Next Guest {when}"
    owner = "OWNER ARRIVING" if cells.get("Owner Arriving") else ""
    long = "LONG TERM GUEST DEPARTING" if (leaves - arrives).days >= 14 else ""
    return " - ".join(part for part in (custom, owner, long, base) if part)


# -- a job -----------------------------------------------------------------------------------------------------------


def marked(job: Job) -> set[str]:
    """The record ids in its notes (J-49)."""
    return {found for note in job.notes for found in _MARKER.findall(note.content)}


def is_alive(job: Job | None) -> bool:
    return job is not None and not job.gone and job.status not in CANCELED


def is_open(job: Job | None) -> bool:
    return job is not None and is_alive(job) and job.status not in COMPLETE


def is_read_by_a_cycle(job: Job | None, before: Cells) -> bool:
    """J-71: by the lists, or singly unless its row says that it has ended (JX-36)."""
    listed = job is not None and not job.gone and (bool(job.visits) or job.status is Status.NEEDS_SCHEDULING)
    return listed or before.get("Job Status") not in ENDED


def named_line(job: Job, last_line: str) -> Line | None:
    """J-95: the first item, or the only other one that holds our part."""
    ordered = sorted(job.lines, key=lambda line: line.order_index)
    holding = [line for line in ordered if last_line and last_line in line.name]
    return holding[0] if len(holding) == 1 else next(iter(ordered), None)


def visit_of(job: Job, own: str, near: datetime | None) -> Visit | None:
    """The visit that counts for a row (J-61)."""
    if len(job.visits) <= 1:
        return next(iter(job.visits), None)
    mine = [visit for visit in job.visits if visit.id == own]
    apart = [(abs(visit.start - near) if near else timedelta(0), visit.id, visit) for visit in job.visits]
    return mine[0] if mine else min(apart, key=lambda each: each[:2])[2]


# -- the projection --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sight:
    """A row's cells before and after it was looked at, and the job as it was then (None: there is none of this id)."""

    before: Cells
    after: Cells
    job: Job | None
    place: Place | None
    names: Mapping[str, str]  # of employees, by id

    @property
    def own(self) -> str:
        """Which visit the row takes for its own (J-61)."""
        return str(self.before.get("Service Appointment ID", ""))


def expected(seen: Sight) -> dict[str, Any]:
    """Cells as they must be (J-66 … J-69); Sync Status is a tuple of all words that are right."""
    job = seen.job
    if job is None or job.gone:
        return {"Job Status": "Canceled", SYNC: ("Not Created",), DETAILS: "Job deleted in HCP"}
    visit = visit_of(job, seen.own, start_of(seen.after))
    kept = seen.own if any(each.id == seen.own for each in job.visits) else ""
    cells = {
        "Job Status": status_word(job),
        "Scheduled Service Time": visit.start.replace(second=0, microsecond=0) if visit else None,
        "Service Appointment ID": job.visits[0].id if len(job.visits) == 1 else kept,
        "Assignee": ", ".join(seen.names[each] for each in job.assigned),
        "On My Way Time": _second(job.on_my_way_at),
        "Job Started Time": _second(job.started_at),
        "Job Completed Time": _second(job.completed_at),
    }
    words, details = _agreement(seen, job, visit)
    return cells | {SYNC: words, DETAILS: details}


def status_word(job: Job) -> str:
    if job.status in CANCELED:
        return "Canceled"
    words = {Status.NEEDS_SCHEDULING: "Unscheduled", Status.SCHEDULED: "Scheduled", Status.IN_PROGRESS: "In Progress"}
    return words.get(job.status, "Completed")


def _second(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.replace(microsecond=0)


def _agreement(seen: Sight, job: Job, visit: Visit | None) -> tuple[Sequence[str], str]:
    """Sync Status and the schedule's details (J-64, J-65, J-68, J-69)."""
    before = str(seen.before.get(SYNC, ""))
    if job.status in CANCELED:
        at = job.canceled_at or job.deleted_at
        assert at is not None
        return ("Not Created",), f"Job canceled on {_moment(at)}"
    if job.status in COMPLETE or job.status is Status.IN_PROGRESS:
        return (before, str(seen.after.get(SYNC, ""))) if not job_id_of(seen.before) else (before,), ""
    if not is_live(seen.after):
        return _removed(seen, visit)
    if visit is None:
        return ("Not Created",), "⚠️ HCP job exists but has no appointment scheduled"
    if seen.place and (job.customer_id, job.address_id) != (seen.place.customer_id, seen.place.address_id):
        return ("Failed",), "⚠️ HCP job is at another address than the property"
    return _times(seen, job, visit)


def _removed(seen: Sight, visit: Visit | None) -> tuple[Sequence[str], str]:
    """J-64; whose job lost its schedule after the stay had gone is settled."""
    before = str(seen.before.get(SYNC, ""))
    if visit is not None:
        return (before,), f"⚠️ Stay removed but HCP job is still scheduled for {_moment(visit.start)}"
    settled = before == "Not Created" and not seen.before.get(DETAILS)
    quiet = settled or seen.before.get("Scheduled Service Time")
    return ("Not Created",), "" if quiet else "⚠️ Stay removed but HCP job is still open"


def _times(seen: Sight, job: Job, visit: Visit) -> tuple[Sequence[str], str]:
    ours, theirs, before = start_of(seen.after), visit.start, str(seen.before.get(SYNC, ""))
    if ours is None:
        return (before,), plain(str(seen.before.get(DETAILS, "")))
    several = len(job.visits) > 1 and visit.id != seen.own
    said = f"⚠️ HCP job has {len(job.visits)} appointments; comparing {_moment(theirs)}" if several else ""
    if ours == theirs.replace(second=0, microsecond=0):
        linked = job_id_of(seen.before) != job_id_of(seen.after)
        return ("Synced", "Matched") if linked else ("Matched",) if before == "Matched" else ("Synced",), said
    if before == "Failed" and str(seen.before.get(DETAILS, "")).startswith("❌ Failed to update schedule"):
        return ("Failed",), plain(str(seen.before[DETAILS]))
    if day(ours) != day(theirs):
        return ("Wrong Date",), said or f"Airtable shows {_day(ours)} but HCP shows {_day(theirs)}"
    return ("Wrong Time",), said or f"Airtable shows {_clock(ours)} but HCP shows {_clock(theirs)}"


def differences(seen: Sight) -> dict[str, tuple[Any, Any]]:
    """What the row says and what it should, where that is not the same."""
    found = {}
    for name, wanted in expected(seen).items():
        said = seen.after.get(name)
        match wanted:
            case tuple():
                wrong = said not in wanted and not (said is None and "" in wanted)
            case datetime() | None:
                wrong = (None if not said else datetime.fromisoformat(said).replace(microsecond=0)) != wanted
            case _:
                wrong = (plain(said) if said and name == DETAILS else said or "") != wanted
        if wrong:
            found[name] = (said, wanted)
    return found


def plain(text: str) -> str:
    """A text without its stamp (J-70)."""
    return _STAMP.sub("", text)


def _day(instant: datetime) -> str:
    local = instant.astimezone(PHOENIX)
    return f"{local:%B} {local.day}"


def _clock(instant: datetime) -> str:
    local = instant.astimezone(PHOENIX)
    return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"


def _moment(instant: datetime) -> str:
    return f"{_day(instant)} at {_clock(instant)}"
