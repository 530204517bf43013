"""What API and buttons have in common: which environment, whether it is stopped, asking and waiting; no route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from werkzeug.exceptions import NotFound

from changeover.core.job import is_record_id
from changeover.core.job_action import Action
from changeover.core.job_eligibility import not_found
from changeover.engine.click_intake import Request
from changeover.engine.raw_mails import NotTaken
from changeover.engine.stop import Stop
from changeover.ops import logging
from changeover.settings.inbound import Inbound
from changeover.store.facts import Json
from changeover.store.operations import Busy
from changeover.web.keys import Verdict
from changeover.web.sites import Deployment, Site

log = logging.get(__name__)

AGAIN_SECONDS = 5
"""When to ask again for what is under way (J-105)."""

_REFUSED = {
    Verdict.UNKNOWN: "The key is missing or unknown.",
    Verdict.ELSEWHERE: "The key belongs to the other environment.",
}


class Refused(Exception):
    """Nothing was done: the API's word, a sentence, its status, and after how many seconds to ask again."""

    def __init__(self, code: str, text: str, http: int, after: int | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.http, self.after = code, text, http, after


@dataclass(frozen=True, slots=True)
class Told:
    """A worker's answer as it was kept. `refusal` is None where all went well."""

    body: Mapping[str, object]
    http: int
    refusal: Refused | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Json]) -> Told:
        body, http, after = stored.get("body"), stored.get("http"), stored.get("after")
        told = body if isinstance(body, Mapping) else {}
        status = http if isinstance(http, int) else HTTPStatus.INTERNAL_SERVER_ERROR
        if told.get("success") is True:
            return cls(told, status)
        wait = after if isinstance(after, int) else None
        return cls(told, status, Refused(str(told.get("code")), str(told.get("error")), status, wait))


def site_of(deployment: Deployment, env: str) -> tuple[Site, list[Inbound]]:
    """An environment and the others. Raises NotFound for one that is not served here."""
    site = deployment.sites.get(env)
    if site is None:
        raise NotFound
    return site, [each.inbound for name, each in deployment.sites.items() if name != env]


def check(verdict: Verdict, env: str) -> None:
    """Raises Refused unless it fits."""
    if verdict is not Verdict.FITS:
        log.warning("caller.refused", env=env, verdict=verdict)
        raise Refused(verdict.value, _REFUSED[verdict], verdict.http)


def check_record(record_id: str) -> None:
    """Raises Refused for what can be no row's id (J-16)."""
    if not is_record_id(record_id):
        raise Refused(not_found().code, not_found().text, HTTPStatus.NOT_FOUND)


def check_writes(site: Site) -> None:
    """Raises Refused under a stop that forbids actions (E-4)."""
    stop = site.stop.state()
    if not stop.writes:
        raise stopped(stop)


def check_starts(site: Site, *, dry_run: bool) -> None:
    """Raises Refused under a stop that forbids a run (E-2); a rehearsal is allowed while nothing is to be written."""
    stop = site.stop.state()
    if not (stop.starts or (dry_run and stop.reads and not stop.writes)):
        raise stopped(stop)


def stopped(stop: Stop) -> Refused:
    why = f": {stop.why}" if stop.why else ""
    return Refused("stopped", f"Changeover is stopped (level {stop.level}{why}).", HTTPStatus.LOCKED)


def ask(site: Site, action: Action, record_id: str, who: str, operation_id: str | None = None) -> str:
    """Enters what is asked for, or joins it; the id of its operation. Raises Refused: another is under way (J-105)."""
    try:
        asked = site.clicks.ask(Request(action, record_id, who, operation_id), datetime.now(UTC))
    except NotTaken as failure:
        raise not_stored(failure) from failure
    if isinstance(asked, Busy):
        text = f"Another action ({asked.action}) is under way on this row."
        raise Refused("busy", text, HTTPStatus.CONFLICT, AGAIN_SECONDS)
    log.info("click.asked", env=site.env, action=action.value, record_id=record_id, who=who, joined=asked.joined)
    return asked.id


def not_stored(failure: NotTaken) -> Refused:
    log.warning("request.not_stored", reason=str(failure))
    text = "The request could not be stored; ask again."
    return Refused("busy", text, HTTPStatus.SERVICE_UNAVAILABLE, AGAIN_SECONDS)
