"""Starts, fills, shows and stops a sandbox in a folder; it serves nothing itself and asks nothing."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import ModuleType

from changeover_sandbox.deployment import PHOENIX, Folder, Order, Serving, write_settings
from changeover_sandbox.process import POLL_SECONDS

DEFAULT_FEEDS, DEFAULT_SEED = 246, 1
START_SECONDS = 30.0
LOG_TAIL = 2000


class LaunchError(Exception):
    """The sandbox could not do what was asked; the message says why."""


class AlreadyFilledError(LaunchError):
    def __init__(self) -> None:
        super().__init__("this sandbox holds a business already")


class NotRunningError(LaunchError):
    def __init__(self, root: Path) -> None:
        super().__init__(f"no sandbox runs in {root}")


class NotStartedError(LaunchError):
    def __init__(self, log: str) -> None:
        super().__init__(f"the server did not start: {log}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new sandbox is to be. `day` None: today in Phoenix."""

    feeds: int = DEFAULT_FEEDS
    seed: int = DEFAULT_SEED
    empty: bool = False
    day: date | None = None


def up(root: Path, wanted: Wanted) -> dict[str, object]:
    """Starts the sandbox of the folder and answers where everything is.

    One that runs is answered as it is; one that has died is started with its state, on its old ports where they are
    free. What is `wanted` counts only for a folder without one.
    """
    with _alone(root) as folder:
        order = Order.read(folder.order)
        if order is None:
            day = wanted.day or datetime.now(PHOENIX).date()
            order = Order.new(seed=wanted.seed, feeds=wanted.feeds, day=day, empty=wanted.empty)
            order.write(folder.order)
        serving = _running(folder) or _start(folder)
        if not order.filled:
            _seeding().fill(order, serving)
            order = order.model_copy(update={"filled": True})
            order.write(folder.order)
        _write_settings(folder, order, serving)
        return _answer(folder, order, serving)


def seed(root: Path, wanted: Wanted) -> dict[str, object]:
    """Puts a business into a sandbox that was started empty; LaunchError when it holds one or does not run."""
    with _alone(root) as folder:
        order, serving = _both(folder)
        if not order.empty:
            raise AlreadyFilledError
        order = order.model_copy(
            update={"seed": wanted.seed, "feeds": wanted.feeds, "day": wanted.day or order.day, "empty": False}
        )
        # Broken off here, the next `up` fills everything anew.
        order.model_copy(update={"filled": False}).write(folder.order)
        _seeding().fill_business(order, serving)
        order.write(folder.order)
        return _answer(folder, order, serving)


def status(root: Path) -> dict[str, object]:
    """`{"running": false}`, or true with what `up` answers and the process id."""
    folder = Folder(root.resolve())
    order, serving = Order.read(folder.order), _running(folder)
    if order is None or serving is None:
        return {"running": False}
    return {"running": True, "pid": serving.pid, **_answer(folder, order, serving)}


def down(root: Path) -> dict[str, object]:
    """Stops the sandbox; its state stays in the folder. `{"stopped": false}` when it did not run."""
    folder = Folder(root.resolve())
    if not folder.own.is_dir():
        return {"stopped": False}
    with _alone(root):
        serving = _running(folder)
        return {"stopped": serving is not None and serving.process.stop()}


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[Folder]:
    """Holds the folder, so that of two calls at once the second sees the work of the first."""
    folder = Folder(root.resolve())
    folder.own.mkdir(parents=True, exist_ok=True)
    with folder.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _running(folder: Folder) -> Serving | None:
    serving = Serving.read(folder.serving)
    return serving if serving is not None and serving.process.alive() else None


def _both(folder: Folder) -> tuple[Order, Serving]:
    order, serving = Order.read(folder.order), _running(folder)
    if order is None or serving is None:
        raise NotRunningError(folder.root)
    return order, serving


def _start(folder: Folder) -> Serving:
    """Starts the server in a session of its own, so that it outlives this process, and waits until it serves."""
    command = [sys.executable, "-m", "changeover_sandbox", "serve", "--dir", str(folder.root)]
    # No stand-in uses a plugin of pydantic's, and looking for some takes longer than any stand-in's start.
    env = os.environ | {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
    with folder.log.open("ab") as log:
        child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True
        )
    _seeding()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        serving = _running(folder)
        if serving is not None and serving.pid == child.pid:
            child.returncode = 0  # it is meant to go on: nothing will wait for it
            return serving
        time.sleep(POLL_SECONDS)
    child.kill()
    child.wait()
    raise NotStartedError(folder.log.read_text(errors="replace")[-LOG_TAIL:])


def _seeding() -> ModuleType:
    """The code that fills a sandbox. It is needed once, and is best read while the server starts."""
    from changeover_sandbox import seeding

    return seeding


def _write_settings(folder: Folder, order: Order, serving: Serving) -> None:
    folder.home.mkdir(parents=True, exist_ok=True)
    for environment, keys in order.credentials.items():
        settings = {
            "AIRTABLE_API_KEY": keys.airtable_key,
            "AIRTABLE_BASE_ID": keys.base_id,
            "AIRTABLE_ENDPOINT_URL": serving.url("airtable"),
            "ALLOW_PRIVATE_FEEDS": "true",
            "API_KEY": keys.api_key,
            "CLOUDMAILIN_USER": keys.mail_user,
            "CLOUDMAILIN_PASSWORD": keys.mail_password,
            "HCP_API_KEY": keys.hcp_key,
            "HCP_BASE_URL": serving.url("housecallpro"),
            "HCP_COMPANY_ID": keys.hcp_company,
            "HCP_WEBHOOK_SECRET": keys.hcp_webhook_secret,
            "SERVATIV_WEBHOOK_SECRET": keys.forwarder_secret,
            "HCP_EMPLOYEE_ID": keys.hcp_employee,
            "HCP_STR_NEXT_GUEST_JOB_TYPE_ID": keys.hcp_next_guest_type,
            "HCP_STR_OWNER_JOB_TYPE_ID": keys.hcp_owner_type,
            "HCP_RETURN_LAUNDRY_JOB_TYPE_ID": keys.hcp_laundry_type,
            "HCP_INSPECTION_JOB_TYPE_ID": keys.hcp_inspection_type,
            "EVOLVE_PORTAL_URL": serving.url("evolve"),
            "EVOLVE_USERNAME": keys.portal_user,
            "EVOLVE_PASSWORD": keys.portal_password,
        }
        write_settings(folder.config / f"{environment}.env", settings)


def _answer(folder: Folder, order: Order, serving: Serving) -> dict[str, object]:
    bases = {name: {"base_id": keys.base_id, "api_key": keys.airtable_key} for name, keys in order.credentials.items()}
    companies = {
        name: {"api_key": keys.hcp_key, "webhook_secret": keys.hcp_webhook_secret}
        for name, keys in order.credentials.items()
    }
    return {
        "airtable": {"url": serving.url("airtable"), **bases},
        "housecallpro": {"url": serving.url("housecallpro"), **companies},
        **{name: {"url": serving.url(name)} for name in ("evolve", "feeds", "cloudmailin")},
        "config": str(folder.config),
        "home": str(folder.home),
    }
