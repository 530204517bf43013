"""What the program relies on when it reads an account; no test here changes anything in it."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from changeover.core.job import Gone as GoneJob
from changeover.housecallpro import directory, jobs, schedule
from changeover.housecallpro.client import HousecallPro
from changeover.housecallpro.errors import Auth, NotFound
from changeover.housecallpro.models import JobModel, parsed, parsed_all
from changeover.housecallpro.waits import HEADERS, wait_asked
from conformance.housecallpro.company import NOBODY, body_of, limit_headers, outcome
from conformance.housecallpro.forms import NUMBER, TIME, forms
from conformance.housecallpro.questions import Question

LISTS = ("jobs", "customers", "employees", "tags", "job_fields/job_types")
ANSWER_WORDS = {
    "unscheduled": {"needs scheduling"},
    "scheduled": {"scheduled"},
    "in_progress": {"in progress"},
    "completed": {"complete rated", "complete unrated"},
    "canceled": {"user canceled", "pro canceled"},
}
RARE = {"unscheduled", "in_progress", "completed", "canceled", "deleted", None}
EXPANDED = ("expand[]", "appointments")


@pytest.fixture(scope="session")
def latest(company) -> list[dict]:
    """The jobs that changed last, of whomever: only their forms are looked at."""
    newest = (("sort_by", "updated_at"), ("sort_direction", "desc"))
    items = company.get("/jobs", ("page_size", "200"), EXPANDED, *newest)["jobs"]
    assert len(items) > 0, "the account has no job to look at"
    return items


# -- who asks ----------------------------------------------------------------------------------------------------------


def test_the_company_has_an_id_and_a_zone_that_is_known(company):
    """HC-8, HC-13."""
    assert forms(company.get("/company"))["id"] == {"uuid"}
    assert directory.company(company.client).time_zone in available_timezones()


def test_a_key_is_a_token_however_it_is_written_in_the_settings(company):
    """HC-2, HC-116."""
    for key in (company.access.api_key, f"Token {company.access.api_key}"):
        assert directory.company(company.with_key(key)).id


def test_a_wrong_key_is_refused_as_one(company, observe):
    """HC-4, HC-23, HC-24."""
    wrong = company.ask("GET", "/company", key=f"Token {NOBODY}")
    observe(Question.WRONG_KEY, outcome(wrong))
    with pytest.raises(Auth):
        directory.company(company.with_key(NOBODY))


def test_a_bearer_is_no_key(company, observe):
    """HC-2: a key with Bearer is sent as it is given, and then it is the service that says no."""
    observe(Question.BEARER, outcome(company.ask("GET", "/company", key=f"Bearer {company.access.api_key}")))
    assert "Bearer" not in repr(company.with_key(f"Bearer {company.access.api_key}"))


def test_the_base_url_has_no_version(company):
    """HC-1, HC-115: what begins with /v1 does not exist, and that is how a wrong address is noticed."""
    wrong = HousecallPro(f"{company.access.base_url}/v1", company.access.api_key, company.wiring)
    with pytest.raises(NotFound):
        directory.company(wrong)


def test_what_speaks_of_the_rate_limit_can_be_read(company, observe):
    """HC-33, HC-34."""
    answer = company.ask("GET", "/company")
    observe(Question.LIMIT_HEADERS, limit_headers(answer))
    reset = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
    assert not reset or wait_asked(reset, 0.0) is not None


# -- lists -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_a_page_with_totals_under_its_plural(company, path):
    """HC-16, HC-17."""
    plural = path.rpartition("/")[2]
    found = company.get(f"/{path}", ("page_size", "1"))
    form = forms(found)
    assert {"page", "page_size", "total_pages", "total_items", plural} <= form.keys()
    assert all(form[name] == {"int"} for name in ("page", "page_size", "total_pages", "total_items"))
    shown, pages, items = len(found[plural]), found["total_pages"], found["total_items"]
    assert (shown, pages) == (min(1, items), items)
    assert form["data"] == set()


def test_ten_are_a_page_and_two_hundred_are_given(company):
    """HC-16."""
    sizes = [company.get("/jobs", *query)["page_size"] for query in ((), (("page_size", "200"),))]
    assert sizes == [10, 200]


def test_pages_in_a_stable_order_show_each_job_once(company):
    """HC-19, HC-42."""
    stable = [("sort_by", "created_at"), ("sort_direction", "asc")]
    pages = company.client.pages("/jobs", "jobs", stable, size=2)
    found = [parsed(JobModel, item) for _, page in zip(range(3), pages, strict=False) for item in page]
    ids, created = [job.id for job in found], [job.created_at for job in found]
    assert ids
    assert sorted(set(ids)) == sorted(ids)
    assert created == sorted(created)


@pytest.mark.parametrize("by", ["created_at", "updated_at", "invoice_number", "id", "description", "work_status"])
def test_jobs_can_be_sorted(company, by):
    """HC-42."""
    page = company.get("/jobs", ("sort_by", by), ("sort_direction", "asc"), ("page_size", "1"))["page"]
    assert page == 1


def test_what_cannot_be_sorted_by(company, observe):
    """HC-100."""
    observe(Question.UNKNOWN_SORT, outcome(company.ask("GET", "/jobs", [("sort_by", "shoe_size"), ("page_size", "1")])))


def test_the_latest_changes_come_first(latest):
    """HC-43: several jobs are found by one read, if they are the latest to have changed."""
    updated = [at for item in latest if (at := parsed(JobModel, item).updated_at)]
    assert updated == sorted(updated, reverse=True)


# -- jobs --------------------------------------------------------------------------------------------------------------


def test_every_job_is_understood(latest, observe):
    """HC-7 … HC-15, HC-57, HC-58: whatever is null, absent or oddly shaped in a job of this account."""
    found = parsed_all(JobModel, latest)
    assert all(job.job().id.startswith("job_") for job in found)
    known = set().union(*ANSWER_WORDS.values())
    other = {str(job.work_status) for job in found} - known
    observe(Question.OTHER_STATUS, ", ".join(sorted(other)) or "none")


def test_times_are_utc_money_is_whole_cents_and_ids_are_prefixed(latest):
    """HC-7, HC-8, HC-9, HC-11."""
    form = forms(latest)
    times = ("created_at", "updated_at", "schedule.scheduled_start", "schedule.scheduled_end", "locked_at")
    assert all(form[f"[].{name}"] <= {*TIME, "null"} for name in times)
    assert form["[].schedule.appointments[].start_time"] <= {*TIME, "null"}
    assert form["[].total_amount"] <= NUMBER
    assert all(float(job.get("total_amount") or 0).is_integer() for job in latest)
    assert "int" not in form["[].invoice_number"] | form["[].id"]
    prefixes = {"[].id": "job_", "[].customer.id": "cus_", "[].schedule.appointments[].id": "appt_"}
    assert all(form[path] <= {prefix, "null"} for path, prefix in prefixes.items())


def test_a_job_never_carries_its_lines(company, latest):
    """HC-45."""
    one = company.get(f"/jobs/{latest[0]['id']}")
    assert forms([one, *latest])["[].line_items"] == set()


def test_appointments_are_inside_the_schedule_and_only_on_demand(company, latest):
    """HC-20, HC-46."""
    job_id = latest[0]["id"]
    plain, expanded = company.get(f"/jobs/{job_id}"), company.get(f"/jobs/{job_id}", EXPANDED)
    assert forms(plain)["schedule.appointments"] == set()
    assert forms(expanded)["schedule.appointments"] == {"list"}
    assert forms([plain, expanded, *latest])["[].appointments"] == set()


@pytest.mark.parametrize("word", ANSWER_WORDS)
def test_the_filter_has_its_own_words_for_the_statuses(company, word):
    """HC-41, HC-57, HC-58."""
    found = company.get("/jobs", ("work_status[]", word), ("page_size", "50"))["jobs"]
    assert {job.get("work_status") for job in found} <= ANSWER_WORDS[word] | RARE


def test_jobs_without_a_start_are_those_that_wait_for_one(company):
    """HC-44."""
    found = company.get("/jobs", ("work_status[]", "unscheduled"), ("page_size", "50"))["jobs"]
    assert {job.start for job in (parsed(JobModel, item).job() for item in found)} <= {None}


def test_an_answers_word_is_none_of_the_filters(company, observe):
    """HC-41."""
    query = [("work_status[]", "needs scheduling"), ("page_size", "1")]
    observe(Question.ANSWER_WORD, outcome(company.ask("GET", "/jobs", query)))


def test_the_jobs_of_a_customer_are_that_customers(company):
    """HC-40."""
    query = (("customer_id", company.access.customer_id), ("page_size", "50"))
    found = parsed_all(JobModel, company.get("/jobs", *query)["jobs"])
    assert {job.job().customer_id for job in found} <= {company.access.customer_id}


def test_lines_and_appointments_are_not_paged(company, latest):
    """HC-18, HC-65, HC-67."""
    job_id = latest[0]["id"]
    lines = forms(company.get(f"/jobs/{job_id}/line_items"))
    assert (lines["object"], lines["url"], lines["data"]) == ({"text"}, {"text"}, {"list"})
    assert forms(company.get(f"/jobs/{job_id}/appointments"))["appointments"] == {"list"}
    job = jobs.read(company.client, job_id)
    assert {visit.id for visit in schedule.visits(company.client, job_id)} == {visit.id for visit in job.visits}


# -- what is not there -------------------------------------------------------------------------------------------------


def test_a_job_that_never_was_is_not_found_and_says_so(company):
    """HC-25, HC-92."""
    job_id = f"job_{NOBODY}"
    assert jobs.look(company.client, job_id) == GoneJob(job_id)
    assert company.ask("GET", f"/jobs/{job_id}").status_code == 404
    with pytest.raises(NotFound):
        directory.customer(company.client, f"cus_{NOBODY}")


def test_a_deleted_job_is_gone_by_404_or_410(company, deleted_job_id, observe):
    """HC-26, HC-104."""
    assert jobs.look(company.client, deleted_job_id) == GoneJob(deleted_job_id)
    observe(Question.DELETED, outcome(company.ask("GET", f"/jobs/{deleted_job_id}")))


@pytest.mark.parametrize(
    "path",
    [
        "/no_such_thing",
        "/v1/jobs",
        "/job_types",
        "/appointments",
        f"/employees/pro_{NOBODY}",
        f"/customers/cus_{NOBODY}/jobs",
        f"/jobs/job_{NOBODY}/schedule",
        "/webhooks",
    ],
)
def test_what_does_not_exist_is_not_found(company, path):
    """HC-25, HC-38."""
    answer = company.ask("GET", path)
    assert answer.status_code == 404
    assert isinstance(body_of(answer), dict)


# -- people and places -------------------------------------------------------------------------------------------------


def test_the_people_are_listed_with_their_ids(company):
    """HC-7, HC-47."""
    ids = [each.id for each in directory.employees(company.client)]
    assert ids
    assert sorted(set(ids)) == sorted(ids)
    assert {each[:4] for each in ids} == {"pro_"}


def test_the_named_employee_is_active(company, person):
    """HC-47, J-34."""
    assert person in {each.id for each in directory.employees(company.client)}


def test_a_job_type_is_found_by_its_name(company):
    """HC-56."""
    first = directory.job_types(company.client)[0]
    assert first.id.startswith("jbt_")
    assert first in directory.job_types(company.client, first.name)


def test_the_test_customer_has_the_address(company):
    """HC-14, HC-53, J-27."""
    access = company.access
    assert directory.customer(company.client, access.customer_id).id == access.customer_id
    assert access.address_id in {each.id for each in directory.addresses(company.client, access.customer_id)}
    assert directory.address(company.client, access.customer_id, access.address_id).id == access.address_id


def test_customers_are_searched_by_name(company):
    """HC-53."""
    customer = directory.customer(company.client, company.access.customer_id)
    words = customer.last_name or customer.first_name or customer.company
    assert customer.id in {each.id for each in directory.customers(company.client, words)}
