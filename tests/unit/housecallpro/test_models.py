"""The service's JSON in all its shapes (housecallpro.md HC-7 … HC-15, §7, §9, §10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from changeover.core.job import Job, Visit
from changeover.core.job_order import Line
from changeover.housecallpro.errors import BadPayload
from changeover.housecallpro.models import (
    Address,
    AppointmentModel,
    Customer,
    JobModel,
    LineModel,
    Named,
    instant_text,
    parsed,
    parsed_all,
    quantity_number,
)

START = datetime(2026, 3, 4, 17, 15, tzinfo=UTC)
ALL_KEYS = frozenset({"work_status", "start", "visits", "assignees", "on_my_way", "started", "completed"})


def job(**body: object) -> Job:
    return parsed(JobModel, {"id": "job_1", **body}).job()


def test_a_whole_job_is_read():
    found = job(
        invoice_number="17",
        description="",
        customer={"id": "cus_1", "notes": ["x"], "email": "casey@example.com"},
        address={"id": "adr_1", "street": "1 Example Rd", "street_line_2": None, "city": "Mesa", "zip": 1},
        notes=[{"id": "nte_1", "content": "Gate is stiff"}, {"id": "nte_2", "content": None}],
        work_status="scheduled",
        work_timestamps={"on_my_way_at": "2026-03-04T17:00:00Z", "started_at": None, "completed_at": None},
        schedule={
            "scheduled_start": "2026-03-04T17:15:00Z",
            "scheduled_end": "2026-03-04T11:15:00.250-07:00",
            "arrival_window": 30,
            "appointments": [
                {
                    "id": "appt_1",
                    "start_time": "2026-03-04T17:15:00Z",
                    "end_time": None,
                    "arrival_window_minutes": 30,
                    "dispatched_employees_ids": ["pro_1"],
                },
                {"id": None},
            ],
        },
        total_amount=14500.0,
        assigned_employees=[{"id": "pro_1", "first_name": "Robin ", "last_name": "Example"}, {"first_name": None}],
        job_fields={"job_type": {"id": "jbt_1", "name": "Turnover"}, "business_unit": None},
        created_at="2026-03-01T16:00:00Z",
        updated_at="2026-03-01T16:00:00Z",
        locked_at=None,
    )  # fmt: skip
    at = datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert found == Job(
        id="job_1",
        customer_id="cus_1",
        address_id="adr_1",
        address="1 Example Rd Mesa 1",
        work_status="scheduled",
        start=START,
        end=START + timedelta(hours=1, milliseconds=250),
        window_minutes=30,
        visits=(Visit("appt_1", START, None, 30, ("pro_1",)),),
        assignees=("Robin Example", ""),
        employee_ids=("pro_1",),
        job_type_id="jbt_1",
        notes=("Gate is stiff",),
        on_my_way=START - timedelta(minutes=15),
        total_cents=14500,
        created=at,
        updated=at,
    )


def test_what_is_absent_is_told_apart_from_what_is_null():
    """J-66, JX-28, JX-44."""
    assert job().absent == ALL_KEYS
    nulls = job(work_status=None, schedule=None, assigned_employees=None, work_timestamps=None)
    assert nulls == Job("job_1")
    partly = job(schedule={"scheduled_start": None}, work_timestamps={"started_at": None})
    assert partly.absent == ALL_KEYS - {"start", "started"}


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        ({"notes": "one"}, ("one",)),
        ({"notes": None, "note": "old"}, ("old",)),
        ({"notes": ["a", {"content": "b"}, 7]}, ("a", "b")),
    ],
)
def test_notes_come_as_texts_objects_or_one_text(body, notes):
    """HC-15."""
    assert job(**body).notes == notes


@pytest.mark.parametrize("fields", [None, {}, {"job_type": None}, {"job_type": {"id": None}}])
def test_a_job_may_have_no_type_and_no_place(fields):
    """HC-14."""
    bare = job(job_fields=fields, address={"id": None, "street": None}, customer=None)
    assert (bare.job_type_id, bare.address_id, bare.address, bare.customer_id) == (None, "", "", "")


def test_a_time_without_offset_is_utc_and_an_empty_one_is_none():
    """HC-11, HC-12."""
    assert job(created_at="2026-03-04T17:15:00").created == START
    assert job(created_at="").created is None


@pytest.mark.parametrize("at", [0, 1772647331, "soon", ["2026-03-04"]])
def test_what_is_no_time_is_an_error_and_never_1970(at):
    with pytest.raises(BadPayload) as refusal:
        job(schedule={"scheduled_start": at})
    assert refusal.value.text == "Not as expected: schedule.scheduled_start"


@pytest.mark.parametrize("body", [{"name": "x"}, [], "text", {"id": ["casey@example.com"]}])
def test_what_is_no_job_is_an_error_that_repeats_nothing_of_it(body):
    with pytest.raises(BadPayload) as refusal:
        parsed(JobModel, body)
    assert "casey" not in str(refusal.value)


def test_what_is_no_list_is_never_an_empty_one():
    """HC-30."""
    for answer in (None, {}, "[]"):
        with pytest.raises(BadPayload):
            parsed_all(LineModel, answer)
    assert parsed_all(Named, [{"id": "t", "name": None}]) == [Named(id="t", name="")]


def test_people_of_a_visit_come_as_ids_or_as_objects():
    """HC-65, HC-85."""
    objects = {"id": "appt_1", "dispatched_employees": [{"id": "pro_1"}, {"employee_id": "pro_2"}, {}]}
    assert parsed(AppointmentModel, objects).visit().employee_ids == ("pro_1", "pro_2")
    assert parsed(AppointmentModel, {"id": "appt_1", "dispatched_employees_ids": None}).visit() == Visit("appt_1")


@pytest.mark.parametrize("word", ["unscheduled", "in_progress", "completed", "canceled", "deleted", None, "paused"])
def test_a_status_is_kept_as_it_came_however_rare_or_new(word):
    """HC-58."""
    assert job(work_status=word).work_status == word


def test_a_whole_line_item_is_read():
    body = {
        "id": "rli_1", "name": "Clean", "description": None, "unit_price": 14500.0, "unit_cost": "9000",
        "quantity": 1.25, "kind": "materials", "taxable": False, "amount": 18125, "order_index": 3,
        "service_item_id": "svc", "service_item_type": "organizational", "unit_of_measure": "hour",
    }  # fmt: skip
    assert parsed(LineModel, body).line() == Line(
        "Clean",
        "rli_1",
        "",
        14500,
        9000,
        Decimal("1.25"),
        "materials",
        False,
        "svc",
        "organizational",
        "hour",
        18125,
        3,
    )


def test_a_bare_line_item_is_as_the_service_would_make_it():
    """HC-68, HC-70."""
    assert parsed(LineModel, {"name": "Clean", "kind": None, "unit_price": None, "quantity": None}).line() == Line(
        "Clean"
    )


@pytest.mark.parametrize("body", [{"unit_price": "much"}, {"quantity": "many"}])
def test_what_is_no_number_is_an_error(body):
    with pytest.raises(BadPayload):
        parsed(LineModel, body)


def test_a_customer_brings_its_addresses():
    found = parsed(Customer, {"id": "cus_1", "addresses": [{"id": "adr_1", "zip": "85201"}], "notes": None})
    assert found.addresses == [Address(id="adr_1", zip="85201")]
    assert parsed(Customer, {"id": "cus_1", "addresses": None}).addresses == []


def test_times_go_out_in_utc_with_z():
    """HC-11."""
    phoenix = timezone(timedelta(hours=-7))
    assert instant_text(datetime(2026, 3, 4, 10, 15, tzinfo=phoenix)) == "2026-03-04T17:15:00Z"


@pytest.mark.parametrize(("quantity", "number"), [("1", 1), ("2.00", 2), ("2.5", 2.5), ("0.333", 0.33)])
def test_a_quantity_goes_out_whole_or_with_two_decimals(quantity, number):
    """HC-9."""
    assert quantity_number(Decimal(quantity)) == number
