"""The vocabulary of jobs: a row as the job side sees it, a home, a job of Housecall Pro; it decides nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from changeover.core.stay import EntryType, ServiceHours, Status

MARKER = "Changeover ref "
_MARKED = re.compile(r"Changeover ref (rec[0-9A-Za-z]{14})(?![0-9A-Za-z])")
_RECORD_ID = re.compile(r"rec[0-9A-Za-z]{14}")


class ServiceType(StrEnum):
    """What is to be done at check-out, in the base's words; the last four get no job (J-18)."""

    TURNOVER = "Turnover"
    RETURN_LAUNDRY = "Return Laundry"
    INSPECTION = "Inspection"
    DEEP_CLEAN = "Deep Clean"
    TOUCHUP = "Touchup"
    INITIAL_SERVICE = "Initial Service"
    LAST_SERVICE = "Last Service"
    MOVE_OUT_CLEAN = "Move-out Clean"
    NEEDS_REVIEW = "Needs Review"
    NO_SERVICE = "No Service"
    CANCELED = "Canceled"
    OWNER_ARRIVAL = "Owner Arrival"


class Group(StrEnum):
    """The three kinds of jobs that have a template and a job type of their own (J-32, J-85)."""

    TURNOVER = "turnover"
    LAUNDRY = "laundry"
    INSPECTION = "inspection"

    @classmethod
    def of(cls, service_type: str) -> Group:
        """Laundry and inspection by their words, all else is a turnover (J-32)."""
        return _GROUPS.get(service_type, cls.TURNOVER)


_GROUPS: dict[str, Group] = {ServiceType.RETURN_LAUNDRY: Group.LAUNDRY, ServiceType.INSPECTION: Group.INSPECTION}


class JobStatus(StrEnum):
    """What a job is at, in the base's words (J-67)."""

    UNSCHEDULED = "Unscheduled"
    SCHEDULED = "Scheduled"
    IN_PROGRESS = "In Progress"
    COMPLETED = "Completed"
    CANCELED = "Canceled"

    @property
    def open(self) -> bool:
        """Somebody is still expected to do it."""
        return self not in (JobStatus.COMPLETED, JobStatus.CANCELED)


class SyncStatus(StrEnum):
    """Whether base and Housecall Pro agree on a job's time (J-68)."""

    NOT_CREATED = "Not Created"
    FAILED = "Failed"
    WRONG_DATE = "Wrong Date"
    WRONG_TIME = "Wrong Time"
    MATCHED = "Matched"
    SYNCED = "Synced"


@dataclass(frozen=True, slots=True)
class JobState:
    """The cells of a row that the job side writes (J-1); "" and None are empty. The three details carry their stamp."""

    job_id: str = ""
    appointment_id: str = ""
    created: datetime | None = None
    status: str = ""  # a JobStatus, as the base has it
    scheduled: datetime | None = None
    assignee: str = ""
    on_my_way: datetime | None = None
    started: datetime | None = None
    completed: datetime | None = None
    sync_status: str = ""  # a SyncStatus, as the base has it
    schedule_details: str = ""
    service_details: str = ""
    synced: datetime | None = None  # Sync Date and Time
    line: str = ""  # Service Line Description: the whole line of J-36 … J-42, once confirmed
    last_line: str = ""  # Last Synced Service Line: our part as it was placed
    hcp_line: str = ""  # HCP Service Line Current: the whole name as last read


@dataclass(frozen=True, slots=True)
class JobRow:
    """One Reservations row as the job rules see it. None and "" are cells that are empty or hold no such word."""

    record_id: str
    status: Status | None
    entry_type: EntryType | None = None
    service_type: str = ""
    property_id: str = ""
    check_in: date | None = None
    check_out: date | None = None
    ready: bool = False
    same_day: bool = False
    owner_arriving: bool = False
    suspected_cancel: bool = False
    next_guest: date | None = None
    custom_time: str = ""
    custom_line: str = ""
    modified: datetime | None = None
    job: JobState = JobState()

    @property
    def live(self) -> bool:
        return self.status is not None and self.status.live

    @property
    def service(self) -> str:
        """The service's word; a row without one counts as a turnover (J-29)."""
        return self.service_type or ServiceType.TURNOVER

    @property
    def job_id(self) -> str:
        """The row's job; an id of history, `old_…`, is none (J-4)."""
        job_id = self.job.job_id.strip()  # a person may have typed it
        return "" if job_id.startswith("old_") else job_id


@dataclass(frozen=True, slots=True)
class Home:
    """A property as jobs need it. `customer_id` is its linked customer's HCP id, None without a link (J-24)."""

    record_id: str
    name: str
    customer_id: str | None = None
    address_id: str = ""
    address: str = ""
    turnover_template: str = ""
    laundry_template: str = ""
    inspection_template: str = ""

    def template(self, service: str) -> str:
        """The job whose lines are copied for a service (J-32)."""
        by_group = {Group.LAUNDRY: self.laundry_template, Group.INSPECTION: self.inspection_template}
        return by_group.get(Group.of(service), self.turnover_template)


@dataclass(frozen=True, slots=True)
class JobTypes:
    """Job type ids by what they are for. An empty one falls back to the next guest's (J-8)."""

    next_guest: str
    owner: str = ""
    laundry: str = ""
    inspection: str = ""

    def of(self, service: str, *, owner_arriving: bool) -> str:
        """The type a new job gets; it can never be changed (J-33)."""
        group = Group.of(service)
        if group is Group.TURNOVER:
            return (self.owner if owner_arriving else "") or self.next_guest
        return (self.laundry if group is Group.LAUNDRY else self.inspection) or self.next_guest

    def groups(self, type_id: str) -> frozenset[Group]:
        """The groups a job of this type may belong to: several where types share an id (J-85)."""
        ours = {
            Group.TURNOVER: {self.next_guest, self.owner or self.next_guest},
            Group.LAUNDRY: {self.laundry or self.next_guest},
            Group.INSPECTION: {self.inspection or self.next_guest},
        }
        return frozenset(group for group, ids in ours.items() if type_id in ids)


@dataclass(frozen=True, slots=True)
class JobRules:
    """The settings that jobs depend on (J-7 … J-9); `line_limit` in user-perceived characters."""

    zone: ZoneInfo
    types: JobTypes
    hours: ServiceHours = field(default_factory=ServiceHours)
    duration: timedelta = timedelta(minutes=60)
    window_minutes: int = 0
    employee_id: str = ""
    line_limit: int = 200

    def local_day(self, instant: datetime) -> date:
        """The business's date at an instant."""
        return instant.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Visit:
    """One appointment of a job."""

    id: str
    start: datetime | None = None
    end: datetime | None = None
    window_minutes: int = 0
    employee_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A job as Housecall Pro shows it. `absent` names the attributes whose key was missing from the answer (J-66).

    `address` is street, unit, city, state and ZIP in one text; `work_status` the service's own word. Visits are known
    only when they were asked for (HC-46).
    """

    id: str
    customer_id: str = ""
    address_id: str = ""
    address: str = ""
    work_status: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    window_minutes: int = 0
    visits: tuple[Visit, ...] = ()
    assignees: tuple[str, ...] = ()
    employee_ids: tuple[str, ...] = ()
    job_type_id: str | None = None
    notes: tuple[str, ...] = ()
    on_my_way: datetime | None = None
    started: datetime | None = None
    completed: datetime | None = None
    canceled_at: datetime | None = None
    deleted_at: datetime | None = None
    locked_at: datetime | None = None
    created: datetime | None = None
    updated: datetime | None = None
    total_cents: int = 0
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gone:
    """A job that Housecall Pro no longer has: 404 or 410, and nothing else (HC-92)."""

    job_id: str


def is_record_id(text: str) -> bool:
    """Whether a text can be the id of a row (J-16, J-79)."""
    return _RECORD_ID.fullmatch(text) is not None


def marker(record_id: str) -> str:
    """The note by which a job is found again, always the same for a row (J-49)."""
    return f"{MARKER}{record_id}"


def marked_rows(job: Job) -> frozenset[str]:
    """The record ids that a job's notes name (J-47, J-82, J-86)."""
    return frozenset(found for note in job.notes for found in _MARKED.findall(note))
