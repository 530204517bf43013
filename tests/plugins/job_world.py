"""A stay that is due a job, its home and its job, each with the one thing changed that a test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from changeover.core.job import Home, Job, JobRow, JobRules, JobState, JobTypes, Visit
from changeover.core.job_eligibility import Asked, Case
from changeover.core.stay import EntryType, Status

PHOENIX = ZoneInfo("America/Phoenix")
ROW, HOME = "recSTAY0000000001", "recHOME0000000001"
CUSTOMER, ADDRESS, TEMPLATE = f"cus_{1:032x}", f"adr_{1:032x}", f"job_{99:032x}"
JOB, VISIT, OTHER_VISIT, EMPLOYEE = f"job_{1:032x}", f"appt_{1:032x}", f"appt_{2:032x}", f"pro_{1:032x}"
TYPES = JobTypes(next_guest="jbt_guest", owner="jbt_owner", laundry="jbt_laundry", inspection="jbt_inspection")
RULES = JobRules(zone=PHOENIX, types=TYPES, employee_id=EMPLOYEE)
START = datetime(2026, 3, 4, 17, 15, tzinfo=UTC)  # 10:15 AM in Phoenix on the check-out date
END = START + timedelta(minutes=60)
NOW = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)  # 9:00 AM


def row(**changed: object) -> JobRow:
    """A guest who leaves on March 4; the next one comes on March 9."""
    usual = JobRow(
        record_id=ROW,
        status=Status.NEW,
        entry_type=EntryType.RESERVATION,
        service_type="Turnover",
        property_id=HOME,
        check_in=date(2026, 3, 1),
        check_out=date(2026, 3, 4),
        ready=True,
        next_guest=date(2026, 3, 9),
    )
    return replace(usual, **changed)


def home(**changed: object) -> Home:
    usual = Home(
        record_id=HOME,
        name="Cactus House",
        customer_id=CUSTOMER,
        address_id=ADDRESS,
        address="1 Example Rd, Mesa, AZ 85201",
        turnover_template=TEMPLATE,
        laundry_template=f"job_{98:032x}",
        inspection_template=f"job_{97:032x}",
    )
    return replace(usual, **changed)


def job(**changed: object) -> Job:
    """The job of that guest as it should be, with its one visit."""
    usual = Job(
        id=JOB,
        customer_id=CUSTOMER,
        address_id=ADDRESS,
        address="1 Example Rd Mesa AZ 85201",
        work_status="scheduled",
        start=START,
        end=END,
        visits=(Visit(VISIT, START, END, employee_ids=(EMPLOYEE,)),),
        assignees=("Robin Example",),
        employee_ids=(EMPLOYEE,),
        job_type_id="jbt_guest",
        created=NOW,
        updated=NOW,
    )
    return replace(usual, **changed)


def state(**changed: object) -> JobState:
    """The job side's cells of a row in step with that job."""
    usual = JobState(
        job_id=JOB,
        appointment_id=VISIT,
        created=NOW,
        status="Scheduled",
        scheduled=START,
        assignee="Robin Example",
        sync_status="Synced",
    )
    return replace(usual, **changed)


def case(changed: JobRow | None = None, *, at: Home | None = None, rules: JobRules = RULES, **asked: object) -> Case:
    """A row asked for by a button, unless `automatic`."""
    where = at or home()
    return Case(changed or row(), {where.record_id: where}, rules, replace(Asked(automatic=False, now=NOW), **asked))
