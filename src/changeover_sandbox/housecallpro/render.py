"""How answers and webhooks spell what a company has (housecallpro.md §7, §10, §11); nothing is decided here."""

from collections.abc import Collection, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from changeover_sandbox.housecallpro.company import Account, Company
from changeover_sandbox.housecallpro.ids import iso, iso_or_none
from changeover_sandbox.housecallpro.model import (
    Address,
    Customer,
    Employee,
    Job,
    JobType,
    Line,
    Note,
    Role,
    Tag,
    Visit,
)

Json = dict[str, object]
APPOINTMENTS: Final = "appointments"
ATTACHMENTS: Final = "attachments"
EXPANSIONS: Final = frozenset({APPOINTMENTS, ATTACHMENTS})
_COLORS: Final = ("EF9159", "4FB0C6", "8BC34A", "9575CD")


def company_json(account: Account) -> Json:
    """`GET /company` (HC-13)."""
    return {"id": account.company_id, "name": account.name, "time_zone": account.time_zone}


def _of(account: Account) -> Json:
    return {"company_name": account.name, "company_id": account.company_id}


def named_json(thing: JobType | Tag) -> Json:
    """A job type or tag (HC-56)."""
    return {"id": thing.id, "name": thing.name}


def note_json(note: Note) -> Json:
    """A job's note."""
    return {"id": note.id, "content": note.content}


def address_json(address: Address) -> Json:
    """An address (§7.2)."""
    return {
        "id": address.id,
        "type": "service",
        "street": address.street,
        "street_line_2": address.street_line_2,
        "city": address.city,
        "state": address.state,
        "zip": address.zip,
        "country": address.country,
        "latitude": address.latitude,
        "longitude": address.longitude,
    }


def customer_in_job_json(customer: Customer, account: Account) -> Json:
    """A customer as jobs show it: without addresses."""
    return {
        "id": customer.id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "email": customer.email,
        "mobile_number": customer.mobile_number,
        "home_number": customer.home_number,
        "work_number": customer.work_number,
        "company": customer.company,
        "notifications_enabled": customer.notifications_enabled,
        "lead_source": customer.lead_source,
        "notes": customer.notes,
        "created_at": iso(customer.created_at),
        "updated_at": iso(customer.updated_at),
        **_of(account),
        "tags": list(customer.tags),
    }


def customer_json(customer: Customer, account: Account) -> Json:
    """A customer by itself (HC-53)."""
    addresses = [address_json(one) for one in customer.addresses]
    return {**customer_in_job_json(customer, account), "addresses": addresses}


def employee_json(employee: Employee, account: Account) -> Json:
    """An employee (§7.2)."""
    return {
        "id": employee.id,
        "first_name": employee.first_name,
        "last_name": employee.last_name,
        "email": employee.email,
        "mobile_number": employee.mobile_number,
        "color_hex": _COLORS[int(employee.id[-1], 16) % len(_COLORS)],
        "avatar_url": None,
        "role": employee.role,
        "tags": list(employee.tags),
        "permissions": {"is_admin": employee.role is Role.ADMIN},
        "created_at": iso(employee.created_at),
        **_of(account),
    }


def people_json(company: Company, ids: Sequence[str]) -> list[Json]:
    """These employees, also those who are active no more."""
    return [employee_json(company.employees[one], company.account) for one in ids]


def visit_json(visit: Visit, account: Account) -> Json:
    """An appointment in an answer (HC-65): people by id; `start_date` is the company's local day."""
    return {
        "id": visit.id,
        "start_date": f"{visit.start.astimezone(ZoneInfo(account.time_zone)):%Y-%m-%d}",
        "start_time": iso(visit.start),
        "end_time": iso(visit.end),
        "anytime": False,
        "arrival_window_minutes": visit.window,
        "dispatched_employees_ids": list(visit.people),
    }


def visits_json(job: Job, account: Account) -> list[Json]:
    """The job's appointments by their start."""
    return [visit_json(one, account) for one in sorted(job.visits, key=lambda visit: visit.start)]


def visit_event_json(company: Company, job: Job, visit: Visit, people: Sequence[str]) -> Json:
    """An appointment in a webhook (HC-85): people as objects."""
    return {
        "id": visit.id,
        "job_id": job.id,
        "start_time": iso(visit.start),
        "end_time": iso(visit.end),
        "arrival_window_minutes": visit.window,
        "dispatched_employees": people_json(company, people),
    }


def line_json(line: Line) -> Json:
    """A line item (HC-67)."""
    return {
        "id": line.id,
        "name": line.name,
        "description": line.description,
        "unit_price": line.unit_price,
        "unit_cost": line.unit_cost,
        "unit_of_measure": None,
        "quantity": line.quantity,
        "kind": line.kind,
        "taxable": line.taxable,
        "amount": line.amount,
        "order_index": line.order_index,
        "service_item_id": line.service_item_id,
        "service_item_type": line.service_item_type,
    }


def lines_json(job: Job) -> Json:
    """A job's lines by their random ids, because the order of the array means nothing (HC-18, HC-69)."""
    data = [line_json(line) for line in sorted(job.lines, key=lambda line: line.id)]
    return {"object": "list", "url": f"/jobs/{job.id}/line_items", "data": data}


def job_json(company: Company, job: Job, expand: Collection[str] = ()) -> Json:
    """A job (§7.2): never its lines, its appointments only inside `schedule` and on demand (HC-45, HC-46)."""
    customer = company.customers[job.customer_id]
    address = customer.address(job.address_id)
    shown: Json = {
        "id": job.id,
        "invoice_number": job.invoice_number,
        "description": "",
        "customer": customer_in_job_json(customer, company.account),
        "address": None if address is None else address_json(address),
        "notes": [note_json(note) for note in job.notes],
        "work_status": job.status,
        "work_timestamps": {
            "on_my_way_at": iso_or_none(job.on_my_way_at),
            "started_at": iso_or_none(job.started_at),
            "completed_at": iso_or_none(job.completed_at),
        },
        "schedule": _schedule_json(job, company.account, expand),
        "total_amount": job.total,
        "outstanding_balance": job.total,
        "subtotal": job.total,
        "assigned_employees": people_json(company, job.assigned),
        "tags": [company.tags[one].name for one in job.tags],
        **_origin_json(company, job),
        **_record_json(job),
        **_of(company.account),
        "recurrence_number": None,
        "recurrence_rule": None,
    }
    if ATTACHMENTS in expand:
        shown["attachments"] = []
    return shown


def _schedule_json(job: Job, account: Account, expand: Collection[str]) -> Json:
    first = min(job.visits, key=lambda visit: visit.start, default=None)
    schedule: Json = {
        "scheduled_start": iso_or_none(job.start),
        "scheduled_end": iso_or_none(job.end),
        "arrival_window": first.window if first else 0,
    }
    if APPOINTMENTS in expand:
        schedule["appointments"] = visits_json(job, account)
    return schedule


def _origin_json(company: Company, job: Job) -> Json:
    kind = company.job_types[job.job_type_id] if job.job_type_id else None
    return {
        "original_estimate_id": None,
        "original_estimate_uuids": [],
        "lead_source": job.lead_source,
        "job_fields": {"job_type": named_json(kind) if kind else None, "business_unit": None},
    }


def _record_json(job: Job) -> Json:
    return {
        "locked_at": iso_or_none(job.locked_at),
        "created_at": iso(job.created_at),
        "updated_at": iso(job.updated_at),
        "canceled_at": iso_or_none(job.canceled_at),
        "deleted_at": iso_or_none(job.deleted_at),
    }
