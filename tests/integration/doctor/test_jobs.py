"""What the doctor says of Housecall Pro: key, company, people, job types, homes (D-6, D-7, J-8, J-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from changeover.doctor import jobs
from changeover.doctor.result import Level, Patient, Result
from changeover.store.mirror import Record
from plugins.job_house import House


def patient(house: House, *, ticked: bool = False, **settings: object) -> Patient:
    row = Record("recAUTO0000000001", house.desk.clock(), {"Name": "Add Service Jobs", "Active": True})
    return Patient(
        house.desk.settings.model_copy(update=settings),
        house.desk.clock(),
        house.desk.db,
        house.desk.airtable,
        None,
        {"Automation": (row,) if ticked else ()},
    )


def said(check: Callable[[Patient], Iterator[Result]], who: Patient) -> dict[str, list[tuple[Level, str]]]:
    found: dict[str, list[tuple[Level, str]]] = {}
    for each in check(who):
        found.setdefault(each.check, []).append((each.level, each.text))
    return found


def test_a_company_that_is_set_up_is_well(house: House) -> None:
    assert said(jobs.company, patient(house)) == {
        "housecallpro": [(Level.OK, "the key opens the company")],
        "assignee": [(Level.OK, "HCP_EMPLOYEE_ID is an active employee")],
        "job types": [(Level.OK, "all four exist")],
    }
    assert said(jobs.homes, patient(house)) == {"homes": [(Level.OK, "1 of 1 can get jobs")]}


def test_without_settings_it_is_not_in_use_unless_a_step_is_ticked(house: House) -> None:
    """J-8."""
    unused, wanted = (patient(house, ticked=each, hcp_api_key=None) for each in (False, True))

    assert said(jobs.company, unused) == {"housecallpro": [(Level.OK, "not in use")]}
    assert said(jobs.company, wanted) == {"housecallpro": [(Level.FAIL, "not set: HCP_API_KEY")]}
    assert said(jobs.homes, unused) == {}
    untyped = patient(house, ticked=True, hcp_str_next_guest_job_type_id=None)
    assert said(jobs.company, untyped) == {"housecallpro": [(Level.FAIL, "not set: HCP_STR_NEXT_GUEST_JOB_TYPE_ID")]}


def test_what_of_the_company_is_wrong_is_named(house: House) -> None:
    """J-8, J-10, HC-122."""
    who = patient(
        house,
        ticked=True,
        hcp_company_id="00000000-0000-0000-0000-000000000000",
        timezone="America/Denver",
        hcp_employee_id=f"pro_{3:032x}",
        hcp_str_owner_job_type_id=f"jbt_{3:032x}",
        hcp_inspection_job_type_id=None,
    )

    found = said(jobs.company, who)

    assert (Level.FAIL, "HCP_API_KEY opens another company than HCP_COMPANY_ID says") in found["housecallpro"]
    zone = "the company's time zone is America/Phoenix, TIMEZONE is America/Denver"
    assert (Level.FAIL, zone) in found["housecallpro"]
    assert found["assignee"] == [(Level.FAIL, "HCP_EMPLOYEE_ID is no active employee")]
    assert found["job types"] == [
        (Level.FAIL, "no job type of the company: HCP_STR_OWNER_JOB_TYPE_ID"),
        (Level.OK, "not set, the next guest's is used: HCP_INSPECTION_JOB_TYPE_ID"),
    ]
    nobody = said(jobs.company, patient(house, hcp_employee_id=None))
    assert nobody["assignee"] == [(Level.OK, "HCP_EMPLOYEE_ID is not set: new jobs are nobody's")]


def test_a_wrong_key_or_address_says_what_to_change(house: House) -> None:
    """HC-115."""
    url = house.desk.settings.hcp_base_url
    versioned = next(jobs.company(patient(house, hcp_base_url=f"{url}/v1")))
    elsewhere = next(jobs.company(patient(house, hcp_base_url=f"{url}/api")))
    house.service.fault("status", method="GET", path="^/company$", value=404, times=None)
    neither = next(jobs.company(patient(house, hcp_base_url=f"{url}/v1")))
    house.heal()
    house.service.fault("status", method="GET", path="^/company$", value=401)
    refused = list(jobs.company(patient(house, ticked=True)))

    assert [each.do for each in (versioned, elsewhere, neither)] == [
        "remove /v1",
        "correct HCP_BASE_URL",
        "correct HCP_BASE_URL",
    ]
    assert versioned.level is Level.WARN
    assert [(each.level, each.text) for each in refused] == [
        (Level.FAIL, "Housecall Pro does not accept HCP_API_KEY"),
    ]


def test_homes_that_cannot_get_jobs_are_named_by_what_lacks(house: House) -> None:
    """J-10."""
    house.add("Properties", Property_Name="Bare House")
    house.home("Lost House", HCP_Address_ID="")
    house.home("Odd House", HCP_Address_ID=f"adr_{3:032x}", Turnover_Job_Template_ID=f"job_{3:032x}")
    gone = house.add("Customers", Full_Name="Gone", HCP_Customer_ID=f"cus_{3:032x}")
    for number in range(4):
        house.home(f"House {number}", HCP_Customer_ID=[gone])

    found = said(jobs.homes, patient(house, ticked=True))["homes"]

    assert (Level.WARN, "1 with no HCP Customer ID: Bare House") in found
    assert (Level.WARN, "1 with no Turnover Job Template ID: Bare House") in found
    assert (Level.WARN, "1 with no HCP Address ID: Lost House") in found
    assert (Level.WARN, "1 with a Turnover Job Template ID that is gone or has no line items: Odd House") in found
    assert any("5 with an HCP Address ID that is not its customer's" in text for _, text in found)
    assert any(text.endswith("and 2 more") for _, text in found)
    assert found[-1] == (Level.OK, "1 of 8 can get jobs")


def test_where_no_home_can_get_a_job_the_automations_of_jobs_cannot_work(house: House) -> None:
    house.edit(house.ids["home"], "Properties", HCP_Address_ID="")

    levels = [said(jobs.homes, patient(house, ticked=ticked))["homes"][0][0] for ticked in (True, False)]

    assert levels == [Level.FAIL, Level.WARN]


def test_a_service_or_base_that_does_not_answer_ends_the_look(house: House) -> None:
    house.service.fault("status", method="GET", path="^/customers$", value=401)
    stopped = said(jobs.homes, patient(house))["homes"]
    house.break_airtable("status", method="GET", times=None, value=401)

    assert stopped == [
        (Level.WARN, "0 of 1 looked at: invalid token"),
        (Level.OK, "0 of 1 can get jobs"),
    ]
    assert said(jobs.homes, replace(patient(house))) == {}
