"""What the company has of the made-up business, and what the program's reconciliation makes of it."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from itertools import groupby

import pytest

from changeover.core.job import Group, JobRules, JobTypes
from changeover.core.job_match import Confidence, Matching, OpenStay, candidates, duplicates, match, orphans
from changeover.core.schedule import service_time
from changeover.core.stay import EntryType
from changeover.housecallpro.models import JobModel, parsed
from changeover_sandbox.deployment import Credentials, Order
from changeover_sandbox.housecallpro.business import Business, take_in
from changeover_sandbox.housecallpro.company import Account, Company, Work
from changeover_sandbox.housecallpro.model import Job
from changeover_sandbox.housecallpro.office import BY_HAND, GAPS, Gap, Office, gap_of, services, staff
from changeover_sandbox.housecallpro.render import EXPANSIONS, job_json
from changeover_sandbox.housecallpro.templates import Service
from changeover_sandbox.world import Listing, World
from plugins.job_world import PHOENIX

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 15, tzinfo=UTC)


def _keys(environment: str = "dev", seed: int = 5) -> Credentials:
    return Order.new(seed=seed, feeds=246, day=DAY, empty=False).credentials[environment]


@cache
def _office(feeds: int = 246, environment: str = "dev", seed: int = 5) -> Office:
    return Office(World(seed, feeds, DAY), environment, _keys(environment, seed))


@cache
def _company(feeds: int = 246, environment: str = "dev", seed: int = 5) -> Company:
    """The company as the stand-in has it when it was told everything."""
    keys = _keys(environment, seed)
    company = Company(Account(keys.hcp_company, keys.hcp_key, keys.hcp_webhook_secret, environment))
    for order in (staff(environment, keys), _office(feeds, environment, seed).business()):
        take_in(Work(company, NOW, NOW), Business.model_validate_json(json.dumps(order)))
    return company


def _homes(feeds: int = 246) -> tuple[Listing, ...]:
    world = _office(feeds).world
    return (*world.listings, *world.without_calendar)


def _template(home: Listing, service: Service = Service.TURNOVER) -> Job | None:
    return _company().jobs.get(_office().template_id(home, service))


def test_every_owner_is_a_customer_with_name_mail_and_telephone() -> None:
    customers = _company().customers
    for owner in _office().world.customers:
        customer = customers[_office().customer_id(owner)]
        assert (customer.first_name, customer.last_name) == (owner.first_name, owner.last_name)
        assert str(customer.email).isascii()
        assert str(customer.email).endswith("@owners.example.test")
        assert len(str(customer.mobile_number)) == 10
    assert len({customer.email for customer in customers.values()}) == len(_office().world.customers)


def test_every_home_is_an_address_of_its_owner() -> None:
    for home in _homes():
        customer = _company().customers[_office().customer_id(_office().world.customers[home.customer])]
        places = {f"{one.street}, {one.city}, {one.state} {one.zip}": one.id for one in customer.addresses}
        assert home.postal_address in places
        if gap_of(home) is None:
            assert customer.address(_office().address_id(home)) is not None


def test_templates_have_two_to_four_lines_with_prices_and_no_time() -> None:
    lengths = set()
    for home in (home for home in _homes() if gap_of(home) is not Gap.EMPTY_TEMPLATE):
        for service in services(home):
            template = _template(home, service)
            assert template is not None
            assert (template.address_id, template.visits) == (_company_address(home), [])
            assert template.total > 4000
            lengths.add(len(template.lines))
    assert lengths == {2, 3, 4}


def _company_address(home: Listing) -> str:
    """Where the company has the home, whatever the base says."""
    customer = _company().customers[_office().customer_id(_office().world.customers[home.customer])]
    return next(one.id for one in customer.addresses if home.postal_address.startswith(str(one.street)))


def test_some_homes_have_laundry_and_inspection_too() -> None:
    count = Counter(service for home in _homes() for service in services(home))
    assert count[Service.TURNOVER] > count[Service.LAUNDRY] > count[Service.INSPECTION] > 20
    types = {job.job_type_id for job in _company().jobs.values()}
    keys = _keys()
    assert types == {keys.hcp_next_guest_type, keys.hcp_laundry_type, keys.hcp_inspection_type, None}


def test_a_few_homes_lack_what_a_job_needs() -> None:
    found = Counter(gap_of(home) for home in _homes())
    assert {gap for gap in found if gap} == set(Gap)
    assert sum(found[gap] for gap in Gap) < len(_homes()) / 8
    for home in _homes():
        match gap_of(home):
            case Gap.NO_ADDRESS:
                assert _office().address_id(home) == ""
            case Gap.STRANGE_ADDRESS:
                assert _office().address_id(home) not in str(_office().business())
            case Gap.NO_TEMPLATE:
                assert _office().template_id(home, Service.TURNOVER) == ""
            case Gap.EMPTY_TEMPLATE:
                template = _template(home)
                assert template is not None
                assert template.lines == []


def test_a_small_business_lacks_nothing() -> None:
    assert len(_homes(4)) < min(GAPS)
    assert all(gap_of(home) is None for home in _homes(4))


def _ids(company: Company) -> set[str]:
    places = {place.id for customer in company.customers.values() for place in customer.addresses}
    return {*company.customers, *company.employees, *company.job_types, *company.jobs, *places}


def test_the_same_seed_gives_the_same_ids_and_dev_and_prod_share_none() -> None:
    again = Office(World(5, 20, DAY), "dev", _keys()).business()
    assert again == _office(20).business()
    dev, prod, other = _ids(_company(20)), _ids(_company(20, "prod")), _ids(_company(20, "dev", 6))
    assert dev & prod == set()
    assert dev & other == set()


def _rules() -> JobRules:
    keys = _keys()
    types = JobTypes(
        next_guest=keys.hcp_next_guest_type,
        owner=keys.hcp_owner_type,
        laundry=keys.hcp_laundry_type,
        inspection=keys.hcp_inspection_type,
    )
    return JobRules(zone=PHOENIX, types=types, employee_id=keys.hcp_employee)


def _stays(feeds: int) -> list[OpenStay]:
    office, rules = _office(feeds), _rules()
    found = []
    for home in office.world.listings:
        owner = office.customer_id(office.world.customers[home.customer])
        for stay in office.world.truth(home.number):
            hours = {"owner_arriving": False, "same_day": False, "hours": rules.hours, "zone": PHOENIX}
            start = service_time(stay.check_out, "", **hours)  # type: ignore[arg-type]
            if stay.entry_type.value == EntryType.RESERVATION.value and isinstance(start, datetime):
                place = (office.address_id(home), home.postal_address, start)
                found.append(OpenStay(stay.stay.key, owner, *place, Group.TURNOVER))
    return found


def _reconciled(feeds: int) -> tuple[Matching, int, int]:
    """The pairs, and how many orphans and duplicates there are."""
    company, office, rules = _company(feeds), _office(feeds), _rules()
    homes = (*office.world.listings, *office.world.without_calendar)
    templates = frozenset(office.template_id(home, service) for home in homes for service in services(home))
    jobs = [parsed(JobModel, job_json(company, job, EXPANSIONS)).job() for job in company.jobs.values()]
    open_jobs = candidates(jobs, taken=frozenset(), templates=templates)
    matching = match(_stays(feeds), open_jobs, rules)
    return matching, len(orphans(open_jobs, matching, rules)), len(duplicates(open_jobs, rules))


def test_reconciliation_links_suggests_and_finds_ambiguous_what_was_made_by_hand() -> None:
    matching, alone, double = _reconciled(246)
    rows = Counter({word: len(list(found)) for word, found in groupby(sorted(p.confidence for p in matching.pairs))})
    assert rows == {Confidence.EXACT: 3, Confidence.SUGGESTED: 2, Confidence.AMBIGUOUS: 2}
    assert len(matching.rows(Confidence.AMBIGUOUS)) == 1
    assert (alone, double) == (1, 1)


@pytest.mark.parametrize("feeds", [1, 4])
def test_a_small_business_shows_the_first_of_them(feeds: int) -> None:
    scheduled = [job for job in _company(feeds).jobs.values() if job.visits]
    homes = len(_office(feeds).world.listings)
    assert len(scheduled) == sum(len(deed.starts) for deed in BY_HAND[:homes])
    assert {person for job in scheduled for person in job.assigned} <= set(_company(feeds).employees)


def test_a_business_without_homes_has_only_people() -> None:
    company = _company(0)
    assert (company.customers, company.jobs) == ({}, {})
    assert len([one for one in company.employees.values() if one.active]) == 4
    assert len(company.job_types) == 4
