"""Checks of Housecall Pro: key, company, people, job types, and each home's customer, address, templates (D-6, D-7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from changeover.airtable.directory import CUSTOMERS
from changeover.airtable.errors import AirtableError
from changeover.airtable.job_rows import PROPERTIES, home_of
from changeover.core.job import Home
from changeover.core.job_eligibility import template_field
from changeover.doctor.result import Patient, Result, fail, ok, warn
from changeover.engine.jobs import adding, lining, reconciling, syncing
from changeover.engine.jobs.desk import connect_hcp, missing_settings
from changeover.engine.jobs.failures import failure_of
from changeover.housecallpro import directory, line_items
from changeover.housecallpro.client import HousecallPro
from changeover.housecallpro.errors import HcpError, NotFound, Rejected
from changeover.settings import Settings
from changeover.store import facts
from changeover.store.gate import Purpose
from changeover.store.hcp_gate import Purpose as HcpPurpose

CHECK = "housecallpro"
_STEPS = (reconciling.NAME, adding.NAME, syncing.NAME, lining.NAME)
_SECONDS = 180.0  # for all homes together
_NAMED = 3
_HOLDS = timedelta(hours=24)
_SERVICES = ("Turnover", "Return Laundry", "Inspection")
_FALLING_BACK = ("HCP_STR_OWNER_JOB_TYPE_ID", "HCP_RETURN_LAUNDRY_JOB_TYPE_ID", "HCP_INSPECTION_JOB_TYPE_ID")


def company(patient: Patient) -> Iterator[Result]:
    """D-6: the key, whose company it opens, its zone, the default assignee, the job types (J-8, J-10)."""
    report = _report(patient)
    missing = missing_settings(patient.settings)
    if missing and not _ticked(patient):
        yield ok(CHECK, "not in use")
        return
    if missing:
        yield fail(CHECK, f"not set: {', '.join(missing)}", f"set them, or untick {', '.join(_ticked(patient))}")
        return
    client = _client(patient)
    try:
        yield from _company(patient, client)
        yield from _people(patient, client)
        yield from _types(patient, client)
    except HcpError as error:
        yield report(CHECK, failure_of(error).text, "see HCP_API_KEY and HCP_BASE_URL")


def homes(patient: Patient) -> Iterator[Result]:
    """D-7: for each property its customer, its address, its templates; within three minutes and the hour's budget."""
    if missing_settings(patient.settings):
        return
    try:
        found = _homes(patient)
    except AirtableError:
        return  # the base's own check says why
    seen, looked = _Seen(patient, _client(patient)), 0
    try:
        for home in found:
            seen.look(home)
            looked += 1
    except HcpError as error:
        yield warn("homes", f"{looked} of {len(found)} looked at: {error.text}", "run doctor again later")
    sound = looked - len(seen.faulty)
    report = warn if sound else _report(patient)  # a home that lacks something holds up no other
    for what, names in seen.wrong.items():
        yield report("homes", f"{len(names)} with {what}: {_some(names)}", "correct the table Properties")
    yield ok("homes", f"{sound} of {len(found)} can get jobs")


# -- the company -----------------------------------------------------------------------------------------------------


def _company(patient: Patient, client: HousecallPro) -> Iterator[Result]:
    settings, report = patient.settings, _report(patient)
    try:
        found = directory.company(client)
    except NotFound:
        remove = _without_version(patient)
        yield report(CHECK, "HCP_BASE_URL does not lead to the API", "remove /v1" if remove else "correct HCP_BASE_URL")
        return
    if settings.hcp_company_id and settings.hcp_company_id != found.id:
        yield fail(CHECK, "HCP_API_KEY opens another company than HCP_COMPANY_ID says", "correct one of the two")
    if found.time_zone and found.time_zone != settings.timezone:
        text = f"the company's time zone is {found.time_zone}, TIMEZONE is {settings.timezone}"
        yield report(CHECK, text, "set TIMEZONE, or the company's zone in Housecall Pro")
    yield ok(CHECK, "the key opens the company")


def _without_version(patient: Patient) -> bool:
    """Whether the API answers when `/v1` is taken off the address (HC-115)."""
    settings = patient.settings
    if not settings.hcp_base_url.endswith("/v1"):
        return False
    try:
        directory.company(_client(patient, settings.model_copy(update={"hcp_base_url": settings.hcp_base_url[:-3]})))
    except HcpError:
        return False
    return True


def _people(patient: Patient, client: HousecallPro) -> Iterator[Result]:
    employee = patient.settings.hcp_employee_id
    if not employee:
        yield ok("assignee", "HCP_EMPLOYEE_ID is not set: new jobs are nobody's")
    elif any(each.id == employee for each in directory.employees(client)):
        yield ok("assignee", "HCP_EMPLOYEE_ID is an active employee")
    else:
        yield _report(patient)("assignee", "HCP_EMPLOYEE_ID is no active employee", "set another, or none")


def _types(patient: Patient, client: HousecallPro) -> Iterator[Result]:
    known = {each.id for each in directory.job_types(client)}
    names = ("HCP_STR_NEXT_GUEST_JOB_TYPE_ID", *_FALLING_BACK)
    given = {name: getattr(patient.settings, name.lower()) for name in names}
    unknown = [name for name, value in given.items() if value and value not in known]
    empty = [name for name, value in given.items() if not value]
    if unknown:
        yield _report(patient)("job types", f"no job type of the company: {', '.join(unknown)}", "correct them")
    if empty:
        yield ok("job types", f"not set, the next guest's is used: {', '.join(empty)}")
    if not unknown and not empty:
        yield ok("job types", "all four exist")


# -- the homes -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Seen:
    """What was found of homes. All customers are read at once, and a template that was well is for a day."""

    patient: Patient
    client: HousecallPro
    addresses: dict[str, frozenset[str]] | None = None
    wrong: dict[str, list[str]] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)

    def look(self, home: Home) -> None:
        """Raises HcpError where Housecall Pro cannot be asked."""
        for what in (*self._place(home), *self._templates(home)):
            self.wrong.setdefault(what, []).append(home.name or home.record_id)
            self.faulty.add(home.record_id)

    def _place(self, home: Home) -> Iterator[str]:
        if not (home.customer_id or "").startswith("cus_"):
            yield "no HCP Customer ID"
        elif not home.address_id.startswith("adr_"):
            yield "no HCP Address ID"
        elif home.address_id not in self._addresses_of(home.customer_id or ""):
            yield "an HCP Address ID that is not its customer's in Housecall Pro"

    def _addresses_of(self, customer_id: str) -> frozenset[str]:
        if self.addresses is None:
            everybody = directory.customers(self.client)
            self.addresses = {each.id: frozenset(place.id for place in each.addresses) for each in everybody}
        return self.addresses.get(customer_id, frozenset())

    def _templates(self, home: Home) -> Iterator[str]:
        if not home.turnover_template:
            yield f"no {template_field(_SERVICES[0])}"
        for service in _SERVICES:
            template = home.template(service)
            if template and not self._usable(template):
                yield f"a {template_field(service)} that is gone or has no line items"

    def _usable(self, template: str) -> bool:
        name, database, now = f"hcp.template:{template}", self.patient.database, self.patient.now
        with database.read() as connection:
            known = facts.read(connection, name)
        if known is not None and timedelta(0) <= now - known.at < _HOLDS:
            return True
        try:
            usable = bool(line_items.read(self.client, template))
        except Rejected:
            usable = False
        if usable:
            with database.begin() as connection:
                facts.put(connection, name, True, now)
        return usable


def _homes(patient: Patient) -> Sequence[Home]:
    """The properties as the base has them now."""
    places, customers = (patient.client.read(table, Purpose.CHECK).records for table in (PROPERTIES, CUSTOMERS))
    return [home_of(each, customers) for each in places]


# -- common ----------------------------------------------------------------------------------------------------------


def _client(patient: Patient, settings: Settings | None = None) -> HousecallPro:
    client = connect_hcp(settings or patient.settings, patient.database, time.sleep, _no_write)
    return client.under(HcpPurpose.CHECK, _SECONDS)


def _no_write() -> None:
    """An examination writes nothing outside (D-1)."""
    raise AssertionError("a check would write")  # pragma: no cover - none does


def _ticked(patient: Patient) -> list[str]:
    return [name for name in _STEPS if name in patient.ticked]


def _report(patient: Patient) -> Callable[[str, str, str], Result]:
    """What a ticked step needs fails, the rest only warns."""
    return fail if _ticked(patient) else warn


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
