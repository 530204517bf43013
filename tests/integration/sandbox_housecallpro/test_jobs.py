"""Creating and reading jobs (HC-7 to HC-15, HC-39 to HC-52, HC-101, HC-102, HC-104)."""

import re

import pytest

from plugins.housecallpro import END, PLACE, START

FIELDS = {
    "id", "invoice_number", "description", "customer", "address", "notes", "work_status", "work_timestamps", "schedule",
    "total_amount", "outstanding_balance", "subtotal", "assigned_employees", "tags", "original_estimate_id",
    "original_estimate_uuids", "lead_source", "job_fields", "locked_at", "created_at", "updated_at", "canceled_at",
    "deleted_at", "company_name", "company_id", "recurrence_number", "recurrence_rule",
}  # fmt: skip


def order(service, **more: object) -> dict:
    customer = service.customer()
    return {"customer_id": customer["id"], "address_id": customer["addresses"][0]["id"], **more}


def test_a_job_is_created_whole_and_its_appointment_is_there_at_the_next_read(service) -> None:
    """HC-48, HC-51, HC-102."""
    person, kind = service.employee(), service.job_type("STR Next Guest")
    body = order(
        service,
        schedule={"scheduled_start": START, "scheduled_end": END, "arrival_window": 30},
        assigned_employee_ids=[person["id"], person["id"]],
        line_items=[{"name": "Turnover", "unit_price": 14500.0, "quantity": 1.5}, {"name": "Extra", "quantity": 0}],
        tags=["Pool", "Dogs", "Pool"],
        notes="Changeover ref recSTAY0000000001",
        lead_source="Web",
        job_fields={"job_type_id": kind["id"]},
    )
    answer = service.call("POST", "/jobs", body)
    job = answer.json()
    assert answer.status_code == 201
    assert "appointments" not in job["schedule"]
    assert set(job) == FIELDS
    assert job["work_status"] == "scheduled"
    assert job["schedule"] == {"scheduled_start": START, "scheduled_end": END, "arrival_window": 30}
    assert [one["id"] for one in job["assigned_employees"]] == [person["id"]]
    assert job["job_fields"] == {"job_type": kind, "business_unit": None}
    assert job["tags"] == ["Pool", "Dogs"]
    assert [note["content"] for note in job["notes"]] == ["Changeover ref recSTAY0000000001"]
    assert (job["total_amount"], job["lead_source"], job["description"]) == (21750, "Web", "")
    appointment = service.read(job)["schedule"]["appointments"][0]
    assert appointment == {
        "id": appointment["id"],
        "start_date": "2026-03-04",
        "start_time": START,
        "end_time": END,
        "anytime": False,
        "arrival_window_minutes": 30,
        "dispatched_employees_ids": [person["id"]],
    }


def test_ids_are_a_prefix_and_32_hex_digits(service) -> None:
    person, kind = service.employee(), service.job_type("A")
    job = service.job(notes="x", line_items=[{"name": "A"}])
    ids = [
        job["id"], job["customer"]["id"], job["address"]["id"], job["notes"][0]["id"], person["id"], kind["id"],
        job["schedule"]["appointments"][0]["id"], service.lines(job)[0]["id"],
    ]  # fmt: skip
    assert [one.partition("_")[0] for one in ids] == ["job", "cus", "adr", "nte", "pro", "jbt", "appt", "rli"]
    assert all(re.fullmatch(r"[a-z]+_[0-9a-f]{32}", one) for one in ids)


def test_without_a_schedule_a_job_needs_scheduling(service) -> None:
    person = service.employee()
    job = service.job(start=None, assigned_employee_ids=[person["id"]])
    assert job["work_status"] == "needs scheduling"
    empty = {"scheduled_start": None, "scheduled_end": None, "arrival_window": 0, "appointments": []}
    assert job["schedule"] == empty
    assert [one["id"] for one in job["assigned_employees"]] == [person["id"]]
    assert service.job(start=None, schedule={"scheduled_start": None})["work_status"] == "needs scheduling"


def test_appointments_and_attachments_come_only_on_demand(service) -> None:
    """HC-46."""
    job = service.job()
    plain = service.ok("GET", f"/jobs/{job['id']}")
    assert "appointments" not in plain["schedule"]
    assert "attachments" not in plain
    both = service.ok("GET", f"/jobs/{job['id']}?expand=attachments&expand=appointments")
    assert both["attachments"] == []
    assert len(both["schedule"]["appointments"]) == 1
    assert service.call("GET", f"/jobs/{job['id']}?expand[]=line_items").status_code == 400


def test_a_job_never_shows_its_lines(service) -> None:
    """HC-45."""
    job = service.job(line_items=[{"name": "A"}])
    assert "line_items" not in job
    assert "line_items" not in service.ok("GET", "/jobs")["jobs"][0]


def test_unknown_keys_have_no_effect(service) -> None:
    """HC-49, HC-101."""
    job = service.job(
        start=None,
        work_status="completed",
        scheduled_start=START,
        description="No",
        line_items=[{"name": "A", "kind": "materials", "taxable": False}],
    )
    assert (job["work_status"], job["description"]) == ("needs scheduling", "")
    assert [(one["kind"], one["taxable"]) for one in service.lines(job)] == [("labor", True)]


def test_invoice_numbers_are_numbers_in_requests_and_strings_in_answers(service) -> None:
    """HC-8, HC-50: each is used once."""
    assert service.job(invoice_number=41)["invoice_number"] == "41"
    assert service.job()["invoice_number"] == "42"
    taken = service.call("POST", "/jobs", order(service, invoice_number=41))
    assert (taken.status_code, taken.json()["invoice_number"]) == (400, "has already been taken")
    assert service.call("POST", "/jobs", order(service, invoice_number="43")).status_code == 400


def test_times_are_answered_in_utc_whatever_the_offset(service) -> None:
    job = service.job("2026-03-04T10:15:00.750-07:00", "2026-03-04T11:15:00-07:00")
    assert (job["schedule"]["scheduled_start"], job["schedule"]["scheduled_end"]) == (START, END)


def test_start_date_is_the_companys_local_day(service) -> None:
    job = service.job("2026-03-05T02:00:00Z", "2026-03-05T03:00:00Z")
    assert job["schedule"]["appointments"][0]["start_date"] == "2026-03-04"


def test_a_job_without_an_end_lasts_an_hour(service) -> None:
    assert service.job(START, None)["schedule"]["scheduled_end"] == END


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"customer_id": None}, 400, "customer_id"),
        ({"customer_id": 7}, 400, "customer_id"),
        ({"address_id": None}, 400, "address_id"),
        ({"customer_id": "cus_" + "0" * 32}, 404, "customer not found"),
        ({"address_id": "adr_" + "0" * 32}, 404, "address not found"),
        ({"assigned_employee_ids": ["pro_" + "0" * 32]}, 400, "assigned_employee_ids"),
        ({"assigned_employee_ids": "pro_"}, 400, "assigned_employee_ids"),
        ({"job_fields": {"job_type_id": "jbt_" + "0" * 32}}, 400, "job_type_id"),
        ({"job_fields": {"business_unit_id": "x"}}, 400, "business_unit_id"),
        ({"schedule": {"scheduled_start": "2026-03-04T10:15:00"}}, 400, "scheduled_start"),
        ({"schedule": {"scheduled_start": "2026-03-04"}}, 400, "scheduled_start"),
        ({"schedule": {"scheduled_start": "2026-13-04T10:15:00Z"}}, 400, "scheduled_start"),
        ({"schedule": {"scheduled_start": "0001-01-01T00:00:00+14:00"}}, 400, "scheduled_start"),
        ({"schedule": {"scheduled_start": "9999-12-31T23:00:00Z"}}, 400, "scheduled_end"),
        ({"schedule": {"scheduled_start": 1772647400}}, 400, "scheduled_start"),
        ({"schedule": {"scheduled_end": END}}, 400, "schedule"),
        ({"schedule": {"scheduled_start": END, "scheduled_end": START}}, 400, "scheduled_end"),
        ({"schedule": {"scheduled_start": START, "scheduled_end": START}}, 400, "scheduled_end"),
        ({"schedule": {"scheduled_start": START, "arrival_window": 7.5}}, 400, "arrival_window"),
        ({"schedule": {"anytime": True, "anytime_start_date": "2026-03-04"}}, 400, "schedule"),
        ({"schedule": {"anytime_start_date": 4}}, 400, "anytime_start_date"),
        ({"schedule": {"anytime_start_date": "soon"}}, 400, "anytime_start_date"),
        ({"schedule": START}, 400, "schedule"),
        ({"line_items": [{}]}, 400, "name"),
        ({"line_items": [{"name": " "}]}, 400, "name"),
        ({"line_items": [{"name": "A", "unit_price": 1.5}]}, 400, "unit_price"),
        ({"line_items": [{"name": "A", "unit_price": "1"}]}, 400, "unit_price"),
        ({"line_items": [{"name": "A", "unit_price": True}]}, 400, "unit_price"),
        ({"line_items": [{"name": "A", "unit_price": 1e300}]}, 400, "unit_price"),
        ({"line_items": [{"name": "A", "quantity": 1.005}]}, 400, "quantity"),
        ({"line_items": [{"name": "A", "quantity": -1}]}, 400, "quantity"),
        ({"notes": ["a"]}, 400, "notes"),
        ({"tags": [" "]}, 400, "tags"),
        ({"invoice_number": 1.5}, 400, "invoice_number"),
    ],
)
def test_a_wrong_order_is_refused_and_nothing_is_created(service, change: dict, status: int, told: str) -> None:
    body = {key: value for key, value in order(service, **change).items() if value is not None}
    answer = service.call("POST", "/jobs", body)
    assert answer.status_code == status, answer.text
    if status == 404:
        assert answer.json() == {"error": {"message": told}}
    else:
        assert answer.json()[told] in answer.json()["message"]
    assert service.ok("GET", "/jobs")["total_items"] == 0


def test_what_is_anytime_on_a_day_but_false_is_a_plain_schedule(service) -> None:
    body = {"scheduled_start": START, "anytime": False, "anytime_start_date": "2026-03-04"}
    assert service.job(start=None, schedule=body)["work_status"] == "scheduled"


def test_an_inactive_employee_cannot_be_assigned_anew_but_stays_in_old_jobs(service) -> None:
    person = service.employee()
    job = service.job(assigned_employee_ids=[person["id"]])
    service.employee(id=person["id"], active=False)
    assert service.read(job)["assigned_employees"][0]["id"] == person["id"]
    refused = service.call("POST", "/jobs", order(service, assigned_employee_ids=[person["id"]]))
    assert refused.status_code == 400


def test_an_address_may_be_an_object_of_nulls(service) -> None:
    job = service.job(customer=service.customer(addresses=[{}]))
    assert {key for key, value in job["address"].items() if value is not None} == {"id", "type"}


def test_the_customer_in_a_job_has_no_addresses(service) -> None:
    customer = service.customer(addresses=[PLACE], notes="Key at desk", mobile_number="6025550100")
    shown = service.job(customer=customer)["customer"]
    assert "addresses" not in shown
    assert (shown["notes"], shown["mobile_number"]) == ("Key at desk", "6025550100")


def test_a_deleted_job_is_not_found_its_parts_are_gone_and_lists_lack_it(service) -> None:
    job = service.job(line_items=[{"name": "A"}])
    assert service.act(job, "delete").status_code == 200
    read = service.call("GET", f"/jobs/{job['id']}")
    assert (read.status_code, read.json()) == (404, {"error": {"message": "job not found"}})
    for method, part in (
        ("GET", "line_items"),
        ("GET", "appointments"),
        ("PUT", "schedule"),
        ("DELETE", "schedule"),
        ("PUT", "dispatch"),
        ("PUT", "line_items/bulk_update"),
        ("POST", "notes"),
        ("POST", "tags"),
        ("POST", "lock"),
    ):
        answer = service.call(method, f"/jobs/{job['id']}/{part}", {})
        assert (answer.status_code, answer.content) == (410, b""), part
    assert service.ok("GET", "/jobs")["jobs"] == []
    unknown = service.call("GET", "/jobs/job_x/line_items")
    assert (unknown.status_code, unknown.json()) == (404, {"error": {"message": "job not found"}})


def test_a_canceled_job_stays_readable_and_listed(service) -> None:
    job = service.job()
    service.act(job, "cancel")
    assert service.read(job)["work_status"] == "pro canceled"
    assert [one["id"] for one in service.ok("GET", "/jobs")["jobs"]] == [job["id"]]
