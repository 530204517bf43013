"""`python -m changeover_sandbox` for real: processes, ports, files and what stands in the bases."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from pyairtable import Api

from changeover_sandbox.deployment import Folder, Serving
from changeover_sandbox.seeding import AUTOMATIONS, NEEDS_BROWSER
from plugins.unmeasured import unmeasured

Answer = dict[str, dict[str, str]]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Callable[..., tuple[int, Answer]]]:
    """Runs a command on one folder; gives exit code and the JSON object it printed."""

    def run(command: str, *options: str, **variables: str) -> tuple[int, Answer]:
        line = [sys.executable, "-m", "changeover_sandbox", command, "--dir", str(tmp_path), *options]
        env = os.environ | variables
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout)

    yield run
    run("down")


def _rows(answer: Answer, environment: str, table: str) -> list[dict[str, object]]:
    keys = answer["airtable"][environment]
    api = Api(keys["api_key"], endpoint_url=answer["airtable"]["url"])  # type: ignore[index]
    return [record["fields"] for record in api.table(keys["base_id"], table).all()]  # type: ignore[index]


def _company(answer: Answer, environment: str, path: str) -> dict[str, object]:
    where = answer["housecallpro"]
    headers = {"Authorization": f"Token {where[environment]['api_key']}"}  # type: ignore[index]
    got: dict[str, object] = requests.get(f"{where['url']}{path}", headers=headers, timeout=5).json()  # type: ignore[index]
    return got


def _settings(answer: Answer, environment: str) -> dict[str, str]:
    lines = Path(str(answer["config"]), f"{environment}.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def _ticked(answer: Answer, environment: str) -> list[str]:
    return sorted(str(row["Name"]) for row in _rows(answer, environment, "Automation") if row.get("Active"))


def _portal(answer: Answer) -> dict[str, list[dict[str, str]]]:
    rows: dict[str, list[dict[str, str]]] = requests.get(
        f"{answer['evolve']['url']}/_sandbox/bookings", timeout=5
    ).json()
    return rows


def test_up_starts_a_business_that_is_ready_to_run(sandbox: Callable[..., tuple[int, Answer]], tmp_path: Path) -> None:
    (tmp_path / "chromium").touch(0o755)
    code, answer = sandbox("up", "--feeds", "20", "--seed", "3", "--date", "2026-11-02", PATH=str(tmp_path))
    assert (code, set(answer)) == (
        0,
        {"airtable", "housecallpro", "evolve", "feeds", "cloudmailin", "config", "home"},
    )
    assert (answer["config"], answer["home"]) == (str(tmp_path / "config"), str(tmp_path / "var"))
    for environment in ("dev", "prod"):
        feeds = _rows(answer, environment, "ICS Feeds")
        assert len(feeds) == 20
        assert all(len(feed["Property Name"]) == 1 for feed in feeds)
        assert requests.get(str(feeds[0]["ICS URL"]), timeout=5).text.startswith("BEGIN:VCALENDAR")
        assert _rows(answer, environment, "Environment") == [{"Name": environment}]
        assert _ticked(answer, environment) == sorted(AUTOMATIONS)
        names = [str(row["Property Name"]) for row in _rows(answer, environment, "Properties")]
        assert len(names) == 15 + 2  # two homes have no calendar
        assert all(row["Listing #"] in " ".join(names) for row in _portal(answer)["tab1"])
    settings = (tmp_path / "config" / "prod.env").read_text().splitlines()
    assert [line.split("=")[0] for line in settings] == [
        "AIRTABLE_API_KEY",
        "AIRTABLE_BASE_ID",
        "AIRTABLE_ENDPOINT_URL",
        "ALLOW_PRIVATE_FEEDS",
        "API_KEY",
        "CLOUDMAILIN_USER",
        "CLOUDMAILIN_PASSWORD",
        "HCP_API_KEY",
        "HCP_BASE_URL",
        "HCP_COMPANY_ID",
        "HCP_WEBHOOK_SECRET",
        "SERVATIV_WEBHOOK_SECRET",
        "HCP_EMPLOYEE_ID",
        "HCP_STR_NEXT_GUEST_JOB_TYPE_ID",
        "HCP_STR_OWNER_JOB_TYPE_ID",
        "HCP_RETURN_LAUNDRY_JOB_TYPE_ID",
        "HCP_INSPECTION_JOB_TYPE_ID",
        "EVOLVE_PORTAL_URL",
        "EVOLVE_USERNAME",
        "EVOLVE_PASSWORD",
    ]
    values = dict(line.split("=", 1) for line in settings)
    assert values["EVOLVE_PORTAL_URL"] == answer["evolve"]["url"]
    form = {"username": values["EVOLVE_USERNAME"], "pw": values["EVOLVE_PASSWORD"]}
    entered = requests.post(f"{answer['evolve']['url']}/s/login", form, allow_redirects=False, timeout=5)
    assert entered.status_code == 303
    order = {"target": f"{answer['feeds']['url']}/webhooks", "to": "reports@example.test"}
    sent = requests.post(f"{answer['cloudmailin']['url']}/_sandbox/send", json=order, timeout=5)
    assert sent.json() == {"outcome": "bounced", "status": 404}
    assert _broken(answer) <= {"browser"}  # which is but a name here


def _broken(answer: Answer) -> set[str]:
    """What the doctor finds broken, whatever homes of a plausible business lack."""
    places = {"CHANGEOVER_CONFIG": str(answer["config"]), "CHANGEOVER_HOME": str(answer["home"])}
    command = [sys.executable, "-m", "changeover.cli", "doctor", "--env", "dev", "--json"]
    done = subprocess.run(command, env=unmeasured() | places, capture_output=True, text=True, timeout=90, check=False)
    checks = json.loads(done.stdout)["checks"]
    assert {each["check"] for each in checks} >= {"housecallpro", "homes"}
    return {each["check"] for each in checks if each["level"] == "fail"}


def test_the_base_names_what_the_company_has(sandbox: Callable[..., tuple[int, Answer]]) -> None:
    _, answer = sandbox("up", "--feeds", "6")
    for environment in ("dev", "prod"):
        addresses = set()
        for row in _rows(answer, environment, "Customers"):
            customer = _company(answer, environment, f"/customers/{row['HCP Customer ID']}")
            assert f"{customer['first_name']} {customer['last_name']}" == row["Full Name"]
            addresses |= {place["id"] for place in customer["addresses"]}  # type: ignore[attr-defined]
        for home in _rows(answer, environment, "Properties"):
            assert home["HCP Address ID"] in addresses
            template = _company(answer, environment, f"/jobs/{home['Turnover Job Template ID']}")
            assert template["address"]["id"] == home["HCP Address ID"]  # type: ignore[index]
            assert template["work_status"] == "needs scheduling"


def test_without_a_browser_the_portal_is_not_ticked(sandbox: Callable[..., tuple[int, Answer]]) -> None:
    _, answer = sandbox("up", "--feeds", "1", PATH="")
    assert _ticked(answer, "dev") == sorted(set(AUTOMATIONS) - {NEEDS_BROWSER})


def test_up_twice_answers_the_one_that_runs(sandbox: Callable[..., tuple[int, Answer]]) -> None:
    first = sandbox("up", "--feeds", "3")
    assert sandbox("up", "--feeds", "7") == first
    _, running = sandbox("status")
    assert running["running"] is True
    assert {key: running[key] for key in first[1]} == first[1]


def test_a_killed_sandbox_comes_back_on_its_ports_with_its_state(
    sandbox: Callable[..., tuple[int, Answer]], tmp_path: Path
) -> None:
    _, before = sandbox("up", "--empty")
    requests.put(f"{before['feeds']['url']}/_sandbox/feeds/casa", json={"body": "BEGIN:VCALENDAR"}, timeout=5)
    keys = before["airtable"]["dev"]
    table = Api(keys["api_key"], endpoint_url=before["airtable"]["url"]).table(keys["base_id"], "Properties")  # type: ignore[index]
    table.create({"Property Name": "Quill"})
    types = _company(before, "prod", "/job_fields/job_types")
    serving = Serving.read(Folder(tmp_path).serving)
    assert serving is not None
    os.kill(serving.pid, signal.SIGKILL)
    code, after = sandbox("up")
    assert (code, after) == (0, before)
    assert requests.get(f"{after['feeds']['url']}/ics/casa.ics", timeout=5).text == "BEGIN:VCALENDAR"
    assert _rows(after, "dev", "Properties") == [{"Property Name": "Quill"}]
    assert _company(after, "prod", "/job_fields/job_types") == types


def test_empty_means_every_table_and_what_the_settings_name(sandbox: Callable[..., tuple[int, Answer]]) -> None:
    _, answer = sandbox("up", "--empty")
    requests.post(f"{answer['airtable']['url']}/_sandbox/limits", json={"enforce": False}, timeout=5)
    for table in ("Customers", "Properties", "ICS Feeds", "Reservations", "ICS Cron", "Automation"):
        assert _rows(answer, "dev", table) == []
    assert _rows(answer, "dev", "Environment") == [{"Name": "dev"}]
    for environment in ("dev", "prod"):
        settings = _settings(answer, environment)
        assert settings["HCP_BASE_URL"] == answer["housecallpro"]["url"]  # type: ignore[index]
        assert answer["housecallpro"][environment] == {  # type: ignore[index]
            "api_key": settings["HCP_API_KEY"],
            "webhook_secret": settings["HCP_WEBHOOK_SECRET"],
        }
        assert _company(answer, environment, "/company")["id"] == settings["HCP_COMPANY_ID"]
        people = _company(answer, environment, "/employees")["employees"]
        assert [one["id"] for one in people] == [settings["HCP_EMPLOYEE_ID"]]  # type: ignore[attr-defined]
        types = _company(answer, environment, "/job_fields/job_types")["job_types"]
        named = {value for name, value in settings.items() if name.endswith("_JOB_TYPE_ID")}
        assert {one["id"] for one in types} == named  # type: ignore[attr-defined]
        assert len(named) == 4
        for path in ("/customers", "/jobs"):
            assert _company(answer, environment, path)["total_items"] == 0


def test_an_empty_sandbox_is_filled_once(sandbox: Callable[..., tuple[int, Answer]]) -> None:
    sandbox("up", "--empty")
    code, answer = sandbox("seed", "--feeds", "4")
    assert code == 0
    assert len(_rows(answer, "prod", "ICS Feeds")) == 4
    assert len(_company(answer, "prod", "/customers")["customers"]) == len(_rows(answer, "prod", "Customers"))  # type: ignore[arg-type]
    code, refused = sandbox("seed", "--feeds", "4")
    assert (code, refused) == (3, {"error": "this sandbox holds a business already"})


def test_down_stops_it_and_a_second_down_finds_nothing(sandbox: Callable[..., tuple[int, Answer]]) -> None:
    _, answer = sandbox("up", "--empty")
    assert sandbox("down") == (0, {"stopped": True})
    with pytest.raises(requests.ConnectionError):
        requests.get(answer["feeds"]["url"], timeout=5)
    assert sandbox("down") == (0, {"stopped": False})
    assert sandbox("status") == (0, {"running": False})


def test_without_a_sandbox_nothing_is_filled_shown_or_stopped(sandbox: Callable[..., tuple[int, Answer]]) -> None:
    assert sandbox("status") == (0, {"running": False})
    assert sandbox("down") == (0, {"stopped": False})
    code, refused = sandbox("seed")
    assert code == 3
    assert "no sandbox runs" in refused["error"]


@pytest.mark.parametrize("options", [("--feeds", "-1"), ("--date", "soon"), ("--colour", "red")])
def test_a_wrong_command_line_exits_4(sandbox: Callable[..., tuple[int, Answer]], options: tuple[str, ...]) -> None:
    code, refused = sandbox("up", *options)
    assert code == 4
    assert options[0] in str(refused["error"])


def test_a_port_taken_meanwhile_is_replaced(sandbox: Callable[..., tuple[int, Answer]]) -> None:
    _, before = sandbox("up", "--empty")
    sandbox("down")
    port = int(before["feeds"]["url"].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        code, after = sandbox("up")
        assert code == 0
        assert after["feeds"] != before["feeds"]
        assert after["airtable"] == before["airtable"]
        assert requests.get(f"{after['feeds']['url']}/_sandbox/feeds", timeout=5).json() == {"feeds": []}


def test_a_server_that_cannot_start_is_told_with_its_own_words(
    sandbox: Callable[..., tuple[int, Answer]], tmp_path: Path
) -> None:
    own = Folder(tmp_path).own
    own.mkdir()
    (own / "feeds").write_text("not a folder")
    code, refused = sandbox("up", "--empty")
    assert code == 3
    assert "FileExistsError" in str(refused["error"])


def test_serve_without_an_order_fails(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "changeover_sandbox", "serve", "--dir", str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no sandbox was ordered" in done.stderr


def test_neither_package_imports_the_other() -> None:
    code = "import sys, changeover_sandbox.server, changeover_sandbox.launch; print('changeover' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
