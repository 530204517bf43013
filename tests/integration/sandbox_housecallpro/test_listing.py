"""Pages, order and filters (HC-16 to HC-20, HC-40 to HC-44, HC-57, HC-100)."""

import pytest

from plugins.housecallpro import DEV

LISTS = [
    ("/jobs", "jobs"),
    ("/customers", "customers"),
    ("/employees", "employees"),
    ("/job_fields/job_types", "job_types"),
    ("/tags", "tags"),
]


def ids(answer: dict, plural: str = "jobs") -> list[str]:
    return [one["id"] for one in answer[plural]]


@pytest.fixture
def five(service) -> list[dict]:
    """Five jobs of one customer, a day apart, the first of them unscheduled."""
    customer = service.customer()
    jobs = [service.job(start=None, customer=customer)]
    for day in range(1, 5):
        service.clock.ahead += 1
        jobs.append(service.job(f"2026-03-0{day}T17:00:00Z", f"2026-03-0{day}T18:00:00Z", customer=customer))
    return jobs


@pytest.mark.parametrize(("path", "plural"), LISTS)
def test_an_empty_list_has_totals_of_zero(service, path: str, plural: str) -> None:
    """HC-16, HC-17."""
    expected = {"page": 1, "page_size": 10, "total_pages": 0, "total_items": 0, plural: []}
    assert service.ok("GET", path) == expected


@pytest.mark.parametrize(("path", "plural"), LISTS[1:])
def test_every_list_is_paged_and_shows_the_newest_first(service, path: str, plural: str) -> None:
    """HC-16, HC-17."""
    made = []
    for number in range(3):
        service.clock.ahead += 1
        match plural:
            case "customers":
                made.append(service.customer(first_name=f"C{number}")["id"])
            case "employees":
                made.append(service.employee(f"E{number}")["id"])
            case "tags":
                made.append(service.ok("POST", path, {"name": f"T{number}"})["id"])
            case _:
                made.append(service.job_type(f"J{number}")["id"])
    first = service.ok("GET", path, page_size=2)
    second = service.ok("GET", path, page_size=2, page=2)
    assert ids(first, plural) + ids(second, plural) == made[::-1]
    assert ids(service.ok("GET", path, sort_direction="asc"), plural) == made
    assert (first["total_pages"], first["total_items"], second["page"]) == (2, 3, 2)
    assert service.call("GET", f"{path}?sort_by=shoe_size").status_code == 400


def test_ten_are_a_page_and_two_hundred_are_the_most(service) -> None:
    customer = service.customer()
    for _ in range(11):
        service.job(customer=customer)
    first = service.ok("GET", "/jobs")
    assert (len(first["jobs"]), first["page_size"], first["total_pages"]) == (10, 10, 2)
    assert len(service.ok("GET", "/jobs", page=2)["jobs"]) == 1
    assert service.ok("GET", "/jobs", page=3)["jobs"] == []
    assert service.ok("GET", "/jobs", page_size=5000)["page_size"] == 200


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=x",
        "page_size=0",
        "page_size=²",
        "sort_by=scheduled_start",
        "sort_direction=up",
        "work_status[]=needs%20scheduling",
        "work_status=done",
        "expand[]=everything",
        "scheduled_start_min=2026-03-04",
        "scheduled_end_max=2026-03-04T10:00:00",
    ],
)
def test_a_query_that_is_not_understood_is_refused(service, query: str) -> None:
    answer = service.call("GET", f"/jobs?{query}")
    assert (answer.status_code, "message" in answer.json()) == (400, True)


def test_unknown_query_keys_are_ignored(service, five) -> None:
    assert service.ok("GET", "/jobs?updated_at_min=2100-01-01T00:00:00Z&address_id=x")["total_items"] == 5


def test_jobs_come_newest_first_unless_the_query_says_otherwise(service, five) -> None:
    """HC-42."""
    made = [job["id"] for job in five]
    assert ids(service.ok("GET", "/jobs")) == made[::-1]
    assert ids(service.ok("GET", "/jobs", sort_direction="asc")) == made
    service.clock.ahead += 1
    service.act(five[2], "on_my_way")
    assert ids(service.ok("GET", "/jobs", sort_by="updated_at"))[0] == five[2]["id"]
    assert ids(service.ok("GET", "/jobs", sort_by="id", sort_direction="asc")) == sorted(made)
    numbers = service.ok("GET", "/jobs", sort_by="invoice_number", sort_direction="asc")
    assert [one["invoice_number"] for one in numbers["jobs"]] == ["1", "2", "3", "4", "5"]
    assert service.ok("GET", "/jobs", sort_by="work_status")["jobs"][-1]["work_status"] == "needs scheduling"
    assert len(ids(service.ok("GET", "/jobs", sort_by="description"))) == 5


def test_windows_include_their_bounds_and_miss_jobs_without_a_start(service, five) -> None:
    def found(**query: str) -> list[str]:
        return ids(service.ok("GET", "/jobs", sort_direction="asc", **query))

    made = [job["id"] for job in five]
    assert found(scheduled_start_min="2026-03-02T17:00:00Z") == made[2:]
    assert found(scheduled_start_max="2026-03-02T17:00:00Z") == made[1:3]
    assert (
        found(scheduled_start_min="2026-03-02T10:00:00-07:00", scheduled_start_max="2026-03-03T17:00:00Z") == made[2:4]
    )
    assert found(scheduled_end_min="2026-03-04T18:00:00Z") == made[4:]
    assert found(scheduled_end_max="2026-03-01T17:59:59Z") == []


def test_a_job_of_several_visits_is_found_by_its_first_start_and_last_end_only(service) -> None:
    job = service.job("2026-03-01T17:00:00Z", "2026-03-01T18:00:00Z")
    for day in (9, 5):
        visit = {"start": f"2026-03-0{day}T17:00:00Z", "end": f"2026-03-0{day}T18:00:00Z"}
        service.act(job, "add_appointment", **visit)
    read = service.read(job)["schedule"]
    assert (read["scheduled_start"], read["scheduled_end"]) == ("2026-03-01T17:00:00Z", "2026-03-09T18:00:00Z")
    assert [one["start_date"] for one in read["appointments"]] == ["2026-03-01", "2026-03-05", "2026-03-09"]
    assert service.ok("GET", "/jobs", scheduled_start_min="2026-03-02T00:00:00Z")["jobs"] == []
    assert len(service.ok("GET", "/jobs", scheduled_end_min="2026-03-09T18:00:00Z")["jobs"]) == 1


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("unscheduled", "needs scheduling"),
        ("scheduled", "scheduled"),
        ("in_progress", "in progress"),
        ("completed", "complete unrated"),
        ("completed", "complete rated"),
        ("canceled", "pro canceled"),
        ("canceled", "user canceled"),
    ],
)
def test_the_filter_has_words_of_its_own_for_the_statuses(service, word: str, status: str) -> None:
    service.job(start=None)
    for actions in (
        [],
        [("start", {})],
        [("complete", {})],
        [("complete", {"rated": True})],
        [("cancel", {})],
        [("cancel", {"by": "user"})],
    ):
        job = service.job()
        for action, more in actions:
            assert service.act(job, action, **more).status_code == 200
    found = service.ok("GET", f"/jobs?work_status[]={word}")["jobs"]
    assert status in {one["work_status"] for one in found}
    assert service.ok("GET", "/jobs")["total_items"] == 7


def test_arrays_come_with_brackets_or_as_a_repeated_name(service, five) -> None:
    service.act(five[1], "start")
    for query in (
        "work_status[]=unscheduled&work_status[]=in_progress",
        "work_status=unscheduled&work_status=in_progress",
    ):
        assert ids(service.ok("GET", f"/jobs?{query}")) == [five[1]["id"], five[0]["id"]]


def test_jobs_are_found_by_customer_employee_and_location(service, five) -> None:
    person = service.employee()
    mine = service.job(assigned_employee_ids=[person["id"]])
    assert ids(service.ok("GET", "/jobs", customer_id=mine["customer"]["id"])) == [mine["id"]]
    assert ids(service.ok("GET", f"/jobs?employee_ids[]={person['id']}&employee_ids[]=pro_x")) == [mine["id"]]
    assert service.ok("GET", "/jobs?employee_ids[]=pro_x")["jobs"] == []
    assert service.ok("GET", f"/jobs?location_ids[]={DEV.company_id}")["total_items"] == 6
    assert service.ok("GET", "/jobs?location_ids[]=elsewhere")["total_items"] == 0
