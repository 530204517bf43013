"""Whom and what the company keeps: customers, addresses, people, job types, tags, itself; creating a job makes none."""

from __future__ import annotations

from dataclasses import dataclass

from changeover.housecallpro.client import HousecallPro, Object, Query, checked_id
from changeover.housecallpro.errors import Json
from changeover.housecallpro.models import Address, Company, Customer, Employee, Named, parsed


def company(client: HousecallPro) -> Company:
    """The company of the key, with its time zone (HC-13)."""
    return parsed(Company, client.get("/company"))


# -- customers and addresses -----------------------------------------------------------------------------------------


def customers(client: HousecallPro, words: str = "") -> tuple[Customer, ...]:
    """All customers, or those whose name, mail, phone or address holds the words."""
    query: Query = [("q", words)] if words else []
    return tuple(parsed(Customer, item) for page in client.pages("/customers", "customers", query) for item in page)


def customer(client: HousecallPro, customer_id: str) -> Customer:
    """One customer. Raises NotFound."""
    return parsed(Customer, client.get(f"/customers/{checked_id(customer_id)}"))


def addresses(client: HousecallPro, customer_id: str) -> tuple[Address, ...]:
    """A customer's addresses (J-27). Raises NotFound for a customer who is gone."""
    path = f"/customers/{checked_id(customer_id)}/addresses"
    return tuple(parsed(Address, item) for page in client.pages(path, "addresses") for item in page)


def address(client: HousecallPro, customer_id: str, address_id: str) -> Address:
    """One address of a customer. Raises NotFound where it is not theirs."""
    return parsed(Address, client.get(f"/customers/{checked_id(customer_id)}/addresses/{checked_id(address_id)}"))


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """What the set-up tools make a customer of; one of name, mail, phone is needed (HC-54)."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    mobile_number: str = ""

    def body(self) -> Object:
        given = {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "mobile_number": self.mobile_number,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class NewAddress:
    """What the set-up tools make an address of; it can never be changed (HC-55)."""

    street: str
    city: str
    state: str
    zip: str
    country: str = "US"
    street_line_2: str = ""

    def body(self) -> Object:
        given: dict[str, Json] = {
            "street": self.street,
            "city": self.city,
            "state": self.state,
            "zip": self.zip,
            "country": self.country,
        }
        return {**given, "street_line_2": self.street_line_2} if self.street_line_2 else given


def create_customer(client: HousecallPro, new: NewCustomer) -> Customer:
    return client.post("/customers", new.body(), lambda answer: parsed(Customer, answer))


def change_customer(client: HousecallPro, customer_id: str, new: NewCustomer) -> Customer:
    return parsed(Customer, client.put(f"/customers/{checked_id(customer_id)}", new.body()))


def create_address(client: HousecallPro, customer_id: str, new: NewAddress) -> Address:
    return client.post(
        f"/customers/{checked_id(customer_id)}/addresses", new.body(), lambda answer: parsed(Address, answer)
    )


# -- people, job types, tags -----------------------------------------------------------------------------------------


def employees(client: HousecallPro) -> tuple[Employee, ...]:
    """The active people (HC-47); who is not among them is inactive (J-34)."""
    return tuple(parsed(Employee, item) for page in client.pages("/employees", "employees") for item in page)


def job_types(client: HousecallPro, name: str = "") -> tuple[Named, ...]:
    """The job types, or those of a name."""
    return _named(client, "/job_fields/job_types", "job_types", [("name", name)] if name else [])


def create_job_type(client: HousecallPro, name: str) -> Named:
    return client.post("/job_fields/job_types", {"name": name}, lambda answer: parsed(Named, answer))


def tags(client: HousecallPro) -> tuple[Named, ...]:
    return _named(client, "/tags", "tags", [])


def create_tag(client: HousecallPro, name: str) -> Named:
    return client.post("/tags", {"name": name}, lambda answer: parsed(Named, answer))


def _named(client: HousecallPro, path: str, plural: str, query: Query) -> tuple[Named, ...]:
    return tuple(parsed(Named, item) for page in client.pages(path, plural, query) for item in page)


# -- webhooks --------------------------------------------------------------------------------------------------------


def switch_webhooks(client: HousecallPro, *, on: bool) -> None:
    """Switches the company's webhooks on or off; where they go is set in the web pages (HC-75)."""
    if on:
        client.post("/webhooks/subscription", {}, lambda _: None, empty=True)
    else:
        client.delete("/webhooks/subscription")
