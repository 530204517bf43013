"""Around the web server: settings of two environments, mails to post, what is stored, a real server to post to."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from changeover.engine.names import MAIL_QUEUE, MAIL_WORKFLOW
from changeover.settings.inbound import Inbound, load_inbound
from changeover.store import alerts, events
from changeover.store.alerts import StandingAlert
from changeover.store.database import Database
from changeover.store.events import Event
from plugins.mailbag import FORM, form, part

PATH = "/webhooks/csv-email"
USER, PASSWORDS = "mail-service", {"dev": "dev-word-1", "prod": "prod-word-1"}
PROGRAM = [sys.executable, "-m", "changeover.cli"]


def authorization(user: str = USER, password: str = PASSWORDS["prod"]) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def a_form(subject: str, *more: bytes) -> bytes:
    """A mail as a form; its subject makes it different from others."""
    return form(part("envelope[to]", "in@inbox.example"), part("headers[subject]", subject), *more)


@dataclass
class House:
    """Settings and data folders of both environments, with databases that are ready."""

    folder: Path
    settings: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for env, password in PASSWORDS.items():
            self.settings[env] = {
                "API_KEY": f"{env}-api-key-0001",
                "CLOUDMAILIN_USER": USER,
                "CLOUDMAILIN_PASSWORD": password,
            }
        (self.folder / "config").mkdir()

    def set(self, env: str, **values: str | None) -> House:
        """Alters settings; None takes a name out."""
        for name, value in values.items():
            if value is None:
                self.settings[env].pop(name, None)
            else:
                self.settings[env][name] = value
        return self

    @property
    def variables(self) -> dict[str, str]:
        return {"CHANGEOVER_CONFIG": str(self.folder / "config"), "CHANGEOVER_HOME": str(self.folder / "var")}

    def write(self, database: Path | None = None) -> House:
        """Puts the settings down; `database` is a migrated file that each environment gets a copy of."""
        for env, values in self.settings.items():
            lines = "".join(f"{name}={value}\n" for name, value in values.items())
            (self.folder / "config" / f"{env}.env").write_text(lines)
            if database is not None:
                self.data(env).mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copy(database, self.data(env) / "state.db")
        return self

    def inbound(self) -> tuple[Inbound, ...]:
        return load_inbound(self.variables)

    def data(self, env: str = "prod") -> Path:
        return self.folder / "var" / env

    def files(self, env: str = "prod", below: str = "raw/mail") -> list[str]:
        """Every file below a folder of an environment, relative to its data folder."""
        root = self.data(env) / below
        return sorted(str(path.relative_to(self.data(env))) for path in root.rglob("*") if path.is_file())

    @contextmanager
    def database(self, env: str = "prod") -> Iterator[Database]:
        database = Database(f"sqlite:///{self.data(env) / 'state.db'}")
        yield database
        database.close()

    def mails(self, env: str = "prod") -> tuple[Event, ...]:
        with self.database(env) as database, database.read() as connection:
            return events.recent(connection, 100_000)

    def work(self, env: str = "prod") -> list[str]:
        """The mails whose work is enqueued."""
        query = text("SELECT workflow_uuid FROM workflow_status WHERE name = :name AND queue_name = :queue")
        with self.database(env) as database, database.read() as connection:
            found = connection.execute(query, {"name": MAIL_WORKFLOW, "queue": MAIL_QUEUE})
            return sorted(row[0].removeprefix("mail:") for row in found)

    def alerts(self, env: str = "prod") -> dict[str, StandingAlert]:
        """Open alerts by rule."""
        with self.database(env) as database, database.read() as connection:
            return {each.rule: each for each in alerts.standing(connection)}

    def is_whole(self, env: str = "prod") -> bool:
        """Whether each row has its file and its work, and each file its row (CM-9)."""
        found = self.mails(env)
        paths = sorted(str(each.payload["path"]) for each in found)
        return paths == self.files(env) and sorted(each.id for each in found) == self.work(env)


@dataclass
class Door:
    """A server that runs."""

    house: House
    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def post(
        self, body: bytes | Iterator[bytes], path: str = PATH, *, content_type: str = FORM, **headers: str
    ) -> requests.Response:
        """Posts with prod's credentials unless others are given."""
        given = {"Content-Type": content_type, **authorization(), **headers}
        return requests.post(self.url + path, data=body, headers=given, timeout=30, allow_redirects=False)

    def raw(self, head: str, body: bytes = b"", *, close: bool = False) -> int:
        """Sends these very bytes, then nothing more when `close`; the status that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
            if close:
                line.shutdown(socket.SHUT_WR)
            return int(line.makefile("rb").readline().split()[1])

    def head(self, path: str = PATH, **headers: str) -> str:
        """The beginning of a request by prod's mail service."""
        given = {"Host": "x", "Content-Type": FORM, **authorization(), **headers}
        return "\n".join((f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())))

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self._over()

    def end(self) -> int:
        """Asks it to end; its exit code."""
        self.process.terminate()
        return self._over()

    def _over(self) -> int:
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=30)


def started(house: House, *arguments: str) -> Door:
    """A server over these settings, listening."""
    environment = {**os.environ, **house.variables}
    command = [*PROGRAM, "serve", "--bind", "127.0.0.1:0", "--json", *arguments]
    with (house.folder / "stderr").open("a") as errors:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise AssertionError((house.folder / "stderr").read_text())
    answer: Mapping[str, object] = json.loads(line)
    return Door(house, process, str(answer["url"]))


@contextmanager
def serving(house: House) -> Iterator[Door]:
    """A server that is ended afterwards."""
    door = started(house)
    try:
        yield door
    finally:
        door.end()


@pytest.fixture
def house(tmp_path: Path, migrated_sqlite: Path) -> House:
    """Both environments, ready and empty."""
    return House(tmp_path).write(migrated_sqlite)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Door]:
    """One server for all tests of a module; what they store stays."""
    with serving(House(tmp_path_factory.mktemp("door")).write(migrated_sqlite)) as door:
        yield door
