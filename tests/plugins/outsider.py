"""A business from outside: people work in its base through pyairtable, calendars are served, the program runs.

The stand-ins are one real process per pytest worker; every test has empty bases, a data folder and settings of its own.
`business` shortens the waits of pacing and repeating in this process, and nothing else.
"""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests

from changeover import controller, settings
from changeover.airtable.client import AirtableClient, Tries
from changeover.airtable.deliver import Delivery, Progress
from changeover.airtable.deliver.context import Delays
from changeover.controller import AutomationResult, CycleResult, RunRequest
from changeover.core.plan import Plan
from changeover.engine import calendars, cycle, delivering, durable, executing
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
from changeover_sandbox import launch
from plugins.outside import AUTOMATION, ENVIRONMENTS, TODAY, Calendar, Office, Sandbox, day, number
from plugins.unmeasured import measuring_nothing, unmeasured

__all__ = [
    "AUTOMATION",
    "ENVIRONMENTS",
    "PROGRAM",
    "TODAY",
    "Business",
    "Calendar",
    "Office",
    "Ran",
    "Sandbox",
    "business",
    "day",
    "empty_state",
    "number",
    "sandbox",
]

START = datetime(2026, 3, 4, 15, tzinfo=UTC)  # 08:00 in Phoenix
BEAT = timedelta(hours=4)
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(sys.executable).with_name("changeover"))


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
        """The run's one step; of several, where the others are switched off, the calendars'."""
        if len(self.result.automations) == 1:
            return self.result.automations[0]
        return next(each for each in self.result.automations if each.name == AUTOMATION)

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
        return {**unmeasured(), **self.variables, **variables}

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
    with measuring_nothing():
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
    monkeypatch.setattr(delivering, "Delivery", partial(Delivery, delays=delays))
    at_once = partial(FetchSettings, start_jitter_seconds=0.0, waits_seconds=(0.0,))
    monkeypatch.setattr(calendars, "FetchSettings", at_once)
    monkeypatch.setattr(durable, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(executing, "_NOTICE_SECONDS", 0.01)
