"""Buttons' API through the real processes: a job is made once, whatever is killed; runs are queued, run and told."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
import requests

from changeover.cli.main import main
from changeover.core.job_action import Action
from changeover.engine.stop import Stop, StopLevel, StopSwitch
from changeover.settings import NAMES
from changeover.web.keys import button_token
from plugins.outsider import AUTOMATION, PROGRAM, Business

LEAVES = date.today() + timedelta(days=3)  # noqa: DTZ011 - a stay in some days, whatever the zone
UNDER_WAY = ("queued", "running")


@dataclass
class Company:
    """A home in the base and in Housecall Pro, and the program's two processes that stay."""

    business: Business
    url: str = ""
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *line: str) -> dict[str, str]:
        """A process of the program; what it says once it is ready."""
        command = [PROGRAM, *line, "--json"]
        process = subprocess.Popen(command, env=self.business.environment(), stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout is not None
        return json.loads(process.stdout.readline())

    def worker(self) -> subprocess.Popen[str]:
        assert self.start("worker", "--env", "dev")["state"] == "ready"
        return self.processes[-1]

    def hcp(self, method: str, path: str, body: object = None) -> dict:
        hcp = self.business.sandbox.answer["housecallpro"]
        headers = {"Authorization": f"Token {hcp['dev']['api_key']}"}
        answer = requests.request(method, f"{hcp['url']}{path}", json=body, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def home(self) -> str:
        """A property whose cleanings have a template."""
        place = {"street": "1 Example Rd", "city": "Mesa", "state": "AZ", "zip": "85201", "country": "US"}
        customer = self.hcp("POST", "/customers", {"first_name": "Casey", "addresses": [place]})
        address = customer["addresses"][0]["id"]
        template = self.hcp("POST", "/jobs", {"customer_id": customer["id"], "address_id": address})
        lines = {"line_items": [{"name": "Template", "unit_price": 14500, "quantity": 1, "kind": "labor"}]}
        self.hcp("PUT", f"/jobs/{template['id']}/line_items/bulk_update", lines)
        owner = self.business.office.add("Customers", **{"HCP Customer ID": customer["id"]})
        given = {"HCP Customer ID": [owner], "HCP Address ID": address, "Turnover Job Template ID": template["id"]}
        self.customer = customer["id"]
        return self.business.office.add("Properties", **{"Property Name": "Cactus House", **given})

    def stay(self, home: str) -> str:
        return self.business.office.add(
            "Reservations",
            **{
                "Reservation UID": f"uid-1_{home}",
                "Status": "New",
                "Entry Type": "Reservation",
                "Property ID": [home],
                "Check-in Date": (LEAVES - timedelta(days=4)).isoformat(),
                "Check-out Date": LEAVES.isoformat(),
                "Service Type": "Turnover",
            },
        )

    def jobs(self) -> list[dict]:
        """Its customer's jobs but for the template."""
        found = self.hcp("GET", f"/jobs?customer_id={self.customer}&page_size=100")["jobs"]
        return [each for each in found if each["schedule"]["scheduled_start"]]

    def ask(self, method: str, path: str, body: object = None, seconds: float = 30) -> requests.Response:
        headers = {"X-API-Key": self.business.settings().api_key.get_secret_value()}
        return requests.request(method, f"{self.url}/api/dev/{path}", json=body, headers=headers, timeout=seconds)

    def told(self, path: str, body: object) -> dict:
        """What came of a run that is asked for."""
        queued = self.ask("POST", path, body)
        assert queued.status_code == 202, queued.text
        found: dict = {}

        def is_over() -> bool:
            found.update(self.ask("GET", f"runs/{queued.json()['id']}").json())
            return found["state"] not in UNDER_WAY

        assert self.until(is_over), found
        return found

    def until(self, true: Callable[[], bool]) -> bool:
        for _ in range(600):
            if true():
                return True
            self.business.pause()
            self.business.pause()
        return False


@pytest.fixture
def company(business: Business) -> Iterator[Company]:
    business.set("dev", AIRTABLE_MONTHLY_LIMIT="0")
    business._prepare("dev")
    company = Company(business)
    yield company
    for each in company.processes:
        each.kill()
        each.communicate()


def test_jobs_and_runs_are_asked_for_by_http_and_done_by_a_worker_whatever_is_killed(company: Company) -> None:
    """JX-4, C-52: one job per stay; a run is queued, carried out under its id, and told."""
    row = company.stay(company.home())
    company.url = company.start("serve", "--bind", "127.0.0.1:0")["url"]
    worker = company.worker()
    with suppress(requests.Timeout):  # nobody waits for the answer, and its worker is killed in the middle
        company.ask("POST", "create-job", {"recordId": row}, seconds=0.1)
    worker.kill()
    worker = company.worker()
    made = company.ask("POST", "create-job", {"recordId": row})
    assert (made.status_code, made.json()["serviceName"]) == (200, "Turnover STR Next Guest Unknown"), made.text
    (job,) = company.jobs()
    assert made.json()["jobId"] == job["id"]
    assert company.business.office.records("Reservations")[0]["Service Job ID"] == job["id"]

    run = company.told("runs", {"automation": AUTOMATION})
    assert (run["state"], run["runs"][0]["id"]) == ("succeeded", run["id"])
    assert [(each.id, each.trigger, each.who) for each in company.business.runs()] == [(run["id"], "api", None)]

    company.business.office.add("Automation", **{"Name": "Job Reconciliation", "Active": False})
    found = company.told("jobs/reconcile", {})
    assert (found["result"]["mode"], found["result"]["summary"]["total"]) == ("dry_run", 0)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0


@dataclass
class Terminal:
    """The command line, in this process."""

    capture: pytest.CaptureFixture[str]

    def say(self, *words: str) -> tuple[int, str]:
        """Exit code and what was printed."""
        self.capture.readouterr()
        code = main(["jobs", *words, "--env", "dev"])
        printed = self.capture.readouterr()
        return code, printed.out + printed.err

    def tell(self, *words: str) -> dict:
        return json.loads(self.say(*words, "--json")[1])


@pytest.fixture
def terminal(
    business: Business, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    for name, value in business.variables.items():
        monkeypatch.setenv(name, value)
    handlers = list(logging.getLogger().handlers)
    yield Terminal(capsys)
    logging.getLogger().handlers[:] = handlers


def test_links_are_looked_for_by_hand_whatever_the_switch_says(company: Company, terminal: Terminal) -> None:
    """J-83: without --execute nothing is written; a second time nothing is left to link."""
    row = company.stay(company.home())
    address = company.business.office.records("Properties")[0]["HCP Address ID"]
    times = {f"scheduled_{end}": f"{LEAVES.isoformat()}T{hour}:15:00Z" for end, hour in (("start", 17), ("end", 18))}
    order = {"customer_id": company.customer, "address_id": address, "schedule": times}
    job = company.hcp("POST", "/jobs", order)["id"]
    rehearsed, (code, shown) = terminal.tell("reconcile"), terminal.say("reconcile")
    pair = {"recordId": row, "jobId": job, "confidence": "exact", "minutesApart": 0}
    assert (rehearsed["mode"], rehearsed["details"], rehearsed["exit_code"]) == ("dry_run", [pair], 0)
    assert (code, f"{row}  {job}  exact" in shown, "Nothing was written" in shown) == (0, True, True)
    assert "Service Job ID" not in company.business.office.records("Reservations")[0]
    executed = terminal.tell("reconcile", "--execute", "--limit", "5")
    assert (executed["mode"], executed["summary"]["matched"]) == ("execute", 1)
    assert company.business.office.records("Reservations")[0]["Service Job ID"] == job
    code, shown = terminal.say("reconcile", "--execute")
    assert (code, "total 0, matched 0" in shown, "Nothing was written" in shown) == (0, True, False)


def test_without_housecall_pro_a_search_says_what_lacks(company: Company, terminal: Terminal) -> None:
    company.business.set("dev", HCP_API_KEY="", HCP_STR_NEXT_GUEST_JOB_TYPE_ID="")
    names = [name for name in NAMES if name.startswith(("HCP_", "SERVATIV_"))]
    company.business.set("dev", **dict.fromkeys(names, ""))
    code, shown = terminal.say("reconcile")
    assert (code, "HCP_API_KEY" in shown) == (4, True)
    assert terminal.tell("reconcile")["state"] == "failed"


def test_a_search_that_does_not_begin_says_why(company: Company, terminal: Terminal) -> None:
    StopSwitch(company.business.data()).set(Stop(StopLevel.FULL, "the roof leaks"))
    code, shown = terminal.say("reconcile", "--execute")
    assert (code, "the roof leaks" in shown) == (6, True)


def test_the_formulas_of_buttons_open_the_pages_of_their_environment(company: Company, terminal: Terminal) -> None:
    url = "https://changeover.example"
    found = terminal.tell("buttons", "--url", f"{url}/")["buttons"]
    assert set(found) == set(Action)
    token = button_token(company.business.settings().api_key.get_secret_value(), "dev")
    assert found["create-job"] == f'"{url}/button/dev/create-job?record=" & RECORD_ID() & "&token={token}"'
    assert found["delete-schedule"] in terminal.say("buttons", "--url", url)[1]
    assert terminal.say("buttons", "--url", "http://changeover.example")[0] == 4
    assert terminal.say("buttons", "--url", "https://")[0] == 4
    company.business.set("dev", API_KEY="")
    code, shown = terminal.say("buttons", "--url", url)
    assert (code, "API_KEY" in shown) == (4, True)
