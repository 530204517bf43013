"""The account as the tests see it: our client, single raw requests, and the job that is theirs; all of it paced."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import requests

from changeover.core.job import Gone as GoneJob
from changeover.core.job import Job, JobTypes
from changeover.core.job_order import JobOrder, Line, order
from changeover.core.job_schedule import MoveJob
from changeover.housecallpro import directory, jobs, line_items, schedule
from changeover.housecallpro.client import HousecallPro, Object, Query, Wiring
from changeover.housecallpro.errors import Gone, Rejected
from changeover.housecallpro.waits import HEADERS, wait_asked
from changeover.store.hcp_gate import Purpose
from conformance.housecallpro.access import Access
from plugins.job_world import RULES, case, home

HOUR = timedelta(hours=1)
MOST_THROTTLED = 20
SHORT_WAIT = 2.0
NOBODY = f"{0:032x}"
LABEL = "CHANGEOVER CONFORMANCE TEST, may be canceled"
LINES = (
    Line(LABEL, description="all rooms", unit_price=14500, unit_cost=9000, taxable=False),
    Line("Linen", unit_price=1500, kind="materials"),
)


class WriteForbidden(AssertionError):
    """A test wanted to write where only reading was allowed: the test is wrong."""


@dataclass
class Company:
    """`client` is our own; `ask` makes a request of any kind and hands its answer out as it is."""

    access: Access
    client: HousecallPro = field(repr=False)
    wiring: Wiring = field(repr=False)
    pass_a_second: Callable[[], None] = field(repr=False)
    made: list[str] = field(default_factory=list)
    throttled: list[str] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session, repr=False)

    def ask(
        self, method: str, path: str, query: Query = (), body: object = None, *, key: str | None = None
    ) -> requests.Response:
        """Asked again as often as the service says that it was too soon; how it says so is noted."""
        if method != "GET" and not self.access.writes:
            raise WriteForbidden(f"{method} {path}")
        headers = {"Authorization": f"Token {self.access.api_key}" if key is None else key}
        url = f"{self.access.base_url}{path}"
        sent = {} if body is None else {"json": body}
        while True:
            self.wiring.gate.admit(Purpose.CHECK)
            answer = self.session.request(
                method, url, params=list(query), headers=headers, timeout=(5, 30), allow_redirects=False, **sent
            )
            if answer.status_code != requests.codes.too_many_requests or len(self.throttled) >= MOST_THROTTLED:
                return answer
            self.throttled.append(limit_headers(answer))
            self.wiring.gate.pause(wait_asked(answer.headers, self.wiring.clock()) or SHORT_WAIT)

    def get(self, path: str, *query: tuple[str, str]) -> Mapping[str, object]:
        """The body of a read that must succeed."""
        answer = self.ask("GET", path, query)
        assert answer.status_code == 200, (path, answer.status_code)
        body = answer.json()
        assert isinstance(body, dict), path
        return body

    def with_key(self, key: str) -> HousecallPro:
        return HousecallPro(self.access.base_url, key, self.wiring)

    def find(self, job_id: str) -> Job:
        """The job as it is now."""
        found = jobs.look(self.client, job_id)
        assert not isinstance(found, GoneJob)
        return found

    def prepared(self, name: str) -> Job:
        """A job that a person has made ready; it must be the test customer's."""
        job = self.find(self.access.given[name])
        assert job.customer_id == self.access.customer_id, f"{name} is not the test customer's"
        return job

    # -- the job of these tests --------------------------------------------------------------------------------------

    def order(self) -> JobOrder:
        """A job in a year's time that is named for what it is; nobody is assigned."""
        kind = self.access.given.get("CONFORMANCE_JOB_TYPE_ID") or directory.job_types(self.client)[0].id
        where = home(customer_id=self.access.customer_id, address_id=self.access.address_id)
        plain = order(case(at=where, rules=replace(RULES, types=JobTypes(kind), employee_id="")))
        start = datetime.now(UTC).replace(hour=17, minute=15, second=0, microsecond=0) + timedelta(days=365)
        record = f"recTEST{int(time.time()):010}"
        return replace(plain, record_id=record, start=start, end=start + HOUR, window_minutes=30)

    def make(self, wanted: JobOrder) -> Job:
        """Makes it after a look at whose it will be, and notes that it stays behind (JX-55)."""
        customer = directory.customer(self.client, self.access.customer_id)
        named = "test" in f"{customer.first_name} {customer.last_name} {customer.company}".lower()
        assert named, "CONFORMANCE_CUSTOMER_ID has no 'test' in its name: no job is made for anybody else"
        job = jobs.create(self.client, wanted)
        self.made.append(job.id)
        return job

    def put_away(self) -> None:
        """Leaves what cannot be deleted unscheduled and with a name that says what it is."""
        for job_id in self.made:
            job = jobs.look(self.client, job_id)
            if isinstance(job, Job):
                if job.start is not None:
                    schedule.delete(self.client, job_id)
                line_items.replace_all(self.client, job_id, [Line(LABEL)])


@dataclass
class Ours:
    """A job that the tests have made and may change; each begins with it as it was ordered."""

    company: Company
    ordered: JobOrder
    answer: Job

    @property
    def id(self) -> str:
        return self.answer.id

    @property
    def path(self) -> str:
        return f"/jobs/{self.id}"

    def read(self) -> Job:
        return self.company.find(self.id)

    def lines(self) -> tuple[Line, ...]:
        return line_items.read(self.company.client, self.id)

    def restore(self) -> None:
        """One visit at the time that was ordered, with the lines of these tests."""
        client, wanted = self.company.client, self.ordered
        job = self.read()
        for visit in job.visits[1:]:
            schedule.delete_visit(client, self.id, visit.id)
        if (job.start, len(job.visits)) != (wanted.start, 1):
            schedule.put(client, self.id, MoveJob(wanted.start, wanted.end, wanted.window_minutes))
        if [line.name for line in self.lines()] != [line.name for line in LINES]:
            line_items.replace_all(client, self.id, LINES)

    def ask(self, method: str, part: str = "", body: object = None) -> requests.Response:
        return self.company.ask(method, f"{self.path}{part}", body=body)


def limit_headers(answer: requests.Response) -> str:
    """What an answer says about the rate limit: none, or its headers as they stand (HC-33)."""
    speaking = [name for name in answer.headers if "ratelimit" in name.lower().replace("-", "") or name in HEADERS]
    return ", ".join(f"{name}: {answer.headers[name]}" for name in speaking) or "none"


def outcome(answer: requests.Response) -> str:
    """Accepted or refused, in the words of an observation."""
    code = answer.status_code
    return "accepted" if code < 400 else f"refused ({code})"


def tried(deed: Callable[[], object]) -> str:
    """The same of a call of our client. What it cannot survive (no refusal of this one request) is raised."""
    try:
        deed()
    except Gone as error:
        return f"refused as archived ({error.status})" if error.status == 400 else f"refused as gone ({error.status})"
    except Rejected as error:
        return f"refused ({error.status})"
    return "accepted"


def body_of(answer: requests.Response) -> Object:
    """A JSON object, whatever the status."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
