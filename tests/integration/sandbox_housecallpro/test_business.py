"""A whole company in one call: there all at once, or not at all, and no webhook tells of it (HC-111)."""

import pytest

from plugins.housecallpro import END, PLACE, PROD, START

EMPLOYEE, KIND, CUSTOMER, ADDRESS, JOB, TEMPLATE = (
    f"{prefix}_{number:032x}" for number, prefix in enumerate(("pro", "jbt", "cus", "adr", "job", "job"), start=1)
)
TIMES = {"scheduled_start": START, "scheduled_end": END, "arrival_window": 30}
LINES = [
    {"name": "Turnover", "unit_price": 14500, "kind": "labor"},
    {"name": "Soap", "unit_price": 250, "unit_cost": 100, "quantity": 1.5, "kind": "materials", "taxable": False},
]


def _job(job_id: str = JOB, **more: object) -> dict:
    return {"id": job_id, "customer_id": CUSTOMER, "address_id": ADDRESS, **more}


def _business(**more: object) -> dict:
    return {
        "employees": [{"id": EMPLOYEE, "first_name": "Robin", "last_name": "Example"}],
        "job_types": [{"id": KIND, "name": "Turnover"}],
        "customers": [{"id": CUSTOMER, "first_name": "Casey", "addresses": [{"id": ADDRESS, **PLACE}]}],
        "jobs": [
            _job(TEMPLATE, line_items=LINES, job_type_id=KIND),
            _job(JOB, schedule=TIMES, assigned_employee_ids=[EMPLOYEE], notes="By the pool"),
        ],
        **more,
    }


def test_everything_is_there_with_the_ids_it_was_given(service) -> None:
    answer = service.control("POST", "/business", _business())
    assert (answer.status_code, answer.json()) == (201, {"customers": 1, "jobs": 2})
    assert [one["id"] for one in service.ok("GET", "/employees")["employees"]] == [EMPLOYEE]
    customer = service.ok("GET", f"/customers/{CUSTOMER}")
    assert (customer["first_name"], customer["tags"]) == ("Casey", [])
    assert [one["id"] for one in customer["addresses"]] == [ADDRESS]
    template, job = service.read({"id": TEMPLATE}), service.read({"id": JOB})
    assert template["work_status"] == "needs scheduling"
    assert template["job_fields"]["job_type"] == {"id": KIND, "name": "Turnover"}
    assert template["total_amount"] == 14875
    assert [(line["name"], line["quantity"], line["taxable"]) for line in service.lines(template)] == [
        ("Turnover", 1, True),
        ("Soap", 1.5, False),
    ]
    assert (job["work_status"], job["schedule"]["scheduled_start"]) == ("scheduled", START)
    assert job["schedule"]["appointments"][0]["arrival_window_minutes"] == 30
    assert [one["id"] for one in job["assigned_employees"]] == [EMPLOYEE]
    assert [note["content"] for note in job["notes"]] == ["By the pool"]
    assert (template["invoice_number"], job["invoice_number"]) == ("1", "2")


def test_it_is_added_to_what_is_there_in_one_company_only(service) -> None:
    service.control("POST", "/business", _business(jobs=[], env="prod"))
    service.job()
    assert service.as_(PROD).ok("GET", "/customers")["total_items"] == 1
    assert service.call("GET", f"/customers/{CUSTOMER}").status_code == 404
    later = {"env": "prod", "jobs": [_job(assigned_employee_ids=[EMPLOYEE], job_type_id=KIND, schedule={})]}
    assert service.control("POST", "/business", later).status_code == 201
    assert service.as_(PROD).read({"id": JOB})["work_status"] == "needs scheduling"


def test_no_webhook_tells_of_it(service, receiver) -> None:
    service.listen(receiver.url)
    receiver.clear()
    service.control("POST", "/business", _business())
    service.settle()
    assert receiver.events == []


OTHER = f"cus_{9:032x}"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"env": "test"}, "no test"),
        ({"colour": "red"}, "colour"),
        ({"customers": [{"id": "cus_1"}]}, "32 hex digits"),
        ({"job_types": [{"id": KIND, "name": " "}]}, "blank"),
        ({"jobs": [_job(customer_id=OTHER)]}, "no such customer"),
        ({"jobs": [_job(address_id=f"adr_{9:032x}")]}, "no such customer with this address"),
        ({"jobs": [_job(job_type_id=f"jbt_{9:032x}")]}, "no such job type"),
        ({"jobs": [_job(assigned_employee_ids=[f"pro_{9:032x}"])]}, "no such employee"),
        ({"jobs": [_job(schedule={"scheduled_start": END, "scheduled_end": START})]}, "not after the start"),
        ({"jobs": [_job(), _job()]}, "there already"),
    ],
)
def test_what_does_not_fit_together_is_refused_whole(service, fault: dict, said: str) -> None:
    answer = service.control("POST", "/business", _business(**fault))
    assert answer.status_code == 400
    assert said in answer.text
    for plural in ("customers", "employees", "jobs"):
        assert service.ok("GET", f"/{plural}")["total_items"] == 0


def test_what_is_there_is_not_taken_twice(service) -> None:
    assert service.control("POST", "/business", _business()).status_code == 201
    answer = service.control("POST", "/business", _business())
    assert (answer.status_code, "there already" in answer.text) == (400, True)
    assert service.ok("GET", "/jobs")["total_items"] == 2
