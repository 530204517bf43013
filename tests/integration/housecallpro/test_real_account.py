"""The conformance tests are run as on a real account: another process, an address, a file and two variables."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from conformance.housecallpro import stage
from conformance.housecallpro.access import ACCOUNT, OPTIONAL, WEBHOOKS, WRITES, YES, UnusableAccount, access_of
from conformance.housecallpro.company import Company, WriteForbidden
from plugins.housecallpro import Service
from plugins.unmeasured import unmeasured

ROOT = Path(__file__).resolve().parents[3]
OTHER_STATUS = {201: 200, 401: 403}
SUITE = "tests/conformance/housecallpro"


@web.middleware
async def another_reading(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What our client must survive too: 422 with lists, 403 for a key, 200 for what was made, a header of a limit."""
    response = await handler(request)
    if request.path.startswith("/_sandbox") or not isinstance(response, web.Response):
        return response
    body = json.loads(response.body) if isinstance(response.body, bytes) and response.body else {}
    if response.status == 400 and "error" not in body:
        faults = {name: [text] for name, text in body.items() if name != "message"}
        return web.json_response({"errors": faults}, status=422)
    if response.status in OTHER_STATUS:
        response.set_status(OTHER_STATUS[response.status])
    response.headers["X-RateLimit-Reset"] = "1772647400"
    return response


@pytest.fixture
def there() -> Iterator[Service]:
    """A service that the tests' own process knows by its address only, and that is not quite like the stand-in."""
    with stage.stand_in(another_reading) as service:
        yield service


def written(folder: Path, settings: dict[str, str]) -> Path:
    path = folder / "account.env"
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return path


def run(*arguments: str, **variables: object) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", SUITE, *arguments]
    environ = {**unmeasured(), **{name: str(value) for name, value in variables.items()}}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


def asked(service: Service) -> list[dict]:
    return service.control("GET", "/requests").json()["requests"]


def test_an_account_is_read_and_written_and_what_is_left_behind_is_said(there, tmp_path):
    """JX-55: before and after; and what stays is unscheduled, the test customer's, and says what it is."""
    settings = stage.prepared(there)
    folder = tmp_path / "webhooks"
    folder.mkdir()
    stage.send_webhooks(there, folder)
    before = {job["id"] for job in there.ok("GET", "/jobs", page_size=200)["jobs"]}
    file = written(tmp_path, settings)
    code, said = run(**{ACCOUNT: file, WRITES: YES, WEBHOOKS: folder})
    assert code == 0, said
    assert "deselected" not in said
    assert f"conformance: {there.url}, test customer {settings['CONFORMANCE_CUSTOMER_ID']}" in said
    assert "no call can delete" in said.split("%]")[0]
    assert "PUT schedule on a canceled job? → refused as archived (400)\n" in said
    assert "256 refused (422)   (the stand-in: 255 kept, 256 refused (400))" in said
    assert "What does a wrong key get? → refused (403)   (the stand-in: refused (401))" in said
    assert "X-RateLimit-Reset: 1772647400   (the stand-in: none)" in said
    assert settings["HCP_API_KEY"] not in said
    made = [job for job in there.ok("GET", "/jobs", page_size=200)["jobs"] if job["id"] not in before]
    left = said.split("jobs left behind")[1]
    assert 1 <= len(made) <= 3
    for job in made:
        assert job["id"] in left
        assert job["customer"]["id"] == settings["CONFORMANCE_CUSTOMER_ID"]
        assert job["work_status"] == "needs scheduling"
        assert [line["name"] for line in there.lines(job)] == ["CHANGEOVER CONFORMANCE TEST, may be canceled"]


def test_without_the_second_variable_nothing_is_written(there, tmp_path):
    settings = {name: value for name, value in stage.prepared(there).items() if name not in OPTIONAL}
    sent = len(asked(there))
    code, said = run(**{ACCOUNT: written(tmp_path, settings)})
    assert code == 0, said
    assert "conformance: reads only" in said
    assert "CONFORMANCE_DELETED_JOB_ID" in said.split("%]")[0]
    assert "deselected" in said
    assert "skipped" not in said
    calls = asked(there)[sent:]
    assert 50 < len(calls) < 100
    assert {call["method"] for call in calls} == {"GET"}


def test_jobs_are_made_of_no_customer_that_is_not_there_for_tests(bench):
    """JX-55."""
    settings = stage.prepared(bench.service)
    other = bench.service.customer()
    theirs = {"CONFORMANCE_CUSTOMER_ID": other["id"], "CONFORMANCE_ADDRESS_ID": other["addresses"][0]["id"]}
    company = Company(stage.access_to(settings | theirs, Path()), bench.client, bench.client.wiring, lambda: None)
    bench.forget()
    with pytest.raises(AssertionError, match="no 'test' in its name"):
        company.make(company.order())
    reading = Company(replace(company.access, writes=False), bench.client, bench.client.wiring, lambda: None)
    with pytest.raises(WriteForbidden):
        reading.ask("DELETE", "/webhooks/subscription")
    assert {method for method, _, _ in bench.calls()} == {"GET"}
    assert company.made == []


def test_a_request_that_came_too_soon_is_made_again_and_how_that_was_said_is_kept(bench):
    """HC-28, HC-33: a real 429 answers one of the open questions."""
    access = stage.access_to(stage.prepared(bench.service), Path())
    company = Company(access, bench.client, bench.client.wiring, lambda: None)
    bench.service.fault("rate-limit", value="RateLimit-Reset: 7")
    bench.service.fault("rate-limit", value="")
    assert company.get("/company")["id"] == bench.service.account.company_id
    assert company.throttled == ["RateLimit-Reset: 7", "none"]
    assert sum(bench.clock.slept) == pytest.approx(9, abs=0.1)


GOOD = {
    "HCP_API_KEY": "key",
    "HCP_BASE_URL": "https://api.example.com",
    "CONFORMANCE_CUSTOMER_ID": "cus_1",
    "CONFORMANCE_ADDRESS_ID": "adr_1",
}


def test_an_access_is_what_variables_and_file_say(tmp_path):
    assert access_of({}) is None
    url = {"HCP_BASE_URL": "https://api.example.com/"}
    file = str(written(tmp_path, GOOD | url | {"HCP_WEBHOOK_SECRET": "secret", "CONFORMANCE_EMPLOYEE_ID": ""}))
    reading = access_of({ACCOUNT: file})
    assert (reading.base_url, reading.near) == (GOOD["HCP_BASE_URL"], False)
    assert (reading.writes, reading.webhooks) == (False, None)
    assert [reading.has(name) for name in ("HCP_WEBHOOK_SECRET", "CONFORMANCE_EMPLOYEE_ID", WEBHOOKS)] == [1, 0, 0]
    whole = access_of({ACCOUNT: file, WRITES: YES, WEBHOOKS: str(tmp_path)})
    assert (whole.writes, whole.has(WEBHOOKS)) == (True, True)
    assert "secret" not in repr(whole)
    assert "'key'" not in repr(whole)


@pytest.mark.parametrize(
    ("changed", "variables", "said"),
    [
        ({"HCP_BASE_URL": "http://api.example.com"}, {}, "https"),
        ({"HCP_API_KEY": "", "CONFORMANCE_ADDRESS_ID": ""}, {}, "HCP_API_KEY, CONFORMANCE_ADDRESS_ID"),
        ({"CONFORMANCE_EMPLOYE_ID": "pro_1"}, {}, "unknown CONFORMANCE_EMPLOYE_ID"),
        ({}, {WRITES: "yes"}, YES),
        ({}, {WEBHOOKS: "/nowhere/at/all"}, "no folder"),
        ({}, {ACCOUNT: "/nowhere/at/all"}, "no file"),
        ({}, {ACCOUNT: "", WRITES: YES}, f"without {ACCOUNT}"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_asked(tmp_path, changed, variables, said):
    file = str(written(tmp_path, {**GOOD, **changed}))
    with pytest.raises(UnusableAccount, match=said):
        access_of({ACCOUNT: file, **variables})
