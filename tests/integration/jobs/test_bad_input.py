"""What people, scripts and services get wrong, each by name: what is said, what is kept, and that it rights itself."""

from __future__ import annotations

import ast
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from changeover.core.job_eligibility import Code
from changeover.engine.jobs.claims import claim
from changeover.engine.stop import Stop, StopLevel
from changeover.store.events import EventKind, EventState
from changeover.store.runs import RunState
from changeover.web.answers import _CODES as BY_STATUS
from changeover.web.hcp import LARGEST
from changeover.web.keys import Verdict
from changeover.web.remedies import REMEDIES
from plugins.asking import OTHER_KEY
from plugins.entrance import Entrance, entrance, now, refusing
from plugins.hooks import JOB, PING, SECRETS, signed
from plugins.housecallpro import DEV
from plugins.job_house import text

__all__ = ["entrance"]

ROOT = Path(__file__).resolve().parents[3]
NOBODY = "recNOBODY00000001"
QUEUED = {"status": "success", "message": "Webhook queued"}
NO_PERMISSION = "This API key does not have the necessary permissions"
Ask = Callable[[Entrance], requests.Response]


# -- every word of the API, answered -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """What is wrong, and the answer it gets: a word, a status, and what the sentence speaks of."""

    code: str
    http: int
    says: str
    ask: Ask

    @property
    def name(self) -> str:
        return f"{self.code}: {self.ask.__name__.replace('_', ' ')}"


CASES: list[Wrong] = []


def answers(code: str, http: int, says: str) -> Callable[[Ask], Ask]:
    """Enters a case into the table."""

    def enter(ask: Ask) -> Ask:
        CASES.append(Wrong(code, http, says, ask))
        return ask

    return enter


@answers("no_service_time", 422, "Custom Service Time cannot be read")
def a_time_that_nobody_can_read(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(Custom_Service_Time="soon"))


@answers("no_service_time", 422, "no Check-out Date")
def a_stay_without_an_end(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(**{"Check-out_Date": None}))


@answers("no_property", 422, "no Property ID")
def a_row_without_a_property(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(Property_ID=None))


@answers("no_hcp_customer", 422, 'Property "Bare House" has no HCP Customer ID.')
def a_property_without_a_customer(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(at.business.add("Properties", Property_Name="Bare House")))


@answers("no_hcp_customer", 422, "begins with cus_")
def a_name_in_place_of_the_customers_id(at: Entrance) -> requests.Response:
    person = at.business.add("Customers", Full_Name="Casey", HCP_Customer_ID="Casey Example")
    return at.do("create-job", at.stay(at.home(HCP_Customer_ID=[person])))


@answers("no_hcp_address", 422, "has no HCP Address ID")
def a_property_without_an_address(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(at.home(HCP_Address_ID="")))


@answers("address_mismatch", 409, "is not an address of its customer")
def an_address_of_another_customer(at: Entrance) -> requests.Response:
    other = at.business.service.customer()["addresses"][0]["id"]
    return at.do("create-job", at.stay(at.home(HCP_Address_ID=other)))


@answers("no_template", 422, "has no Turnover Job Template ID")
def a_property_without_a_template(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(at.home(Turnover_Job_Template_ID="")))


@answers("no_template", 422, "gone or has no line items")
def a_template_that_was_deleted(at: Entrance) -> requests.Response:
    home = at.home()
    at.business.service.act({"id": at.business.ids["template"]}, "delete")
    return at.do("create-job", at.stay(home))


@answers("no_template", 422, "gone or has no line items")
def a_template_that_is_empty(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(at.home(Turnover_Job_Template_ID=at.business.service.job(start=None)["id"])))


@answers("not_eligible", 422, "Status is Removed")
def a_stay_that_was_removed(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(Status="Removed"))


@answers("not_eligible", 422, "lies in the past")
def a_stay_that_is_over(at: Entrance) -> requests.Response:
    return at.do("create-job", at.stay(days=-2))


@answers("not_eligible", 422, "is Canceled")
def a_canceled_job_that_is_to_be_moved(at: Entrance) -> requests.Response:
    stay, job = at.made()
    at.business.service.act(job, "cancel")
    return at.do("update-schedule", stay)


@answers("multi_visit", 409, "2 appointments")
def a_job_of_several_visits_of_which_none_is_known(at: Entrance) -> requests.Response:
    stay, job = at.made()
    start = at.business.start(days=5)
    at.business.service.act(job, "add_appointment", start=text(start), end=text(start.replace(hour=start.hour + 1)))
    at.business.edit(stay, Custom_Service_Time="1:00 PM", Service_Appointment_ID="")
    return at.do("update-schedule", stay)


@answers("not_found", 404, "no such row")
def a_row_that_nobody_has(at: Entrance) -> requests.Response:
    return at.do("create-job", NOBODY)


@answers("not_found", 404, "no such row")
def an_id_that_would_be_a_formula(at: Entrance) -> requests.Response:
    """JX-54."""
    return at.do("create-job", "rec'),TRUE(),('12")


@answers("not_found", 404, "No HCP job exists")
def a_row_without_a_job(at: Entrance) -> requests.Response:
    return at.do("delete-schedule", at.stay())


@answers("not_found", 404, "Not Found")
def an_environment_that_nobody_has(at: Entrance) -> requests.Response:
    return at.post("create-job", {"recordId": NOBODY}, env="staging")


@answers("not_found", 404, "no such run")
def a_run_that_nobody_asked_for(at: Entrance) -> requests.Response:
    return at.get("runs/run-nobody")


@answers("not_found", 400, "recordId")
def a_body_without_a_row(at: Entrance) -> requests.Response:
    return at.post("create-job", {})


@answers("bad_request", 400, "no fields but")
def a_body_with_a_field_that_nobody_knows(at: Entrance) -> requests.Response:
    return at.post("create-job", {"recordId": NOBODY, "force": True})


@answers("too_large", 413, "Too Large")
def a_body_of_more_than_a_megabyte(at: Entrance) -> requests.Response:
    return at.post("create-job", {"recordId": "r" * (1 << 20)})


@answers("method_not_allowed", 405, "Method Not Allowed")
def an_action_that_is_only_looked_at(at: Entrance) -> requests.Response:
    return at.get("create-job")


@answers("unauthorized", 401, "missing or unknown")
def no_key(at: Entrance) -> requests.Response:
    return at.post("create-job", {"recordId": NOBODY}, key=None)


@answers("unauthorized", 401, "missing or unknown")
def a_wrong_key(at: Entrance) -> requests.Response:
    return at.post("create-job", {"recordId": NOBODY}, key="key-of-nobody")


@answers("wrong_environment", 403, "other environment")
def the_other_environments_key(at: Entrance) -> requests.Response:
    return at.post("create-job", {"recordId": NOBODY}, key=OTHER_KEY)


@answers("stopped", 423, "the roof leaks")
def an_environment_that_is_stopped(at: Entrance) -> requests.Response:
    stay, switch = at.stay(), at.business.desk.switch
    switch.set(Stop(StopLevel.READ_ONLY, "the roof leaks"))
    answer = at.do("create-job", stay)
    switch.clear()
    return answer


@answers("busy", 409, "under way")
def a_row_that_another_action_is_under_way_on(at: Entrance) -> requests.Response:
    stay = at.stay()
    with claim(at.business.desk.db, stay, 0, at.business.desk.sleep):
        return at.do("create-job", stay)


@answers("busy", 503, "ask again")
def a_server_without_a_worker(at: Entrance) -> requests.Response:
    stay = at.stay()
    at.worker.paused.set()
    at.clock.shift(120)  # since when no worker was heard of
    answer = at.do("create-job", stay)
    at.worker.paused.clear()
    at.worker.rest()
    assert len(at.jobs_of(stay)) == 1  # it was kept, and is done
    return answer


@answers("rate_limited", 429, "no more calls")
def a_service_that_is_asked_too_often(at: Entrance) -> requests.Response:
    stay = at.stay()
    at.business.service.fault("rate-limit", value="", times=None)
    answer = at.do("create-job", stay)
    at.business.heal()
    return answer


@answers("hcp_error", 502, "Housecall Pro")
def a_service_that_is_down(at: Entrance) -> requests.Response:
    stay = at.stay()
    at.business.service.fault("status", value=500, times=None)
    answer = at.do("create-job", stay)
    at.business.heal()
    return answer


@answers("hcp_error", 502, NO_PERMISSION)
def a_key_without_permission(at: Entrance) -> requests.Response:
    stay = at.stay()
    with refusing(401, {"error": {"message": NO_PERMISSION}}) as url, at.speaking_to(url):
        return at.do("create-job", stay)


@answers("airtable_error", 502, "Airtable")
def a_base_that_is_down(at: Entrance) -> requests.Response:
    stay = at.stay()
    at.business.break_airtable("status", method="", times=None, value=500)
    answer = at.do("create-job", stay)
    at.business.heal()
    return answer


@answers("internal_error", 500, "on our side")
def a_fault_of_ours(at: Entrance) -> requests.Response:
    stay = at.stay()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("changeover.engine.jobs.creating.by_button", lambda *_: {}["the inside"])
        return at.do("create-job", stay)


@pytest.mark.parametrize("wrong", CASES, ids=lambda wrong: wrong.name)
def test_each_gets_its_word_its_status_and_one_plain_sentence(
    entrance: Entrance, wrong: Wrong, caplog: pytest.LogCaptureFixture
) -> None:
    """J-29, J-104, J-105, J-106, JX-50: no key is in an answer, nor in what the program writes down."""
    with caplog.at_level(logging.DEBUG):
        answer = wrong.ask(entrance)

    body = answer.json()
    assert (answer.status_code, body["code"], body["success"]) == (wrong.http, wrong.code, False), body
    assert wrong.says in body["error"]
    assert re.fullmatch(r"[⚠️ A-Z][^\n<>]{5,250}", body["error"])
    assert (wrong.http in (429, 503)) <= ("Retry-After" in answer.headers)
    for secret in (OTHER_KEY, "key-of-nobody", DEV.api_key, SECRETS["dev"]):
        assert secret not in answer.text + caplog.text


def documented() -> set[str]:
    """The words of the table in the page about HTTP."""
    page = (ROOT / "docs" / "http.md").read_text(encoding="utf-8").partition("\n## API\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [0-9, ]+ \| ([^|]+) \|", page, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`(\w+)`", row)}


_SAYING = {"Refused": 0, "_no": 1, "_refused": 1, "refusal": 0, "failure": 1}
_ANSWERING = ("web/api", "web/asking", "web/answers", "web/limits", "engine/clicks", "engine/jobs/operations")


def in_the_program() -> Iterator[str]:
    """The words that the modules which answer say, and those of their tables."""
    yield from (str(each) for each in Code)
    yield from (each.value for each in Verdict if each is not Verdict.FITS)
    yield from BY_STATUS.values()
    for module in _ANSWERING:
        source = (ROOT / "src" / "changeover" / f"{module}.py").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call):
                place = _SAYING.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
                given = [*node.args[place : place + 1]] if place is not None else []
                given += [each.value for each in node.keywords if each.arg == "code"]
                yield from (each.value for each in given if isinstance(each, ast.Constant) and each.value)


def test_the_words_of_the_api_are_those_that_are_written_down_and_each_is_answered_above() -> None:
    """J-106."""
    assert documented() == set(in_the_program()) == {wrong.code for wrong in CASES}
    assert set(REMEDIES) == documented() - {"too_large", "method_not_allowed"}  # no script can get these


# -- webhooks that are none --------------------------------------------------------------------------------------------


def a_hook(**more: object) -> bytes:
    said = {"event": "job.updated", "event_occurred_at": now().isoformat(), "company_id": DEV.company_id}
    return json.dumps(said | {"job": {"id": JOB}} | more).encode()


def digest(message: bytes) -> str:
    return hmac.new(SECRETS["dev"].encode(), message, hashlib.sha256).hexdigest()


FORGED = {
    "forged": lambda body: signed(body, "another-secret", at=now().timestamp()),
    "of the other environment": lambda body: signed(body, SECRETS["prod"], at=now().timestamp()),
    "stale": lambda body: signed(body, SECRETS["dev"], at=now().timestamp() - 301),
    "from the future": lambda body: signed(body, SECRETS["dev"], at=now().timestamp() + 301),
    "tampered with": lambda body: signed(body + b" ", SECRETS["dev"], at=now().timestamp()),
    "signed and its time taken away": lambda body: {"Api-Signature": signed(body, SECRETS["dev"])["Api-Signature"]},
    "signed without a time": lambda body: {"Api-Signature": digest(body)},
    "signed with an empty time": lambda body: {"Api-Signature": digest(b"." + body), "Api-Timestamp": ""},
    "signed by an empty secret": lambda body: signed(body, "", at=now().timestamp()),
    "unsigned": lambda _: {},
    "of a forwarder nobody set up": lambda _: {"X-Internal-Auth": ""},
}


@pytest.mark.parametrize("how", FORGED)
def test_a_webhook_that_proves_nothing_is_401_and_nothing_of_it_is_kept(entrance: Entrance, how: str) -> None:
    """J-72, HC-81, JX-40, JX-52, JX-53."""
    body, before = a_hook(n=how), entrance.events(EventKind.HCP)

    answer = entrance.hook(body, FORGED[how](body))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert entrance.events(EventKind.HCP) == before


def test_an_oversized_webhook_is_413_and_a_ping_is_answered_and_neither_is_kept(entrance: Entrance) -> None:
    """J-72, HC-76."""
    before = entrance.events(EventKind.HCP)
    assert entrance.hook(b"x" * (LARGEST + 1)).status_code == 413
    assert entrance.hook(PING, {}).status_code == 200
    assert entrance.events(EventKind.HCP) == before


@pytest.mark.parametrize("body", [b"no json", b'["a list"]', b"", b"\xff\xfe"], ids=["text", "list", "empty", "bytes"])
def test_a_proven_webhook_that_is_no_event_is_kept_as_rejected(entrance: Entrance, body: bytes) -> None:
    """J-73."""
    answer = entrance.hook(body)

    assert (answer.status_code, answer.json()) == (200, QUEUED)
    assert entrance.events(EventKind.HCP)[0].state is EventState.REJECTED


def test_a_webhook_of_a_foreign_company_is_kept_and_told_and_nothing_is_done(entrance: Entrance) -> None:
    """J-74."""
    _, job = entrance.made()
    mark = entrance.business.mark()

    answer = entrance.hook(a_hook(company_id="00000000-0000-0000-0000-000000000000", job={"id": job["id"]}))
    entrance.worker.rest()

    assert (answer.status_code, answer.json()) == (200, QUEUED)
    assert entrance.events(EventKind.HCP)[0].state is EventState.FOREIGN
    assert entrance.business.calls(mark) == ([], [])
    assert ("foreign_event", "hcp") in entrance.business.alerts()


def test_a_webhook_of_an_unknown_job_is_kept_as_unmatched_and_not_asked_after(entrance: Entrance) -> None:
    """J-82, J-6."""
    mark = entrance.business.mark()

    assert entrance.tell("job.updated", {"id": f"job_{404:032x}"}).json() == QUEUED
    entrance.worker.rest()

    assert entrance.events(EventKind.HCP)[0].state is EventState.UNMATCHED
    assert entrance.business.calls(mark) == ([], [])


# -- what is wrong in the base or in Housecall Pro, until somebody puts it right ---------------------------------------


@dataclass
class Trouble:
    """A row whose job cannot be made; `right` is what a person then does about it, and nothing else."""

    stay: str
    right: Callable[[], object]


def template_deleted(at: Entrance) -> Trouble:
    home = at.home()
    at.business.service.act({"id": at.business.ids["template"]}, "delete")
    spare = at.business.service.job(start=None)["id"]
    at.business.service.ok("PUT", f"/jobs/{spare}/line_items/bulk_update", {"line_items": [{"name": "New template"}]})
    return Trouble(at.stay(home), lambda: at.business.edit(home, "Properties", Turnover_Job_Template_ID=spare))


def template_empty(at: Entrance) -> Trouble:
    home = at.home()
    lines, one = f"/jobs/{at.business.ids['template']}/line_items/bulk_update", {"line_items": [{"name": "Again"}]}
    at.business.service.ok("PUT", lines, {"line_items": []})
    return Trouble(at.stay(home), lambda: at.business.service.ok("PUT", lines, one))


def address_of_another_customer(at: Entrance) -> Trouble:
    home = at.home()
    own, other = at.business.ids["address"], at.business.service.customer()["addresses"][0]["id"]
    at.business.edit(home, "Properties", HCP_Address_ID=other)
    return Trouble(at.stay(home), lambda: at.business.edit(home, "Properties", HCP_Address_ID=own))


def customer_of_another_company(at: Entrance) -> Trouble:
    home = at.home()
    owner, own = at.business.ids["owner"], at.business.ids["customer"]
    at.business.edit(owner, "Customers", HCP_Customer_ID=f"cus_{404:032x}")
    return Trouble(at.stay(home), lambda: at.business.edit(owner, "Customers", HCP_Customer_ID=own))


def time_that_nobody_can_read(at: Entrance) -> Trouble:
    stay = at.stay(Custom_Service_Time="soon")
    return Trouble(stay, lambda: at.business.edit(stay, Custom_Service_Time="11:00 AM"))


@pytest.mark.parametrize(
    ("trouble", "code", "http"),
    [
        (template_deleted, "no_template", 422),
        (template_empty, "no_template", 422),
        (address_of_another_customer, "address_mismatch", 409),
        (customer_of_another_company, "address_mismatch", 409),
        (time_that_nobody_can_read, "no_service_time", 422),
    ],
)
def test_what_a_rule_refuses_is_kept_with_its_reason_and_done_by_the_next_cycle_once_it_is_right(
    entrance: Entrance, trouble: Callable[[Entrance], Trouble], code: str, http: int
) -> None:
    """J-27, J-28, J-29, JX-9."""
    found = trouble(entrance)
    before = entrance.business.row(found.stay)

    answer = entrance.do("create-job", found.stay)

    click = entrance.click(found.stay)
    assert (answer.status_code, answer.json()["code"]) == (http, code)
    assert (click.state, click.payload["reason"]) == (EventState.REJECTED, f"{code}: {answer.json()['error']}")
    assert entrance.business.row(found.stay) == before
    assert entrance.jobs_of(found.stay) == []
    entrance.business.cycle()
    assert entrance.jobs_of(found.stay) == []
    found.right()
    entrance.business.cycle()
    (job,) = entrance.jobs_of(found.stay)
    row = entrance.business.row(found.stay)
    assert (row["Service Job ID"], row["Sync Status"]) == (job["id"], "Synced")


def test_an_inactive_employee_costs_nobody_the_job_and_the_next_one_is_assigned_again(entrance: Entrance) -> None:
    """J-34, JX-14."""
    service, robin = entrance.business.service, entrance.business.desk.settings.hcp_employee_id
    service.employee(id=robin, active=False)

    without, _ = entrance.made()
    told = entrance.business.alerts()
    service.employee(id=robin, active=True)
    again, _ = entrance.made()

    assert entrance.click(without).state is EventState.DONE
    assert ("employee_inactive", robin) in told
    assert "Assignee" not in entrance.business.row(without)
    assert entrance.business.row(again)["Assignee"] == "Robin Example"


def test_an_archived_job_is_moved_by_nobody_and_a_person_gets_a_new_one(entrance: Entrance) -> None:
    """J-57, J-60, HC-64: canceled in the app, told by every button, never revived by a cycle."""
    stay, job = entrance.made()
    entrance.business.service.act(job, "cancel")

    refused = [entrance.do("update-schedule", stay)]
    entrance.business.cycle()
    refused.append(entrance.do("update-service-line", stay))

    assert [each.json()["code"] for each in refused] == ["not_eligible", "not_eligible"]
    assert entrance.click(stay).state is EventState.REJECTED
    assert [each["id"] for each in entrance.jobs_of(stay)] == [job["id"]]
    assert entrance.business.row(stay)["Job Status"] == "Canceled"
    made = entrance.do("create-job", stay)
    assert (made.status_code, made.json()["jobId"] != job["id"]) == (200, True)


@pytest.mark.parametrize("job_id", [f"job_{404:032x}", "job_1'),TRUE(),('", "job_../customers", "whatever"])
def test_a_job_id_that_nobody_knows_is_said_and_stays_a_persons_to_mend(entrance: Entrance, job_id: str) -> None:
    """J-4, J-57, HC-95, JX-54: what is no id is asked nowhere; once it is right the next cycle follows it."""
    stay, job = entrance.made()
    entrance.business.edit(stay, Service_Job_ID=job_id)
    mark = entrance.business.mark()

    answer = entrance.do("update-schedule", stay)

    assert 400 <= answer.status_code < 600
    assert answer.json()["success"] is False
    assert not any("TRUE" in call or ".." in call for call in entrance.business.calls(mark)[1])
    assert entrance.business.row(stay)["Service Job ID"] == job_id
    entrance.business.edit(stay, Service_Job_ID=job["id"])
    entrance.business.service.act(job, "start")
    entrance.business.cycle()
    assert entrance.business.row(stay)["Job Status"] == "In Progress"


# -- a service that does not do it, until it does ----------------------------------------------------------------------


@contextmanager
def down(at: Entrance) -> Iterator[None]:
    """Housecall Pro answers everybody with an error of its own."""
    at.business.service.fault("status", value=503, times=None)
    try:
        yield
    finally:
        at.business.heal()


@contextmanager
def cut_off(at: Entrance) -> Iterator[None]:
    """No answer of Housecall Pro comes back whole."""
    at.business.service.fault("drop-before", times=None)
    try:
        yield
    finally:
        at.business.heal()


@contextmanager
def without_permission(at: Entrance) -> Iterator[None]:
    with refusing(401, {"error": {"message": NO_PERMISSION}}) as url, at.speaking_to(url):
        yield


@pytest.mark.parametrize(
    ("outage", "said", "cause"),
    [
        (down, "Housecall Pro has a problem of its own (503); it is tried again by itself.", "hcp_down"),
        (cut_off, "Housecall Pro cannot be reached; it is tried again by itself.", "hcp_down"),
        (
            without_permission,
            f"{NO_PERMISSION}; it is done by itself as soon as that is put right.",
            "hcp_credential_refused",
        ),
    ],
    ids=["down for ten minutes", "cut off for ten minutes", "key without permission for ten minutes"],
)
def test_an_outage_of_ten_minutes_is_said_kept_and_made_good_without_anybodys_help(
    entrance: Entrance, outage: Callable[[Entrance], Any], said: str, cause: str
) -> None:
    """J-71, J-78, C-64, C-65, JX-42: one click, one webhook, and nobody has to do anything again."""
    stay, (served, job) = entrance.stay(), entrance.made()
    entrance.business.service.act(job, "start")
    with ExitStack() as while_it_lasts:
        while_it_lasts.enter_context(outage(entrance))
        clicked = entrance.do("create-job", stay)
        told = entrance.tell("job.started", job)
        entrance.worker.rest()
        cycle = entrance.business.cycle()
        for _ in range(10):
            entrance.later(minutes=1)

        by_itself = outage is not without_permission  # else a person is told that something is theirs to do
        click, hook = entrance.click(stay), entrance.events(EventKind.HCP)[0]
        assert (clicked.status_code, clicked.json()["code"], clicked.json()["error"]) == (502, "hcp_error", said)
        assert (click.state, click.payload["reason"].startswith("hcp_error: ")) == (EventState.RECEIVED, True)
        assert (told.status_code, hook.state) == (200, EventState.RECEIVED)
        assert [each.state for each in (cycle[0], cycle[2])] == [RunState.FAILED] * 2
        assert {each.failure.code for each in cycle if each.failure is not None} == {cause}
        assert ({("hcp_credential_refused", "webhooks")} <= set(entrance.business.alerts())) == (not by_itself)
        assert entrance.business.row(served)["Job Status"] == "Scheduled"
        assert "Service Job ID" not in entrance.business.row(stay)

    for _ in range(15):
        entrance.later(minutes=1)

    (made,) = entrance.jobs_of(stay)
    row = entrance.business.row(stay)
    assert (row["Service Job ID"], row["Sync Status"]) == (made["id"], "Synced")
    assert entrance.business.row(served)["Job Status"] == "In Progress"
    assert entrance.click(stay).state is EventState.DONE
    assert next(each for each in entrance.events(EventKind.HCP) if each.id == hook.id).state is EventState.DONE
    told_of = {"clicks", "webhooks", stay, f"click:{stay}", f"hcp:{job['id']}"}
    assert {subject for _, subject in entrance.business.alerts()} & told_of == set()
    assert all(each.failure is None for each in entrance.business.cycle())
