"""Customers, addresses, people, job types, tags and the company against the stand-in (housecallpro.md §6, §7.4)."""

from __future__ import annotations

import pytest

from changeover.housecallpro import directory
from changeover.housecallpro.directory import NewAddress, NewCustomer
from changeover.housecallpro.errors import NotFound, Validation
from plugins.housecallpro import DEV, PROD


def test_the_company_is_that_of_the_key(bench):
    """HC-13, HC-97."""
    found = directory.company(bench.client)
    assert (found.id, found.time_zone) == (DEV.company_id, "America/Phoenix")
    assert directory.company(bench.make(api_key=PROD.api_key)).id == PROD.company_id


def test_a_customer_is_made_changed_and_found(bench):
    """HC-54, HC-121."""
    made = directory.create_customer(bench.client, NewCustomer("Casey", "Example"))
    directory.create_customer(bench.client, NewCustomer(email="robin@example.com"))
    assert directory.customer(bench.client, made.id).last_name == "Example"
    assert directory.change_customer(bench.client, made.id, NewCustomer("Casey", "Sample")).last_name == "Sample"
    assert len(directory.customers(bench.client)) == 2
    assert [each.id for each in directory.customers(bench.client, "Sample")] == [made.id]


def test_a_customer_without_a_name_is_refused(bench):
    """HC-54."""
    with pytest.raises(Validation):
        directory.create_customer(bench.client, NewCustomer())


def test_the_addresses_of_a_customer_are_theirs_alone(bench):
    """HC-55, J-27."""
    one, other = (directory.create_customer(bench.client, NewCustomer(name)) for name in ("Casey", "Robin"))
    place = NewAddress("1 Example Rd", "Mesa", "AZ", "85201", street_line_2="Unit 5")
    made = directory.create_address(bench.client, one.id, place)
    assert made.text == "1 Example Rd Unit 5 Mesa AZ 85201"
    assert [each.id for each in directory.addresses(bench.client, one.id)] == [made.id]
    assert directory.address(bench.client, one.id, made.id) == made
    assert directory.addresses(bench.client, other.id) == ()
    with pytest.raises(NotFound):
        directory.address(bench.client, other.id, made.id)
    with pytest.raises(NotFound):
        directory.addresses(bench.client, f"cus_{9:032x}")
    assert directory.create_address(bench.client, other.id, NewAddress("2 Example Rd", "Mesa", "AZ", "85201")).id


def test_only_active_people_are_listed(bench):
    """HC-47, J-34."""
    active = bench.service.employee()
    bench.service.employee("Kim", active=False)
    assert [(each.id, each.name) for each in directory.employees(bench.client)] == [(active["id"], "Robin Example")]


def test_job_types_and_tags_are_made_and_listed(bench):
    made = directory.create_job_type(bench.client, "Turnover")
    directory.create_job_type(bench.client, "Inspection")
    assert [each.name for each in directory.job_types(bench.client)] != []
    assert directory.job_types(bench.client, "Turnover") == (made,)
    tag = directory.create_tag(bench.client, "VIP")
    assert directory.tags(bench.client) == (tag,)


def test_webhooks_are_switched_off_and_on(bench):
    """HC-75."""
    states = []
    for on in (False, True):
        directory.switch_webhooks(bench.client, on=on)
        hooks = bench.service.control("GET", "/webhooks").json()["webhooks"]
        states += [hook["enabled"] for hook in hooks if hook["env"] == "dev"]
    assert states == [False, True]
