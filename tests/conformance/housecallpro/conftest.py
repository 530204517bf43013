"""Runs these tests against a stand-in of its own, or against the account that an environment variable names.

With a real account only reads are made, unless a second variable says that jobs may be left behind, which no call of
the API can delete. What cannot be done there is not collected, and said at the start.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from changeover.core.job import Job
from changeover.housecallpro import line_items
from changeover.housecallpro.client import HousecallPro, Wiring
from changeover.housecallpro.errors import Halted
from changeover.store.database import Database
from changeover.store.hcp_gate import HcpGate, HcpPacing
from conformance.housecallpro import stage
from conformance.housecallpro.access import ACCOUNT, WEBHOOKS, Access, UnusableAccount, access_of
from conformance.housecallpro.company import LINES, Company, Ours
from conformance.housecallpro.questions import QUESTIONS, Question
from conformance.housecallpro.recording import Recorded, recorded
from plugins.housecallpro import Service

HERE: Final = Path(__file__).parent
OBSERVED: Final = "observed"
ACCESS: Final = pytest.StashKey[Access | None]()
MADE: Final = pytest.StashKey[list[str]]()
THROTTLED: Final = pytest.StashKey[list[str]]()
SECONDS: Final = 1.1

NEEDS: Final = {
    "person": "CONFORMANCE_EMPLOYEE_ID",
    "started_job": "CONFORMANCE_STARTED_JOB_ID",
    "completed_job": "CONFORMANCE_COMPLETED_JOB_ID",
    "canceled_job": "CONFORMANCE_CANCELED_JOB_ID",
    "deleted_job_id": "CONFORMANCE_DELETED_JOB_ID",
    "webhooks": WEBHOOKS,
}
"""What a fixture needs from the account's file, or beside it."""


# -- which tests run, and where ----------------------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    try:
        access = config.stash[ACCESS] = access_of(os.environ)
    except UnusableAccount as error:
        raise pytest.UsageError(str(error)) from None
    if access is None or not ours:
        return
    if hasattr(config, "workerinput"):  # one of several processes
        raise pytest.UsageError(f"with {ACCOUNT} these tests run in one process: several would make a job each")
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "line"  # a failure shows what was compared, and nothing of real people beside it
    out = [item for item in ours if _forbidden(item, access)]
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=out)


def _forbidden(item: pytest.Item, access: Access) -> bool:
    names: list[str] = getattr(item, "fixturenames", [])
    lacking = any(name in names and not access.has(setting) for name, setting in NEEDS.items())
    return lacking or ("writer" in names and not access.writes)


def pytest_collection_finish(session: pytest.Session) -> None:
    access = session.config.stash.get(ACCESS, None)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if access is not None and reporter is not None:
        reporter.write_line("")
        for line in _announced(access):
            reporter.write_line(line)


def _announced(access: Access) -> Iterator[str]:
    yield f"conformance: {access.base_url}, test customer {access.customer_id}"
    if access.writes:
        yield "conformance: makes up to 3 jobs of this customer in a year's time, which no call can delete; they are"
        yield "conformance: left unscheduled, the first line says what they are, and their ids are listed at the end"
    else:
        yield "conformance: reads only"
    absent = sorted({setting for setting in NEEDS.values() if not access.has(setting)})
    if absent:
        yield f"conformance: no tests of what needs {', '.join(absent)}"


# -- what was seen -----------------------------------------------------------------------------------------------------


@pytest.fixture
def observe(request: pytest.FixtureRequest) -> Callable[[Question, str], None]:
    """Writes an observation down. The stand-in must do what `QUESTIONS` says of it."""
    strict = request.config.stash[ACCESS] is None

    def note(question: Question, seen: str) -> None:
        request.node.user_properties.append((OBSERVED, f"{question}\0{seen}"))
        if strict:
            assert seen == QUESTIONS[question].assumed

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]
    pairs = [text.split("\0") for report in reports for name, text in report.user_properties if name == OBSERVED]
    seen = {Question(question): answer for question, answer in pairs}
    if seen:
        terminalreporter.section("Housecall Pro: what was seen")
    for question, each in QUESTIONS.items():
        if question in seen:
            other = "" if seen[question] == each.assumed else f"   (the stand-in: {each.assumed})"
            terminalreporter.write_line(f"{each.rule:<7} {each.text} → {seen[question]}{other}")
    for said in sorted(set(config.stash.get(THROTTLED, []))):
        terminalreporter.write_line(f"HC-33   Which header does a 429 carry? → {said}")
    left = config.stash.get(MADE, [])
    if left and config.stash[ACCESS] is not None:
        terminalreporter.section("Housecall Pro: jobs left behind")
        for job_id in left:
            terminalreporter.write_line(job_id)


# -- the account -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def stand_in(request: pytest.FixtureRequest) -> Iterator[Service | None]:
    """The stand-in where no account is named."""
    if request.config.stash[ACCESS] is not None:
        yield None
        return
    with stage.stand_in() as service:
        yield service


@pytest.fixture(scope="session")
def access(
    request: pytest.FixtureRequest, stand_in: Service | None, tmp_path_factory: pytest.TempPathFactory
) -> Access:
    named = request.config.stash[ACCESS]
    if stand_in is None:
        assert named is not None
        return named
    return stage.access_to(stage.prepared(stand_in), tmp_path_factory.mktemp("webhooks"))


@pytest.fixture(scope="session")
def company(
    request: pytest.FixtureRequest,
    access: Access,
    stand_in: Service | None,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Company]:
    """The account, for reading: without permission even our own client refuses every write."""
    path = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("conformance") / "state.db")
    database = Database(f"sqlite:///{path}")
    pacing = HcpPacing(requests=100_000) if access.near else HcpPacing()

    def guard() -> None:
        if not access.writes:
            raise Halted

    wiring = Wiring(HcpGate(database, hourly_limit=1000, pacing=pacing), guard=guard)
    notes = [request.config.stash.setdefault(key, []) for key in (MADE, THROTTLED)]
    client = HousecallPro(access.base_url, access.api_key, wiring)
    yield Company(access, client, wiring, lambda: _pass_a_second(stand_in, near=access.near), *notes)
    database.close()


def _pass_a_second(stand_in: Service | None, *, near: bool) -> None:
    """Until what changes next can be told from what changed before, though times are whole seconds."""
    if stand_in is not None:
        stand_in.clock.ahead += SECONDS
        return
    now = time.time()
    until = int(now) + 1 if near else now + SECONDS  # a clock on this machine is ours
    while time.time() < until:
        time.sleep(0.05)


@pytest.fixture(scope="session")
def writer(company: Company) -> Company:
    """The account, for a test that writes."""
    return company


@pytest.fixture(scope="session")
def _ours(writer: Company) -> Iterator[Ours]:
    wanted = writer.order()
    made = writer.make(wanted)
    line_items.replace_all(writer.client, made.id, LINES)
    yield Ours(writer, wanted, made)
    writer.put_away()


@pytest.fixture
def ours(_ours: Ours) -> Ours:
    """The job of these tests as it was ordered, whatever the test before has made of it."""
    _ours.restore()
    return _ours


# -- what a person has prepared ----------------------------------------------------------------------------------------


@pytest.fixture
def person(access: Access) -> str:
    """Somebody who may be assigned."""
    return access.given["CONFORMANCE_EMPLOYEE_ID"]


@pytest.fixture
def started_job(company: Company) -> Job:
    return company.prepared("CONFORMANCE_STARTED_JOB_ID")


@pytest.fixture
def completed_job(company: Company) -> Job:
    return company.prepared("CONFORMANCE_COMPLETED_JOB_ID")


@pytest.fixture
def canceled_job(company: Company) -> Job:
    return company.prepared("CONFORMANCE_CANCELED_JOB_ID")


@pytest.fixture
def deleted_job_id(access: Access) -> str:
    return access.given["CONFORMANCE_DELETED_JOB_ID"]


@pytest.fixture(scope="session")
def webhooks(access: Access, stand_in: Service | None) -> list[Recorded]:
    """The recorded requests: those of the stand-in are recorded now."""
    assert access.webhooks is not None
    if stand_in is not None:
        stage.send_webhooks(stand_in, access.webhooks)
    return recorded(access.webhooks)
