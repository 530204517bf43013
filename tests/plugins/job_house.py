"""A cleaning business in both stand-ins: a base with homes and stays, and the company that does their jobs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from sqlalchemy import update

from changeover.airtable import mirror as base_mirror
from changeover.airtable.client import AirtableClient
from changeover.airtable.client import Tries as AirtableTries
from changeover.core.job import JobRules
from changeover.engine.base import Base
from changeover.engine.jobs import adding, lining, reconciling, syncing
from changeover.engine.jobs.desk import JobDesk, Pauses, Proof, job_rules
from changeover.engine.jobs.office import Office
from changeover.engine.outcome import Failure, Outcome
from changeover.engine.rules import RuleBook, rule_book
from changeover.engine.stop import StopSwitch
from changeover.engine.work import Done, Work
from changeover.housecallpro.client import HousecallPro, Tries, Wiring
from changeover.settings import Settings
from changeover.store import alerts
from changeover.store.database import Database
from changeover.store.gate import Gate, Pacing
from changeover.store.hcp_gate import HcpGate, HcpPacing
from changeover.store.tables import gates, metadata
from changeover_sandbox.airtable.app import Account as BaseAccount
from changeover_sandbox.airtable.app import create_app as airtable_app
from changeover_sandbox.housecallpro.app import create_app as hcp_app
from changeover_sandbox.seeding import AUTOMATIONS, read_schema
from plugins.housecallpro import DEV, PROD, REPEAT_AFTER, Clock, Server, Service

BASE, KEY = "appDEV00000000001", "patDEV0000000001.secretsecretsecret"
QUICK = Pacing(requests=1_000, slow_requests=900, penalty=0.0)
QUICK_HCP = HcpPacing(requests=10_000, window=0.01)
IMPATIENT = AirtableTries(waits=(0.0, 0.0), jitter=0.0, timeout=(2, 2))
HASTY = Tries(number=2, waits=(0.0,), rate_waits=(0.0,), jitter=0.0, timeout=(2, 2))
AT_ONCE = Pauses(unclear=(0.0, 0.0, 0.0), just_created=(0.0, 0.0), claim=0.0)
RESERVATIONS = "Reservations"


@dataclass
class House:
    """One environment as a tester sees it: rows and jobs by hand, the desk of the program, every call counted."""

    folder: Path
    airtable: str
    service: Service
    desk: JobDesk
    ids: dict[str, str] = field(default_factory=dict)

    # -- what people have ----------------------------------------------------------------------------------------------

    def add(self, table: str, **cells: Any) -> str:
        fields = {name.replace("_", " "): cell for name, cell in cells.items()}
        body = {"base_id": BASE, "table": table, "records": [{"fields": fields}]}
        return self._control("POST", "records", body)["ids"][0]

    def edit(self, record_id: str, table: str = RESERVATIONS, **cells: Any) -> None:
        fields = {name.replace("_", " "): cell for name, cell in cells.items()}
        body = {"base_id": BASE, "table": table, "records": [{"id": record_id, "fields": fields}]}
        self._control("PATCH", "records", body)

    def remove(self, record_id: str, table: str = RESERVATIONS) -> None:
        body = {"base_id": BASE, "table": table, "records": [{"id": record_id}]}
        self._control("DELETE", "records", body)

    def home(self, name: str = "Cactus House", **cells: Any) -> str:
        """A property with its customer, address and template in Housecall Pro."""
        customer = self.service.customer()
        template = self.service.job(customer=customer, start=None)
        lines = [
            {"name": "Template name", "unit_price": 14500, "quantity": 1, "kind": "labor"},
            {
                "name": "Linen",
                "unit_price": 2500,
                "unit_cost": 900,
                "quantity": 2,
                "kind": "materials",
                "taxable": False,
            },
        ]
        self.service.ok("PUT", f"/jobs/{template['id']}/line_items/bulk_update", {"line_items": lines})
        owner = self.add("Customers", Full_Name="Casey Example", HCP_Customer_ID=customer["id"])
        given = {
            "Property_Name": name,
            "HCP_Customer_ID": [owner],
            "HCP_Address_ID": customer["addresses"][0]["id"],
            "Turnover_Job_Template_ID": template["id"],
        } | cells
        home = self.add("Properties", **given)
        self.ids |= {"customer": customer["id"], "address": customer["addresses"][0]["id"], "template": template["id"]}
        self.ids |= {"home": home, "owner": owner}
        return home

    def stay(self, home: str | None = None, days: int = 3, **cells: Any) -> str:
        """A guest who leaves in so many days, ready for a job."""
        leaves = self.today + timedelta(days=days)
        given = {
            "Reservation_UID": f"uid-{len(self.ids)}-{days}_{home or self.ids['home']}",
            "ICS_URL": "https://feeds.example/ics/a.ics",
            "Status": "New",
            "Entry_Type": "Reservation",
            "Entry_Source": "Airbnb",
            "Property_ID": [home or self.ids["home"]],
            "Check-in_Date": (leaves - timedelta(days=4)).isoformat(),
            "Check-out_Date": leaves.isoformat(),
            "Service_Type": "Turnover",
            "Ready_for_Job": True,
            "Sync_Status": "Not Created",
        } | cells
        record_id = self.add(RESERVATIONS, **{name: cell for name, cell in given.items() if cell is not None})
        self.ids[f"stay{len(self.ids)}"] = record_id
        return record_id

    @property
    def today(self) -> date:
        return self.desk.rules.local_day(self.desk.clock())

    def start(self, days: int = 3, hour: int = 10, minute: int = 15) -> datetime:
        """When the cleaning after such a guest begins."""
        day = self.today + timedelta(days=days)
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.desk.rules.zone).astimezone(UTC)

    def hand_made(self, days: int = 3, hour: int = 10, minute: int = 15, **more: Any) -> dict:
        """A job that somebody made in the app."""
        start = self.start(days, hour, minute)
        order = {
            "customer_id": self.ids["customer"],
            "address_id": self.ids["address"],
            "schedule": {"scheduled_start": text(start), "scheduled_end": text(start + timedelta(hours=1))},
        } | more
        return self.service.read(self.service.ok("POST", "/jobs", order))

    # -- what is there -------------------------------------------------------------------------------------------------

    def row(self, record_id: str) -> dict[str, Any]:
        params = {"base_id": BASE, "table": RESERVATIONS}
        answer = requests.get(f"{self.airtable}/_sandbox/records", params=params, timeout=10)
        return next(each["fields"] for each in answer.json()["records"] if each["id"] == record_id)

    def jobs(self) -> list[dict]:
        """All jobs but the templates."""
        found = self.service.ok("GET", "/jobs", page_size=200, **{"expand[]": "appointments"})["jobs"]
        return [each for each in found if each["schedule"]["scheduled_start"] or each["id"] != self.ids.get("template")]

    def job_of(self, record_id: str) -> dict:
        return self.service.read({"id": self.row(record_id)["Service Job ID"]})

    def cycle(self, *steps: ModuleType, dry_run: bool = False) -> list[Outcome]:
        """One cycle of these steps, or of all four."""
        return Cycle(self, dry_run).run(*steps)

    def alerts(self) -> list[tuple[str, str]]:
        """Rule and subject of every open alert."""
        with self.desk.db.read() as connection:
            return [(each.rule, each.subject) for each in alerts.standing(connection)]

    def refresh(self) -> None:
        """The mirror, brought up to the base by a whole read."""
        tables = [RESERVATIONS, "Properties", "Customers", "Automation"]
        base_mirror.read_whole(
            self.desk.airtable, self.desk.db, now=self.desk.clock(), schema=self.desk.facts(), tables=tables
        )

    # -- calls ---------------------------------------------------------------------------------------------------------

    def mark(self) -> tuple[int, int]:
        return self._next(self.airtable), self._next(self.service.url)

    def calls(self, mark: tuple[int, int]) -> tuple[list[str], list[str]]:
        """Method and path of what the base and what Housecall Pro was asked since."""
        base, hcp = (
            self._journal(url, since) for url, since in zip((self.airtable, self.service.url), mark, strict=True)
        )
        return [each for each in base if "/meta/" not in each and "/Environment" not in each], hcp

    def hcp_calls(self, act: Callable[[], object]) -> list[str]:
        mark = self.mark()
        act()
        return self.calls(mark)[1]

    def break_airtable(self, mode: str = "status", **order: Any) -> None:
        self._control("POST", "faults", {"mode": mode, "times": 1, "method": "PATCH", "path": "", "value": 500} | order)

    def heal(self) -> None:
        """Both services are well again, and half a minute has passed: they are asked how they are (C-65)."""
        for url in (self.airtable, self.service.url):
            requests.delete(f"{url}/_sandbox/faults", timeout=10)
        with self.desk.db.begin() as connection:
            connection.execute(update(gates).values(probe_at=None))

    def _journal(self, url: str, since: int) -> list[str]:
        answer = requests.get(f"{url}/_sandbox/requests", params={"since": since}, timeout=10)
        return [f"{each['method']} {each['path']}" for each in answer.json()["requests"]]

    def _next(self, url: str) -> int:
        return int(requests.get(f"{url}/_sandbox/requests", params={"since": 10**9}, timeout=10).json()["next"])

    def _control(self, method: str, path: str, body: object) -> Any:
        answer = requests.request(method, f"{self.airtable}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


@dataclass
class Cycle:
    """The steps of jobs of one cycle, which share one read of Housecall Pro."""

    house: House
    dry_run: bool = False
    done: dict[str, Done] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.house.refresh()
        self.office = Office(self.house.desk, self._read_again, dry_run=self.dry_run)

    def _read_again(self, tables: Sequence[str]) -> Failure | None:
        desk = self.house.desk
        base_mirror.refresh(desk.airtable, desk.db, now=desk.clock(), schema=desk.facts(), tables=tables)
        return None

    def run(self, *steps: ModuleType, **more: Any) -> list[Outcome]:
        """These steps, or all four in their order."""
        return [step.run(self.work(**more)).outcome for step in steps or STEPS]

    def work(self, **more: Any) -> Work:
        desk = self.house.desk
        given = {
            "settings": desk.settings,
            "db": desk.db,
            "rules": _book(desk.settings).rules,
            "platforms": None,
            "suppliers": (),
            "base": Base(facts=desk.facts()),
            "run_id": "run-00000000000000000001",
            "now": desk.clock(),
            "dry_run": self.dry_run,
            "observe": True,
            "read_again": None,
            "still_ours": lambda connection: None,
            "deliver": None,
            "calls": lambda: 0,
            "sleep": desk.sleep,
            "jobs": lambda: self.office,
            "asked_to_end": lambda: False,
        } | more
        return Work(**given)


STEPS = (reconciling, adding, syncing, lining)


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="session")
def job_servers() -> Iterator[tuple[str, Service]]:
    """Both stand-ins, for all tests of jobs in this process."""
    airtable = Server(airtable_app(None, [BaseAccount(BASE, KEY)]))
    clock = Clock()
    company = Server(hcp_app(None, [DEV, PROD], clock=clock, repeat_after=REPEAT_AFTER))
    yield airtable.url, Service(company.url, clock)
    company.stop()
    airtable.stop()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "empty.db"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    database.close()  # whoever closes last puts all of it into the one file
    return path


@pytest.fixture
def house(job_servers: tuple[str, Service], empty_store: Path, tmp_path: Path) -> Iterator[House]:
    """A base and a company with nothing in them but one employee, four job types and a home."""
    airtable, service = job_servers
    house = make_house(airtable, service, empty_store, tmp_path)
    house.home()
    yield house
    house.desk.db.close()


def make_house(airtable: str, service: Service, empty_store: Path, folder: Path) -> House:
    service.control("POST", "/reset")
    service.control("POST", "/limits", {"enforce": False})
    service.clock.ahead, service.clock.stopped_at, service.clock.step = 0.0, None, 0.0
    for url in (airtable, service.url):
        requests.delete(f"{url}/_sandbox/faults", timeout=10)
    requests.post(f"{airtable}/_sandbox/limits", json={"enforce": False}, timeout=10)
    requests.post(f"{airtable}/_sandbox/schema", json={"base_id": BASE, "tables": _SCHEMA}, timeout=10)
    settings = make_settings(airtable, service, folder)
    settings.folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(empty_store, settings.folder / "state.db")
    house = House(folder, airtable, service, make_desk(settings, Database(settings.state_url)))
    house.add("Environment", Name="dev")
    for name in AUTOMATIONS:
        house.add("Automation", Name=name, Active=True)
    return house


_SCHEMA = read_schema()
_TYPES = ("next_guest", "owner", "laundry", "inspection")


def make_settings(airtable: str, service: Service, folder: Path, **more: Any) -> Settings:
    types = {each: service.job_type(each)["id"] for each in _TYPES}
    given = {
        "environment": "dev",
        "home": folder / "var",
        "config": folder / "config",
        "airtable_api_key": KEY,
        "airtable_base_id": BASE,
        "airtable_endpoint_url": airtable,
        "hcp_api_key": DEV.api_key,
        "hcp_base_url": service.url,
        "hcp_employee_id": service.employee()["id"],
        "hcp_str_next_guest_job_type_id": types["next_guest"],
        "hcp_str_owner_job_type_id": types["owner"],
        "hcp_return_laundry_job_type_id": types["laundry"],
        "hcp_inspection_job_type_id": types["inspection"],
    } | more
    return Settings(**given)


_BOOKS: list[RuleBook] = []


def _book(settings: Settings) -> RuleBook:
    """The rule files that ship with the program, read once."""
    if not _BOOKS:
        _BOOKS.append(rule_book(settings))
    return _BOOKS[0]


def make_desk(settings: Settings, db: Database, **more: Any) -> JobDesk:
    """A desk that neither paces nor waits."""
    book = _book(settings)
    switch = StopSwitch(settings.folder, db)
    rules: JobRules = job_rules(settings, book)
    airtable = AirtableClient(
        settings.airtable_base_id,
        settings.airtable_api_key.get_secret_value(),
        settings.airtable_endpoint_url,
        Gate(db, BASE, pacing=QUICK),
        guard=switch.check_writes,
        tries=IMPATIENT,
        sleep=lambda _: None,
    )
    gate = HcpGate(db, hourly_limit=settings.hcp_hourly_limit, pacing=QUICK_HCP)
    wiring = Wiring(gate, guard=switch.check_writes, tries=HASTY, sleep=lambda _: None)
    assert settings.hcp_api_key is not None
    given = {
        "settings": settings,
        "db": db,
        "airtable": airtable,
        "hcp": HousecallPro(settings.hcp_base_url, settings.hcp_api_key.get_secret_value(), wiring),
        "rules": rules,
        "switch": switch,
        "facts": Proof(airtable, db, book.spec, settings.environment),
        "clock": lambda: datetime.now(UTC),
        "sleep": lambda seconds: time.sleep(min(seconds, 0.01)),
        "pauses": AT_ONCE,
    } | more
    return JobDesk(**given)


def with_settings(house: House, **more: Any) -> House:
    """The same house under other settings."""
    settings = house.desk.settings.model_copy(update=more)
    return replace(house, desk=make_desk(settings, house.desk.db))
