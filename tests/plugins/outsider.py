"""A business from outside: people work in its base through pyairtable, calendars are served, the program runs.

The stand-ins are one real process per pytest worker; every test has empty bases, a data folder and settings of its own.
`business` shortens the waits of pacing and repeating in this process, and nothing else.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

import pytest
import requests
from pyairtable import Api, Table

from changeover import controller, settings
from changeover.airtable.client import AirtableClient, Tries
from changeover.airtable.deliver import Delivery, Progress
from changeover.airtable.deliver.context import Delays
from changeover.controller import AutomationResult, CycleResult, RunRequest
from changeover.core.plan import Plan
from changeover.engine import calendars, cycle, durable
from changeover.engine.durable import Durable
from changeover.engine.sending import Sending
from changeover.engine.stopping import Stopping
from changeover.settings import Settings, folders
from changeover.sources.ics.fetch import FetchSettings
from changeover.store import alerts, holds, runs, schema, sightings
from changeover.store.alerts import StandingAlert
from changeover.store.database import Database
from changeover.store.feeds import FeedState, StoredFeeds
from changeover.store.gate import Gate, Pacing
from changeover.store.runs import Run
from changeover_sandbox import launch, seeding

ENVIRONMENTS = ("dev", "prod")
AUTOMATION = "ICS Calendar"
START = datetime(2026, 3, 4, 15, tzinfo=UTC)  # 08:00 in Phoenix
TODAY = date(2026, 3, 4)
BEAT = timedelta(hours=4)
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(sys.executable).with_name("changeover"))

Fields = Mapping[str, object]


def day(number: int) -> date:
    """March 4, 2026, the first day of every business, plus a number of days."""
    return TODAY + timedelta(days=number)


@dataclass(frozen=True)
class Sandbox:
    """The stand-ins' process: their addresses, the credentials of both environments, and their control APIs."""

    root: Path
    answer: Mapping[str, Mapping[str, object]]
    http: requests.Session

    def url(self, service: str) -> str:
        return str(self.answer[service]["url"])

    def keys(self, env: str) -> Mapping[str, str]:
        return self.answer["airtable"][env]  # type: ignore[return-value]

    def control(self, service: str, method: str, path: str, body: object = None) -> dict[str, object]:
        """One call of a stand-in's control API; its JSON answer."""
        answer = self.http.request(method, f"{self.url(service)}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def fault(
        self, mode: str, value: object = None, *, method: str = "", path: str = "", times: int | None = None
    ) -> None:
        """Spoils requests to Airtable: that many of this method and path, all for None."""
        order = {"method": method, "path": path, "mode": mode, "times": times, "value": value}
        self.control("airtable", "POST", "faults", order)

    def heal(self) -> None:
        self.control("airtable", "DELETE", "faults")

    def requests(self, service: str, since: int = 0) -> list[dict[str, object]]:
        return self.control(service, "GET", f"requests?since={since}")["requests"]  # type: ignore[return-value]

    def next_request(self, service: str) -> int:
        return int(str(self.control(service, "GET", f"requests?since={2**40}")["next"]))

    def begin(self, *, schema: bool = True) -> None:
        """Both bases with every table, their mark and the ticked automation; no feed, no limit, no fault."""
        self.control("airtable", "POST", "reset")
        self.control("feeds", "POST", "reset")
        self.control("airtable", "POST", "limits", {"enforce": False})
        if schema:
            for env in ENVIRONMENTS:
                base = seeding.Base(self.url("airtable"), self.keys(env)["base_id"])
                base.create(seeding.read_schema())
                base.add("Environment", [{"Name": env}])
                base.add("Automation", [{"Name": AUTOMATION, "Active": True}])


@dataclass
class Calendar:
    """One platform's calendar of a house: stays by uid, served as ICS text after every change."""

    sandbox: Sandbox
    name: str
    prodid: str = "-//Example//Calendar 1.0//EN"
    events: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def stay(self, uid: str, check_in: int, check_out: int, summary: str = "Reserved", **more: str) -> Calendar:
        """Shows nights from day to day; the same uid again alters them. `more` gives further properties."""
        lines = [
            f"UID:{uid}",
            f"DTSTART;VALUE=DATE:{day(check_in):%Y%m%d}",
            f"DTEND;VALUE=DATE:{day(check_out):%Y%m%d}",
        ]
        return self.event(uid, *lines, f"SUMMARY:{summary}", *(f"{key}:{value}" for key, value in more.items()))

    def event(self, key: str, *lines: str) -> Calendar:
        """Shows an event of these very lines."""
        self.events[key] = "\r\n".join(("BEGIN:VEVENT", "DTSTAMP:20260304T000000Z", *lines, "END:VEVENT", ""))
        return self.publish()

    def drop(self, *uids: str) -> Calendar:
        """Shows these stays no more."""
        for uid in uids:
            del self.events[uid]
        return self.publish()

    def clear(self) -> Calendar:
        self.events.clear()
        return self.publish()

    @property
    def text(self) -> str:
        head = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{self.prodid}\r\n"
        return head + "".join(self.events.values()) + "END:VCALENDAR\r\n"

    def publish(self) -> Calendar:
        return self.answers(self.text)

    def answers(self, body: str = "", status: int = 200, **more: object) -> Calendar:
        """Answers anything at all until the next change or `publish`."""
        order = {"status": status, "body": body, **more}
        self.url = str(self.sandbox.control("feeds", "PUT", f"feeds/{self.name}", order)["url"])
        return self


@dataclass
class Office:
    """One environment's base as its people use it."""

    sandbox: Sandbox
    env: str = "dev"

    @cached_property
    def api(self) -> Api:
        return Api(self.sandbox.keys(self.env)["api_key"], endpoint_url=self.sandbox.url("airtable"))

    @property
    def base_id(self) -> str:
        return self.sandbox.keys(self.env)["base_id"]

    def table(self, name: str) -> Table:
        return self.api.table(self.base_id, name)

    def add(self, table: str, **fields: object) -> str:
        return self.table(table).create(fields)["id"]

    def edit(self, table: str, record_id: str, **fields: object) -> None:
        self.table(table).update(record_id, fields)

    def home(self, name: str) -> str:
        return self.add("Properties", **{"Property Name": name})

    def feed(self, calendar: Calendar | str, *homes: str, status: str = "Active", **fields: object) -> str:
        url = calendar if isinstance(calendar, str) else calendar.url
        return self.add("ICS Feeds", **{"ICS URL": url, "Feed Status": status, "Property Name": list(homes)}, **fields)

    def records(self, table: str = "Reservations") -> list[dict[str, object]]:
        """Rows as their fields, with `id`, by check-in, check-out and name of whatever stands in them."""
        found = [{"id": each["id"], **each["fields"]} for each in self.table(table).all()]
        return sorted(
            found, key=lambda row: (str(row.get("Check-in Date")), str(row.get("Check-out Date")), str(row["id"]))
        )

    def rows(self, *statuses: str) -> list[dict[str, object]]:
        return [row for row in self.records() if row.get("Status") in statuses]

    @property
    def live(self) -> list[dict[str, object]]:
        return self.rows("New", "Modified")

    @property
    def nights(self) -> list[tuple[int, int]]:
        """The live rows' nights as numbers of days, for comparing at a glance."""
        return [(number(row["Check-in Date"]), number(row["Check-out Date"])) for row in self.live]

    @property
    def only(self) -> dict[str, object]:
        (row,) = self.live
        return row

    def row(self, record_id: object) -> dict[str, object]:
        return next(row for row in self.records() if row["id"] == record_id)

    def automation(self, name: str = AUTOMATION) -> dict[str, object]:
        return next(row for row in self.records("Automation") if row["Name"] == name)

    def tick(self, active: bool, name: str = AUTOMATION) -> None:
        self.edit("Automation", str(self.automation(name)["id"]), Active=active)

    def cron(self, url: str) -> dict[str, object]:
        return next(row for row in self.records("ICS Cron") if row["ICS URL"] == url)

    def schema(self) -> list[dict[str, object]]:
        return self.api.request("GET", f"{self.sandbox.url('airtable')}/v0/meta/bases/{self.base_id}/tables")["tables"]

    def field_ids(self, table: str, name: str) -> tuple[str, str]:
        """Ids of a table and a field of it."""
        found = next(each for each in self.schema() if each["name"] == table)
        return str(found["id"]), next(str(each["id"]) for each in found["fields"] if each["name"] == name)  # type: ignore[attr-defined,index,union-attr]

    def rename_field(self, table: str, name: str, new: str) -> None:
        table_id, field_id = self.field_ids(table, name)
        url = f"{self.sandbox.url('airtable')}/v0/meta/bases/{self.base_id}/tables/{table_id}/fields/{field_id}"
        self.api.request("PATCH", url, json={"name": new})


def number(cell: object) -> int:
    """An ISO date as a number of days from the business's first."""
    return (date.fromisoformat(str(cell)) - TODAY).days


@dataclass(frozen=True)
class Ran:
    """One run of the program: what it answered, and every request it made to the base and to the calendars."""

    result: CycleResult
    calls: Sequence[Mapping[str, object]]
    downloads: Sequence[Mapping[str, object]]

    @property
    def code(self) -> int:
        return self.result.exit_code

    @property
    def state(self) -> str:
        return str(self.result.state)

    @property
    def only(self) -> AutomationResult:
        (automation,) = self.result.automations
        return automation

    @property
    def text(self) -> str:
        return self.only.text

    @property
    def plan(self) -> Plan:
        assert self.result.plan is not None
        return self.result.plan

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Writing requests as (method, table)."""
        return [(str(each["method"]), str(each["path"]).split("/")[-1]) for each in self.calls if _writes(each)]

    @property
    def reads(self) -> int:
        return len(self.calls) - len(self.writes)


def _writes(call: Mapping[str, object]) -> bool:
    return call["method"] != "GET" and not str(call["path"]).endswith("/listRecords")


_LOADED: dict[tuple[str | bytes, ...], Settings] = {}


@dataclass
class Business:
    """Everything outside the program, and the program itself. `now` moves on four hours with each run."""

    sandbox: Sandbox
    folder: Path
    template: Path
    now: datetime = START

    def __post_init__(self) -> None:
        self.office, self.prod = Office(self.sandbox, "dev"), Office(self.sandbox, "prod")
        shutil.copytree(self.sandbox.root / "config", self.config)
        self.set("dev", FEED_ATTEMPTS="1")
        self.set("prod", FEED_ATTEMPTS="1")

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def variables(self) -> dict[str, str]:
        return {"CHANGEOVER_CONFIG": str(self.config), "CHANGEOVER_HOME": str(self.folder / "var")}

    def set(self, env: str, **values: str) -> None:
        """Writes settings; an empty value takes the line out."""
        path = self.config / f"{env}.env"
        kept = [line for line in path.read_text().splitlines() if line.partition("=")[0] not in values]
        path.write_text("\n".join([*kept, *(f"{key}={value}" for key, value in values.items() if value)]) + "\n")

    def settings(self, env: str = "dev") -> Settings:
        """Loaded once for the same words: proving the environments apart takes a process of its own."""
        words = env, *((self.config / f"{each}.env").read_bytes() for each in ENVIRONMENTS)
        if words not in _LOADED:
            _LOADED[words] = settings.load(env, self.variables)
        return _LOADED[words].model_copy(update={"home": self.folder / "var", "config": self.config})

    def data(self, env: str = "dev") -> Path:
        return self.folder / "var" / env

    @property
    def db(self) -> Database:
        return Database(self.settings().state_url)

    # -- what stands in the state database ---------------------------------------------------------------------------

    def alerts(self) -> dict[str, StandingAlert]:
        """Open alerts by rule; of several the last."""
        with self.reading() as connection:
            return {each.rule: each for each in alerts.standing(connection)}

    def held(self) -> tuple[holds.Held, ...]:
        with self.reading() as connection:
            return holds.load_all(connection)

    def misses(self) -> int:
        with self.reading() as connection:
            return sum(each.misses for each in sightings.load_all(connection))

    def feed_states(self) -> list[FeedState | None]:
        """What is remembered of each feed."""
        db = self.db
        found = [StoredFeeds(db).get(str(row["id"])) for row in self.office.records("ICS Feeds")]
        db.close()
        return found

    def runs(self) -> list[Run]:
        with self.reading() as connection:
            return list(runs.recent(connection))

    def office_feed(self, url: str) -> str:
        """The record of a calendar."""
        return next(str(row["id"]) for row in self.office.records("ICS Feeds") if row["ICS URL"] == url)

    @staticmethod
    def pause() -> None:
        """A moment between two looks at what a process of ours is doing."""
        time.sleep(0.02)

    def reading(self) -> _Reading:
        return _Reading(self.db)

    # -- people ------------------------------------------------------------------------------------------------------

    def calendar(self, name: str, **more: str) -> Calendar:
        return Calendar(self.sandbox, name, **more).publish()

    def house(self, name: str, *calendars: str, prodid: str = "", **fields: object) -> tuple[Calendar, ...]:
        """A property with a feed for each calendar named, one by default; answers the calendars."""
        home = self.office.home(name)
        more = {"prodid": prodid} if prodid else {}
        made = tuple(self.calendar(each, **more) for each in calendars or (name.lower().replace(" ", "-"),))
        for each in made:
            self.office.feed(each, home, **fields)
        return made

    # -- the program -------------------------------------------------------------------------------------------------

    def run(self, env: str = "dev", *, beat: timedelta = BEAT, **request: object) -> Ran:
        """One run in this process; the clock then moves on."""
        self._prepare(env)
        marks = {service: self.sandbox.next_request(service) for service in ("airtable", "feeds")}
        result = controller.run(self.settings(env), RunRequest(**{"at": self.now} | request))  # type: ignore[arg-type]
        self.now += beat
        return Ran(result, *(self.sandbox.requests(service, marks[service]) for service in ("airtable", "feeds")))

    def a_day(self) -> Ran:
        """Four runs in a day: enough for whatever is missing from its source to be gone (R-63). The last of them."""
        for _ in range(3):
            self.run(beat=timedelta(hours=6))
        return self.run(beat=timedelta(hours=6))

    def command(self, *line: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The console script as a person starts it, to its end."""
        return subprocess.run(
            [PROGRAM, *line], env=self.environment(**variables), capture_output=True, text=True, check=False, timeout=90
        )

    def start(self, env: str = "dev", *options: str) -> subprocess.Popen[str]:
        """A runner file as cron starts it; the caller waits for its end."""
        self._prepare(env)
        line = [sys.executable, str(ROOT / "src" / f"run_automation_{env}.py"), "--at", self.now.isoformat(), *options]
        pipe = subprocess.PIPE
        return subprocess.Popen(line, env=self.environment(), stdout=pipe, stderr=pipe, text=True)

    def environment(self, **variables: str) -> dict[str, str]:
        return {**os.environ, **self.variables, **variables}

    def _prepare(self, env: str) -> None:
        """Saves each test the two seconds of making the tables of `dev`."""
        target = self.data(env) / "state.db"
        if env == "dev" and not target.exists():
            folders.create(self.settings(env))
            shutil.copyfile(self.template, target)
            target.chmod(0o600)


class _Reading:
    def __init__(self, db: Database) -> None:
        self._db, self._context = db, db.read()

    def __enter__(self):
        return self._context.__enter__()

    def __exit__(self, *error) -> None:
        self._context.__exit__(*error)
        self._db.close()


# -- fixtures ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One process of stand-ins for the whole session of a worker."""
    root = tmp_path_factory.mktemp("sandbox")
    answer = launch.up(root, launch.Wanted(empty=True, day=TODAY))
    gc.collect()
    gc.freeze()  # what is imported stays: hundreds of runs need not look through it again and again
    with requests.Session() as http:
        http.trust_env = False
        yield Sandbox(root, json.loads(json.dumps(answer)), http)
    launch.down(root)


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state database with all tables and nothing in them, in which the engine has been started once.

    A queue it has never heard of it looks for only after a second.
    """
    path = tmp_path_factory.mktemp("state") / "state.db"
    schema.migrate(f"sqlite:///{path}")
    db = Database(f"sqlite:///{path}")
    with Durable(Sending("dev", db, lambda _: Progress(0), Stopping()), path.parent):
        pass
    db.close()
    return path


@pytest.fixture
def business(sandbox: Sandbox, empty_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Business:
    """A business without a house, whose program waits as little as it can."""
    sandbox.begin()
    hurry(monkeypatch)
    return Business(sandbox, tmp_path, empty_state)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens the waits of pacing, repeating and searching in this process."""
    pacing = Pacing(requests=1000, slow_requests=1000, window=0.05, penalty=0.05)
    tries = Tries(waits=(0.0, 0.0), jitter=0.0)
    delays = Delays(timedelta(0), timedelta(0), timedelta(0))
    monkeypatch.setattr(cycle, "Gate", partial(Gate, pacing=pacing))
    monkeypatch.setattr(cycle, "AirtableClient", partial(AirtableClient, tries=tries))
    monkeypatch.setattr(cycle, "Delivery", partial(Delivery, delays=delays))
    at_once = partial(FetchSettings, start_jitter_seconds=0.0, waits_seconds=(0.0,))
    monkeypatch.setattr(calendars, "FetchSettings", at_once)
    monkeypatch.setattr(durable, "_POLL_SECONDS", 0.01)
