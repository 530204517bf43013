"""A base on a loopback port, set up by `init`, and what a person or a broken line may do to it."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from changeover.airtable import mirror as base_mirror
from changeover.airtable.client import AirtableClient, Tries
from changeover.airtable.deliver import Delays, Delivery, Progress, enqueue, send_next
from changeover.airtable.rows import SourceIndex, to_stay
from changeover.airtable.schema import BaseSpec, SchemaFacts, init, load, verify
from changeover.core.plan import Change, Plan, Verb, create_key
from changeover.core.stay import EntryType, Status, Stay
from changeover.store import mirror
from changeover.store.database import Database
from changeover.store.deliveries import Write
from changeover.store.gate import Gate, Pacing
from changeover.store.mirror import Record
from changeover.store.tables import metadata
from changeover_sandbox.airtable.app import Account, create_app

BASE, KEY = "appDEV00000000001", "patDEV0000000001.secretsecretsecret"
OTHER_BASE, OTHER_KEY = "appPROD0000000001", "patPRD0000000001.secretsecretsecret"
CASA = "Casa Agave"
URL = "https://feeds.example/ics/secret-token.ics"
QUICK = Pacing(requests=1_000, slow_requests=900, penalty=0.0)
IMPATIENT = Tries(waits=(0.0, 0.0, 0.0, 0.0), jitter=0.0, timeout=(2, 2))
AT_ONCE = Delays(timedelta(0), timedelta(0), timedelta(0))


@dataclass
class Base:
    """The stand-in as a test sees it; `url` is its API and its control API."""

    url: str
    base_id: str = BASE
    key: str = KEY

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def limits(self, **values: object) -> None:
        self._post("limits", values)

    def fault(
        self, mode: str, method: str = "POST", times: int | None = 1, path: str = "", value: object = None
    ) -> None:
        self._post("faults", {"method": method, "path": path, "mode": mode, "times": times, "value": value})

    def heal(self) -> None:
        requests.delete(f"{self.url}/_sandbox/faults", timeout=10)

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/_sandbox/requests", params={"since": since}, timeout=10)
        return list(answer.json()["requests"])

    def mark(self) -> int:
        """The number of the next call, for `calls`."""
        return int(requests.get(f"{self.url}/_sandbox/requests", params={"since": 10**9}, timeout=10).json()["next"])

    def add(self, table: str, *rows: Mapping[str, Any], created: str | None = None) -> list[str]:
        """Rows made by someone else, without a call in the journal."""
        more = {"createdTime": created} if created else {}
        records = [{"fields": dict(row), **more} for row in rows]
        return list(self._post("records", {"base_id": self.base_id, "table": table, "records": records})["ids"])

    def rows(self, table: str = "Reservations") -> dict[str, dict[str, Any]]:
        """Every row's cells by record id."""
        params = {"base_id": self.base_id, "table": table}
        answer = requests.get(f"{self.url}/_sandbox/records", params=params, timeout=10)
        return {each["id"]: each["fields"] for each in answer.json()["records"]}

    def edit(self, record_id: str, table: str = "Reservations", **cells: Any) -> None:
        """What a person types, without a call in the journal; names have `_` for a blank."""
        fields = {name.replace("_", " "): cell for name, cell in cells.items()}
        body = {"base_id": self.base_id, "table": table, "records": [{"id": record_id, "fields": fields}]}
        assert requests.patch(f"{self.url}/_sandbox/records", json=body, timeout=10).ok

    def delete(self, *record_ids: str, table: str = "Reservations") -> None:
        """What a person deletes."""
        body = {"base_id": self.base_id, "table": table, "records": [{"id": each} for each in record_ids]}
        answer = requests.delete(f"{self.url}/_sandbox/records", json=body, timeout=10)
        assert answer.ok, answer.text


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def empty_base(loop: asyncio.AbstractEventLoop) -> Iterator[Base]:
    """A base without tables; its limits are off."""
    app = create_app(None, [Account(BASE, KEY), Account(OTHER_BASE, OTHER_KEY)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    base = Base(asyncio.run_coroutine_threadsafe(start(), loop).result(10))
    base.limits(enforce=False)
    yield base
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture(scope="session")
def spec() -> BaseSpec:
    return load(Path(__file__).parents[3] / "config" / "airtable_base.json")


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


Connect = Callable[..., AirtableClient]


@pytest.fixture
def connect(empty_base: Base, db: Database) -> Connect:
    """Clients of the base; by default they neither pace nor wait."""

    def make(
        pacing: Pacing = QUICK, tries: Tries = IMPATIENT, key: str = KEY, base_id: str = BASE, **more: Any
    ) -> AirtableClient:
        gate = Gate(db, base_id, pacing=pacing)
        return AirtableClient(base_id, key, empty_base.url, gate, tries=tries, **more)

    return make


@pytest.fixture
def client(connect: Connect) -> AirtableClient:
    return connect()


@pytest.fixture
def base(empty_base: Base, client: AirtableClient, spec: BaseSpec) -> Base:
    """A base set up for dev."""
    init(client, spec, "dev")
    return empty_base


@pytest.fixture
def schema(base: Base, client: AirtableClient, db: Database, spec: BaseSpec, now: datetime) -> SchemaFacts:
    return verify(client, db, spec, "dev", now=now, version="1").facts


@pytest.fixture
def casa(base: Base) -> str:
    """A property's record id."""
    return base.add("Properties", {"Property Name": CASA})[0]


def _row(number: int, casa: str, **cells: Any) -> dict[str, Any]:
    first = datetime.now(UTC).date() + timedelta(days=3)
    return {
        "Reservation UID": f"u{number}_{casa}",
        "ICS URL": URL,
        "Status": "New",
        "Entry Type": "Reservation",
        "Entry Source": "Airbnb",
        "Property ID": [casa],
        "Check-in Date": (first + timedelta(days=number % 50)).isoformat(),
        "Check-out Date": (first + timedelta(days=number % 50 + 4)).isoformat(),
        "Service Type": "Turnover",
    } | {name.replace("_", " "): cell for name, cell in cells.items()}


@dataclass
class World:
    """The base with a mirror, and plans carried out against it."""

    base: Base
    db: Database
    client: AirtableClient
    schema: SchemaFacts
    casa: str
    connect: Connect
    alerts: list[str] = field(default_factory=list)

    def stay(self, number: int = 1, **more: Any) -> Stay:
        """A new stay that no row shows yet."""
        cells = _row(number, self.casa)
        check_in, check_out = (date.fromisoformat(cells[f"Check-{way} Date"]) for way in ("in", "out"))
        values: dict[str, Any] = {
            "uid": cells["Reservation UID"],
            "source": "recFEED0000000001",
            "url": URL,
            "property_id": self.casa,
            "check_in": check_in,
            "check_out": check_out,
            "entry_type": EntryType.RESERVATION,
            "status": Status.NEW,
            "entry_source": "Airbnb",
            "created": datetime.now(UTC),
            "service_type": "Turnover",
            "wrote_service_type": "Turnover",
            "wrote_block_type": "",
            "sync_status": "Not Created",
        } | more
        key = create_key(values["uid"], URL, Status.NEW, values["check_in"], values["check_out"])
        return Stay(record_id=key, **values)

    def row(self, number: int = 1, **cells: Any) -> str:
        """A row that is in the base."""
        return self.base.add("Reservations", _row(number, self.casa, **cells))[0]

    def refresh(self, **more: Any) -> base_mirror.Refresh:
        values: dict[str, Any] = {"now": datetime.now(UTC), "schema": self.schema} | more
        return base_mirror.refresh(self.client, self.db, **values)

    def known(self, record_id: str) -> Stay:
        """The mirrored row as a stay."""
        with self.db.read() as conn:
            record = mirror.find(conn, "Reservations", [record_id])[record_id]
        stay = to_stay(record, SourceIndex.of([("recFEED0000000001", URL)]), {})
        assert isinstance(stay, Stay)
        return stay

    def plan(self, *changes: Change, run_id: str = "run-1", extra: tuple[Write, ...] = ()) -> int:
        now = datetime.now(UTC)
        with self.db.begin() as conn:
            return enqueue(conn, run_id, Plan(now=now, changes=changes), extra, now=now)

    def new(self, *numbers: int, run_id: str = "run-1") -> int:
        return self.plan(*(Change(Verb.NEW, None, self.stay(number)) for number in numbers), run_id=run_id)

    def delivery(self, **more: Any) -> Delivery:
        values: dict[str, Any] = {"client": self.client, "db": self.db, "schema": self.schema, "delays": AT_ONCE} | more
        return Delivery(**values)

    def deliver(self, run_id: str | None = "run-1", context: Delivery | None = None, steps: int = 500) -> Progress:
        """Sends until nothing is left or something is in the way."""
        context = context or self.delivery()
        for _ in range(steps):
            progress = send_next(context, run_id)
            self.alerts += [each.rule for each in progress.alerts]
            if not progress.left or progress.stopped or progress.wait_until:
                return progress
        raise AssertionError("the delivery never ends")

    def mirrored(self, table: str = "Reservations") -> dict[str, Record]:
        with self.db.read() as conn:
            return {each.id: each for each in mirror.load(conn, table)}

    def agrees(self) -> bool:
        """Whether the mirror holds exactly what the base does."""
        return {key: dict(each.fields) for key, each in self.mirrored().items()} == self.base.rows()


@pytest.fixture
def world(base: Base, db: Database, client: AirtableClient, schema: SchemaFacts, casa: str, connect: Connect) -> World:
    made = World(base, db, client, schema, casa, connect)
    made.refresh()
    return made
