"""What the public API does with customers and their addresses (HC-53 to HC-55); no HTTP."""

from collections.abc import Iterable
from typing import Final

from changeover_sandbox.housecallpro import errors
from changeover_sandbox.housecallpro.bodies import AddressInCustomer, CustomerBody, NewAddress, NewCustomer
from changeover_sandbox.housecallpro.company import Company, Work
from changeover_sandbox.housecallpro.events import customer_event
from changeover_sandbox.housecallpro.ids import new_id
from changeover_sandbox.housecallpro.model import Address, Customer

_NEVER_NULL: Final = frozenset({"tags", "notifications_enabled"})


def found(company: Company, customer_id: str) -> Customer:
    """One of the company's customers."""
    customer = company.customers.get(customer_id)
    if customer is None:
        raise errors.not_found("customer")
    return customer


def address_found(customer: Customer, address_id: str) -> Address:
    """One of the customer's addresses."""
    address = customer.address(address_id)
    if address is None:
        raise errors.not_found("address")
    return address


def search(customers: Iterable[Customer], text: str) -> list[Customer]:
    """Whoever has the text in name, mail, phone or address."""
    wanted = text.casefold().strip()
    return [one for one in customers if wanted in _searchable(one)]


def _searchable(customer: Customer) -> str:
    name = " ".join(filter(None, (customer.first_name, customer.last_name)))
    phones = (customer.mobile_number, customer.home_number, customer.work_number)
    places = (
        " ".join(filter(None, (one.street, one.street_line_2, one.city, one.state, one.zip)))
        for one in customer.addresses
    )
    return "\n".join(filter(None, (name, customer.company, customer.email, *phones, *places))).casefold()


def create(work: Work, body: NewCustomer) -> Customer:
    """POST /customers."""
    customer = Customer(new_id("cus"), work.now, work.now)
    _apply(customer, body)
    customer.addresses = [_address(one) for one in body.addresses]
    work.company.keep(customer)
    work.tell([customer_event(work.company, customer, "created")])
    return customer


def change(work: Work, customer: Customer, body: CustomerBody) -> None:
    """PUT /customers/{id}: addresses are not changed here (HC-54)."""
    _apply(customer, body)
    _changed(work, customer)


def add_address(work: Work, customer: Customer, body: NewAddress) -> Address:
    """POST of an address."""
    address = _address(body)
    customer.addresses.append(address)
    _changed(work, customer)
    return address


def _changed(work: Work, customer: Customer) -> None:
    customer.updated_at = work.now
    work.company.keep(customer)
    work.tell([customer_event(work.company, customer, "updated")])


def _apply(customer: Customer, body: CustomerBody) -> None:
    given = body.model_dump(include=set(CustomerBody.model_fields), exclude_unset=True)
    for name, value in given.items():
        if value is not None or name not in _NEVER_NULL:
            setattr(customer, name, value)


def _address(body: AddressInCustomer) -> Address:
    return Address(id=new_id("adr"), **body.model_dump())
