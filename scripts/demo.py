"""Lives two days of a plausible business against local stand-ins and says what happened; leaves nothing running."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TypeAlias, TypeVar
from urllib.request import Request, urlopen

from demo_jobs import Office, jobs
from demo_mail import House, NotStarted, Suppliers
from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parents[1]
RUNNER = ROOT / "src" / "run_automation_dev.py"
WARNINGS = 2  # the doctor's exit code when nothing is broken
PARTIAL = 2  # a run's exit code when a calendar could not be read
PLAN_LINES = 12
MAIL_WITHIN = 60.0  # seconds until a mailed report's stays are in the base
FLAGS = {
    "Same-day Turnover": "same-day",
    "Overlapping Dates": "overlapping",
    "Owner Arriving": "owner arriving",
    "Long Term Guest": "long-term",
}
Json: TypeAlias = Mapping[str, object]
T = TypeVar("T")


class DemoFailed(Exception):
    """A step did not end as it must; the message says which."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: where it is, and the variables that point the program at it."""

    folder: Path
    feeds_number: int
    where: Mapping[str, Mapping[str, object]] = field(repr=False)

    @property
    def airtable(self) -> str:
        return str(self.where["airtable"]["url"])

    @property
    def base_id(self) -> str:
        return str(_as(self.where["airtable"]["dev"], dict)["base_id"])

    @property
    def feeds(self) -> str:
        return str(self.where["feeds"]["url"])

    @property
    def today(self) -> date:
        return date.fromisoformat(str(_get(f"{self.feeds}/_sandbox/truth")["date"]))

    def office(self, house: House) -> Office:
        hcp, key = str(self.where["housecallpro"]["url"]), self.settings["API_KEY"]
        return Office(self.airtable, self.base_id, hcp, self.feeds, house.url, key)

    @property
    def settings(self) -> Mapping[str, str]:
        return {name: value or "" for name, value in dotenv_values(self.folder / "config" / "dev.env").items()}

    @property
    def suppliers(self) -> Suppliers:
        return Suppliers.of(self.feeds_number, self.today, self.where, self.settings)

    @property
    def variables(self) -> dict[str, str]:
        places = {"CHANGEOVER_CONFIG": str(self.folder / "config"), "CHANGEOVER_HOME": str(self.folder / "var")}
        return {**os.environ, **places}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the stand-ins up and say where to look")
    parser.add_argument("--feeds", type=int, default=246, help="number of calendars (246)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    folder = Path(tempfile.mkdtemp(prefix="changeover-demo-"))
    house: House | None = None
    keep = False
    try:
        sandbox = _up(folder, options.feeds)
        house = House(sandbox.variables, folder)
        _two_days(sandbox, house)
        keep = options.keep
    except (DemoFailed, NotStarted) as failure:
        sys.stderr.write(f"\nThe demo failed: {failure}\n")
        return 3
    except KeyboardInterrupt:
        sys.stderr.write("\nEnded early; stopping everything that was started.\n")
        return 130
    finally:
        if not keep:
            if house is not None:
                house.close()
            _down(folder)
    _farewell(sandbox, house, keep=keep)
    return 0


def _two_days(sandbox: Sandbox, house: House) -> None:
    _heading("Is everything in place?  changeover doctor --env dev")
    _say(_program(sandbox, "doctor", "--env", "dev", accepted=(0, WARNINGS)))

    _heading("The front door opens.  changeover serve, changeover worker --env dev")
    house.open()
    ready = _get(f"{house.url}/readyz")["ready"]
    _say(f"  web server          {house.url}, {'ready' if ready else 'not ready'}")
    suppliers = sandbox.suppliers

    _heading("Day one: the base is empty.  src/run_automation_dev.py")
    _day_one(sandbox, house, suppliers)

    _heading("Again, nothing has changed")
    _summary(_run(sandbox, RUNNER, "--json"))
    _say("  (Most of these calls read back what day one has just written; a quiet cycle later makes four.)")

    day = sandbox.today + timedelta(days=1)
    events = _post(f"{sandbox.feeds}/_sandbox/day", {"date": day.isoformat()})
    suppliers.live_to(day)
    _heading(f"The next day, {day}, in the business")
    for kind in ("booked", "blocked", "canceled", "changed"):
        _say(f"  {len(_as(events.get(kind, []), list)):>4} {kind}")

    at = datetime.combine(day, datetime.min.time()).strftime("%Y-%m-%dT08:00:00-07:00")
    _heading("What would the next run do?  changeover run --env dev --dry-run")
    plan = _program(sandbox, "run", "--env", "dev", "--dry-run", "--at", at).splitlines()
    _say("\n".join(f"  {line}" for line in plan[:PLAN_LINES]))
    if len(plan) > PLAN_LINES:
        _say(f"  … and {len(plan) - PLAN_LINES} more lines")

    _heading("Day two, 08:00.  src/run_automation_dev.py")
    _summary(_run(sandbox, RUNNER, "--json", "--at", at))
    _day_goes_on(sandbox, day)

    _heading("A report comes in between two cycles: the worker imports it at once")
    _mail_between_cycles(sandbox, house, suppliers)

    _heading("Stays become jobs in Housecall Pro")
    jobs(sandbox.office(house), sandbox.today, lambda *steps: _summary(_steps(sandbox, steps), "    "), _say)
    _base(sandbox)

    _heading("What has run, what came in.  changeover runs list, changeover events list --env dev")
    _say(_program(sandbox, "runs", "list", "--env", "dev"))
    _say(_program(sandbox, "events", "list", "--env", "dev"))
    _say(_program(sandbox, "held", "list", "--env", "dev"))


def _day_one(sandbox: Sandbox, house: House, suppliers: Suppliers) -> None:
    """Three sources in one cycle: while it reads calendars, the morning's report comes in by mail."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as complaints:
        command = [sys.executable, str(RUNNER), "--json"]
        cycle = subprocess.Popen(command, env=sandbox.variables, stdout=out, stderr=complaints)  # noqa: S603 - our own
        time.sleep(2)  # it is reading calendars by now
        sent = suppliers.mail_the_report(house.url)
        _say(f"  a mail with a report of {suppliers.rows()} stays: {sent['outcome']} with {sent['status']}")
        code = cycle.wait()
        out.seek(0)
        complaints.seek(0)
        if code not in (0, PARTIAL):
            sys.stderr.write(out.read() + complaints.read())
            raise DemoFailed(f"the first cycle ended with {code}")
        _summary(_as(json.loads(out.read()), dict))


def _mail_between_cycles(sandbox: Sandbox, house: House, suppliers: Suppliers) -> None:
    began = time.monotonic()
    sent = suppliers.mail_the_report(house.url)
    _say(f"  a mail with a report of {suppliers.rows()} stays: {sent['outcome']} with {sent['status']}")
    while time.monotonic() - began < MAIL_WITHIN:
        runs = _as(_as(json.loads(_program(sandbox, "runs", "list", "--env", "dev", "--json")), dict)["runs"], list)
        mailed = [each for each in runs if each["trigger"] == "mail" and each["state"] in ("succeeded", "partial")]
        if mailed and _as(mailed[0]["counters"], dict).get("files"):
            _say(f"  {time.monotonic() - began:.0f} s later the run {mailed[0]['id']} has taken it in")
            return
        time.sleep(1)
    raise DemoFailed(f"the mailed report was not taken in within {MAIL_WITHIN:.0f} s")


def _day_goes_on(sandbox: Sandbox, day: date) -> None:
    """A broken calendar removes nothing; what a complete one misses for twelve hours is gone."""
    name = min(str(feed["name"]) for feed in _as(_get(f"{sandbox.feeds}/_sandbox/feeds")["feeds"], list))
    _heading("Day two goes on. One calendar answers with a sign-in page from noon on")
    _put(f"{sandbox.feeds}/_sandbox/feeds/{name}", {"body": "<html><body>Please sign in</body></html>"})
    for hour in (12, 16, 20):
        result = _run(sandbox, RUNNER, "--json", "--only", "ICS Calendar", "--at", f"{day}T{hour}:00:00-07:00")
        for automation in _as(result["automations"], list):
            _say(f"  {hour}:00  {automation['text']}")
    _say("  (Canceled stays have now been missing four times in a row over twelve hours, and are removed.)")


def _summary(result: Json, indent: str = "  ") -> None:
    for automation in _as(result["automations"], list):
        counters = _as(automation["counters"], dict)
        changes = _as(counters.get("changes", {}), dict)
        flags = {name: number for name, number in _as(counters.get("flags", {}), dict).items() if number}
        _say(f"{indent}{automation['name']}: {automation['text']}")
        if not changes:
            continue
        for verb in ("new", "modified", "removed", "held"):
            _say(f"{indent}  {verb:<17} {sum(n for name, n in changes.items() if name.startswith(f'{verb}.'))}")
        for name in ("unchanged", "mirrors"):
            _say(f"{indent}  {name:<17} {counters.get(name)}")
        if flags:
            _say(f"{indent}  flags set         {', '.join(f'{n} {name}' for name, n in flags.items())}")
        _say(f"{indent}  Airtable calls    {counters.get('airtable_calls')} so far in this cycle")


def _steps(sandbox: Sandbox, names: Sequence[str]) -> Json:
    only = [word for name in names for word in ("--only", name)]
    return _run(sandbox, RUNNER, "--json", *only)


def _base(sandbox: Sandbox) -> None:
    """What people see in the base now, counted."""
    url = f"{sandbox.airtable}/_sandbox/records?base_id={sandbox.base_id}&table=Reservations"
    rows = [_as(row["fields"], dict) for row in _as(_get(url)["records"], list)]
    by_status = {name: sum(row.get("Status") == name for row in rows) for name in ("New", "Modified", "Removed", "Old")}
    flagged = {text: sum(row.get(name) is True for row in rows) for name, text in FLAGS.items()}
    _say(f"  rows in the base    {', '.join(f'{n} {name}' for name, n in by_status.items())}")
    _say(f"  flags in the base   {', '.join(f'{n} {name}' for name, n in flagged.items())}")


def _farewell(sandbox: Sandbox, house: House | None, *, keep: bool) -> None:
    if not keep:
        _say("\nDone. Nothing is left running. To look around yourself: scripts/demo --keep")
        return
    _heading("The stand-ins, the web server and the worker are up. Look around:")
    _say(f"""  export CHANGEOVER_CONFIG={sandbox.folder}/config CHANGEOVER_HOME={sandbox.folder}/var
  .venv/bin/changeover runs list --env dev
  .venv/bin/changeover events list --env dev
  curl {house.url if house else ""}/readyz
  curl '{sandbox.airtable}/_sandbox/records?base_id={sandbox.base_id}&table=Reservations'
  curl '{sandbox.feeds}/_sandbox/truth'
  less {sandbox.folder}/var/dev/logs/*.jsonl
Stop them:
  kill {" ".join(map(str, house.pids if house else []))}
  .venv/bin/changeover sandbox down --dir {sandbox.folder} && rm -r {sandbox.folder}""")


def _up(folder: Path, feeds: int) -> Sandbox:
    _heading(f"A business with {feeds} calendars.  changeover sandbox up --dir {folder}")
    command = [sys.executable, "-m", "changeover.cli", "sandbox", "up", "--dir", str(folder), "--feeds", str(feeds)]
    where = _as(json.loads(_call(command, dict(os.environ), (0,))), dict)
    for name in ("airtable", "feeds", "cloudmailin", "evolve", "housecallpro"):
        _say(f"  {name:<19} {_as(where[name], dict)['url']}")
    return Sandbox(folder, feeds, where)


def _down(folder: Path) -> None:
    command = [sys.executable, "-m", "changeover.cli", "sandbox", "down", "--dir", str(folder)]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    shutil.rmtree(folder, ignore_errors=True)


def _run(sandbox: Sandbox, runner: Path, *arguments: str) -> Json:
    command = [sys.executable, str(runner), *arguments]
    return _as(json.loads(_call(command, sandbox.variables, (0, PARTIAL))), dict)


def _program(sandbox: Sandbox, *arguments: str, accepted: Sequence[int] = (0,)) -> str:
    return _call([sys.executable, "-m", "changeover.cli", *arguments], sandbox.variables, accepted).rstrip()


def _call(command: Sequence[str], variables: Mapping[str, str], accepted: Sequence[int]) -> str:
    """Our own programs, no shell; log lines are kept back and shown only when something went wrong."""
    done = subprocess.run(command, env=dict(variables), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode not in accepted:
        sys.stderr.write(done.stdout + done.stderr)
        raise DemoFailed(f"{' '.join(command[1:])} ended with {done.returncode}")
    return done.stdout


def _get(url: str) -> Json:
    with urlopen(url, timeout=60) as answer:  # noqa: S310 - a loopback address of our own sandbox
        return _as(json.load(answer), dict)


def _post(url: str, body: Json) -> Json:
    return _send("POST", url, body)


def _put(url: str, body: Json) -> Json:
    return _send("PUT", url, body)


def _send(method: str, url: str, body: Json) -> Json:
    headers = {"Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310 - loopback, as below
    with urlopen(request, timeout=60) as answer:  # noqa: S310 - a loopback address of our own sandbox
        return _as(json.load(answer), dict)


def _as(value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise DemoFailed(f"an answer has {type(value).__name__} where {kind.__name__} was expected")
    return value


def _heading(text: str) -> None:
    _say(f"\n— {text}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
