"""The company that does the jobs: Housecall Pro's stand-in of this process, what its people do, what it posts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from changeover_sandbox.control import CONTROL, Call, Control
from changeover_sandbox.housecallpro.app import Account, create_app
from changeover_sandbox.housecallpro.company import Cause
from changeover_sandbox.housecallpro.company import Company as Held
from changeover_sandbox.housecallpro.context import DELIVERIES, STATE
from changeover_sandbox.housecallpro.deliveries import envelope, signature
from changeover_sandbox.housecallpro.model import Job
from changeover_sandbox.housecallpro.state import State
from stateful.job_truth import Place
from stateful.stand_in import StandIn

COMPANY_ID, HCP_KEY, SECRET = "11111111-2222-3333-4444-555555555555", "statekey-0123456789", "stateful-secret"
TYPES = {
    "HCP_STR_NEXT_GUEST_JOB_TYPE_ID": "Turnover",
    "HCP_STR_OWNER_JOB_TYPE_ID": "Owner",
    "HCP_RETURN_LAUNDRY_JOB_TYPE_ID": "Laundry",
    "HCP_INSPECTION_JOB_TYPE_ID": "Inspection",
}
LINES = (
    {"name": "Template name", "unit_price": 14500, "quantity": 1, "kind": "labor"},
    {"name": "Linen", "unit_price": 2500, "unit_cost": 900, "quantity": 2, "kind": "materials", "taxable": False},
)
PRICES = [each["unit_price"] for each in LINES]
Shape = tuple[Any, ...]


class Caught:
    """In place of the postman: what would be posted is kept, and a life decides when it comes, if it comes."""

    waiting = 0

    def __init__(self) -> None:
        self.parcels: list[bytes] = []

    def send(self, company: Held, cause: Cause) -> None:
        self.parcels += [envelope(company, cause.at, event) for event in cause.events]

    def clear(self) -> None:
        self.parcels.clear()

    async def stop(self) -> None: ...


def create() -> web.Application:
    """A Housecall Pro server of one company that posts nothing by itself."""
    app = create_app(None, [Account(COMPANY_ID, HCP_KEY, SECRET, "dev")])
    app[DELIVERIES] = Caught()  # type: ignore[misc]  # of the same shape
    return app


@dataclass
class Company(StandIn):
    """The stand-in: asked as its people ask, and looked into."""

    app: web.Application = field(repr=False, default_factory=create)
    people: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    templates: set[str] = field(default_factory=set)

    @property
    def mail(self) -> list[bytes]:
        """What was made known and is not delivered yet."""
        return self.app[DELIVERIES].parcels  # type: ignore[attr-defined,no-any-return]

    @property
    def jobs(self) -> dict[str, Job]:
        """All jobs ever, deleted ones and templates too."""
        return self._state.companies[0].jobs

    @property
    def work(self) -> dict[str, Job]:
        """All jobs but the templates."""
        return {job_id: job for job_id, job in self.jobs.items() if job_id not in self.templates}

    @property
    def names(self) -> dict[str, str]:
        people = self._state.companies[0].employees
        return {each.id: f"{each.first_name} {each.last_name}" for each in people.values()}

    @property
    def _state(self) -> State:
        return self.app[STATE]

    @property
    def _control(self) -> Control:
        return self.app[CONTROL]

    # -- its office --------------------------------------------------------------------------------------------------

    def clear(self) -> dict[str, str]:
        """A company with three cleaners and four job types, without jobs; the settings that go with it."""
        self.call("POST", "reset")
        self.mail.clear()
        self.templates.clear()
        cleaners = [{"first_name": name, "last_name": "Example"} for name in ("Robin", "Sam", "Kim")]
        self.people = [self.call("POST", "employees", each)["id"] for each in cleaners]
        self.settings = {
            "HCP_API_KEY": HCP_KEY,
            "HCP_BASE_URL": self.url,
            "HCP_EMPLOYEE_ID": self.people[0],
            "HCP_COMPANY_ID": COMPANY_ID,
            **{name: self.call("POST", "job_types", {"name": text})["id"] for name, text in TYPES.items()},
        }
        return self.settings

    def customer(self, *streets: str) -> tuple[str, list[str]]:
        """A customer's id and the ids of its addresses."""
        towns = [{"street": each, "city": "Mesa", "state": "AZ", "zip": "85201", "country": "US"} for each in streets]
        made = self.api("POST", "/customers", {"first_name": "Casey", "addresses": towns})
        return made["id"], [each["id"] for each in made["addresses"]]

    def template(self, place: Place) -> str:
        made = self.api("POST", "/jobs", {"customer_id": place.customer_id, "address_id": place.address_id})
        self.api("PUT", f"/jobs/{made['id']}/line_items/bulk_update", {"line_items": LINES})
        self.templates.add(made["id"])
        return str(made["id"])

    def api(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """What the service's own pages do; what it refuses must not happen."""
        headers = {"Authorization": f"Token {HCP_KEY}", "Content-Type": "application/json"}
        answered = self.line.ask(method, f"{self.url}{path}", headers, json.dumps(body).encode())
        assert answered.status < 400, answered.body
        return json.loads(answered.body)

    def act(self, job_id: str, action: str, **more: Any) -> bool:
        """What a person does with a job; False where its state forbids that."""
        order = json.dumps({"action": action, **more}).encode()
        answered = self.line.ask("POST", f"{self.url}/_sandbox/jobs/{job_id}/actions", {}, order)
        assert answered.status in (200, 409), answered.body
        return answered.status == 200

    # -- what it saw -------------------------------------------------------------------------------------------------

    def mark(self) -> int:
        return self._control.next_n

    def writes(self, since: int) -> list[Call]:
        """The requests since a mark that were to change something, and were let in."""
        found = []
        for call in reversed(self._control.calls):
            if call.n < since:
                break
            if call.method != "GET":
                found.append(call)
        return found[::-1]

    def shapes(self) -> dict[str, Shape]:
        """Status and visits of every job: what nobody but people may change (J-57, J-63)."""
        return {
            job.id: (
                job.status,
                job.gone,
                job.on_my_way_at,
                tuple((visit.id, visit.start, visit.end, tuple(visit.people)) for visit in job.visits),
                tuple(job.assigned),
            )
            for job in self.jobs.values()
        }


def signed(body: bytes, seconds: float) -> tuple[str, str]:
    """Timestamp and signature of a post (HC-80)."""
    timestamp = str(int(seconds))
    return timestamp, signature(SECRET, timestamp, body)
