"""The public API's calls for everything but jobs: customers, employees, job types, tags, company, subscription."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from aiohttp import web

from changeover_sandbox.housecallpro import customers, errors
from changeover_sandbox.housecallpro.bodies import CustomerBody, Named, NewAddress, NewCustomer
from changeover_sandbox.housecallpro.context import body_of, company_of, work_of
from changeover_sandbox.housecallpro.errors import answer
from changeover_sandbox.housecallpro.ids import new_id
from changeover_sandbox.housecallpro.listing import Key, Page, ordered
from changeover_sandbox.housecallpro.model import Customer, Employee, JobType, Tag
from changeover_sandbox.housecallpro.render import (
    address_json,
    company_json,
    customer_json,
    employee_json,
    named_json,
)

CUSTOMER: Final = "/customers/{customer}"
JOB_TYPES: Final = "/job_fields/job_types"
CUSTOMER_ORDER: Final[Mapping[str, Key[Customer]]] = {
    "created_at": lambda customer: customer.created_at,
    "updated_at": lambda customer: customer.updated_at,
}
PLAIN_ORDER: Final[Mapping[str, Key[Employee | JobType | Tag]]] = {"created_at": lambda thing: thing.created_at}


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve them; HEAD is no method of this API (HC-99)."""
    for path, handler in (
        ("/customers", list_customers),
        (CUSTOMER, show_customer),
        (f"{CUSTOMER}/addresses", list_addresses),
        (f"{CUSTOMER}/addresses/{{address}}", show_address),
        ("/employees", list_employees),
        (JOB_TYPES, list_job_types),
        ("/tags", list_tags),
        ("/company", show_company),
    ):
        router.add_get(path, handler, allow_head=False)
    router.add_post("/customers", create_customer)
    router.add_put(CUSTOMER, change_customer)
    router.add_post(f"{CUSTOMER}/addresses", add_address)
    router.add_post(JOB_TYPES, create_job_type)
    router.add_put(f"{JOB_TYPES}/{{type}}", change_job_type)
    router.add_post("/tags", create_tag)
    router.add_put("/tags/{tag}", change_tag)
    router.add_post("/webhooks/subscription", subscribe)
    router.add_delete("/webhooks/subscription", unsubscribe)


async def list_customers(request: web.Request) -> web.Response:
    """GET /customers; `q` searches."""
    company, query = company_of(request), request.query
    found = customers.search(company.customers.values(), query.get("q", ""))
    page = Page.of(query)
    shown = ordered(found, query, CUSTOMER_ORDER)
    return answer(page.answer("customers", shown, lambda one: customer_json(one, company.account)))


async def create_customer(request: web.Request) -> web.Response:
    """POST /customers."""
    work = work_of(request)
    customer = customers.create(work, await body_of(request, NewCustomer))
    return answer(customer_json(customer, work.company.account), 201)


async def show_customer(request: web.Request) -> web.Response:
    """GET /customers/{id}."""
    return answer(customer_json(_customer(request), company_of(request).account))


async def change_customer(request: web.Request) -> web.Response:
    """PUT /customers/{id}."""
    work, customer = work_of(request), _customer(request)
    customers.change(work, customer, await body_of(request, CustomerBody))
    return answer(customer_json(customer, work.company.account))


async def list_addresses(request: web.Request) -> web.Response:
    """GET addresses of a customer, newest first."""
    page, shown = Page.of(request.query), _customer(request).addresses
    newest_first = ordered(shown, request.query, {"created_at": shown.index})
    return answer(page.answer("addresses", newest_first, address_json))


async def add_address(request: web.Request) -> web.Response:
    """POST of an address: 200 (HC-55)."""
    work, customer = work_of(request), _customer(request)
    return answer(address_json(customers.add_address(work, customer, await body_of(request, NewAddress))))


async def show_address(request: web.Request) -> web.Response:
    """GET of an address."""
    return answer(address_json(customers.address_found(_customer(request), request.match_info["address"])))


def _customer(request: web.Request) -> Customer:
    return customers.found(company_of(request), request.match_info["customer"])


async def list_employees(request: web.Request) -> web.Response:
    """GET /employees: active people only (HC-106)."""
    company = company_of(request)
    active = [one for one in company.employees.values() if one.active]
    page = Page.of(request.query)
    shown = ordered(active, request.query, PLAIN_ORDER)
    return answer(page.answer("employees", shown, lambda one: employee_json(one, company.account)))


async def list_job_types(request: web.Request) -> web.Response:
    """GET /job_fields/job_types; `name` is the whole name."""
    name = request.query.get("name")
    found = [one for one in company_of(request).job_types.values() if name is None or one.name == name]
    return answer(Page.of(request.query).answer("job_types", ordered(found, request.query, PLAIN_ORDER), named_json))


async def create_job_type(request: web.Request) -> web.Response:
    """POST of a job type: 200."""
    work = work_of(request)
    kind = JobType(new_id("jbt"), work.now, (await body_of(request, Named)).name)
    work.company.keep(kind)
    return answer(named_json(kind))


async def change_job_type(request: web.Request) -> web.Response:
    """PUT of a job type."""
    company = company_of(request)
    kind = company.job_types.get(request.match_info["type"])
    if kind is None:
        raise errors.not_found("job type")
    kind.name = (await body_of(request, Named)).name
    company.keep(kind)
    return answer(named_json(kind))


async def list_tags(request: web.Request) -> web.Response:
    """GET /tags."""
    found = list(company_of(request).tags.values())
    return answer(Page.of(request.query).answer("tags", ordered(found, request.query, PLAIN_ORDER), named_json))


async def create_tag(request: web.Request) -> web.Response:
    """POST of a tag: 201."""
    work = work_of(request)
    tag = Tag(new_id("tag"), work.now, (await body_of(request, Named)).name)
    work.company.keep(tag)
    return answer(named_json(tag), 201)


async def change_tag(request: web.Request) -> web.Response:
    """PUT of a tag."""
    company = company_of(request)
    tag = company.tags.get(request.match_info["tag"])
    if tag is None:
        raise errors.not_found("tag")
    tag.name = (await body_of(request, Named)).name
    company.keep(tag)
    return answer(named_json(tag))


async def show_company(request: web.Request) -> web.Response:
    """GET /company."""
    return answer(company_json(company_of(request).account))


async def subscribe(request: web.Request) -> web.Response:
    """POST subscription: webhooks on, nothing in the answer."""
    return _switch(request, on=True)


async def unsubscribe(request: web.Request) -> web.Response:
    """DELETE subscription: webhooks off."""
    return _switch(request, on=False)


def _switch(request: web.Request, *, on: bool) -> web.Response:
    company = company_of(request)
    company.keep(replace(company.hook, enabled=on))
    return web.Response()
