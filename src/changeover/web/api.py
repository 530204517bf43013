"""`/api/<env>` for scripts (J-104 … J-106): checks, has a worker act, tells its answer; nothing outside is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from flask import Blueprint, Response, jsonify, request
from gunicorn.http.errors import ParseException
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest

from changeover.core.job_action import Action
from changeover.engine import names
from changeover.engine.raw_mails import NotTaken
from changeover.engine.run_intake import Told, WantedRun
from changeover.ops import logging
from changeover.store.facts import Json
from changeover.store.runs import Run, RunState, Trigger
from changeover.web import asking, openapi
from changeover.web.answers import failure
from changeover.web.asking import Refused
from changeover.web.keys import KEY_HEADER, Verdict, judge_key
from changeover.web.limits import Limits, address
from changeover.web.schemas import ReconcileBody, RecordBody, RunBody
from changeover.web.sites import Deployment, Site

log = logging.get(__name__)

WAIT_SECONDS = 25.0
"""So long the answer is waited for (J-105)."""

_WHO = "api"
_OFF = (RunState.DISABLED, RunState.NOT_CONFIGURED)
Body = TypeVar("Body", bound=BaseModel)
Handler = Callable[[Site], Response]


def blueprint(deployment: Deployment, limits: Limits) -> Blueprint:
    """The routes of both environments."""
    api = Blueprint("api", __name__)

    def route(method: str, path: str, name: str, handle: Callable[..., Response]) -> None:
        def entered(env: str, **given: str) -> Response:
            site = _enter(deployment, limits, env)
            with logging.about(env=site.env):
                return handle(site, **given)

        url = f"/api/<env>/{path}"
        api.add_url_rule(url, name, entered, methods=[method], provide_automatic_options=False)

    for action in Action:
        route("POST", action, action, partial(_act, deployment, action))
    route("POST", "jobs/reconcile", "reconcile", _reconcile)
    route("POST", "runs", "start", _start)
    route("GET", "runs/<run_id>", "look", _look)
    api.add_url_rule("/api/openapi.json", "openapi", openapi.answer, provide_automatic_options=False)
    api.register_error_handler(Refused, refused)
    api.after_request(_not_kept)
    return api


def refused(refusal: Refused) -> Response:
    """A refusal as programs read it."""
    answer = failure(refusal.http, refusal.code, refusal.text)
    if refusal.after is not None:
        answer.headers["Retry-After"] = str(refusal.after)
    return answer


def _not_kept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _enter(deployment: Deployment, limits: Limits, env: str) -> Site:
    """The environment that is asked, for who has its key."""
    site, others = asking.site_of(deployment, env)
    verdict = judge_key(request.headers.get(KEY_HEADER, ""), site.inbound, others)
    if verdict is not Verdict.FITS:
        limits.failed(address())
    asking.check(verdict, site.env)
    return site


# -- actions on a row ------------------------------------------------------------------------------------------------


def _act(deployment: Deployment, action: Action, site: Site) -> Response:
    record_id = _parsed(RecordBody).recordId
    asking.check_writes(site)
    asking.check_record(record_id)
    operation_id = asking.ask(site, action, record_id, _WHO)
    operation = site.clicks.answer(operation_id, WAIT_SECONDS, deployment.stopping)
    if operation is None or operation.answer is None:
        text = "This is still under way; ask again to get its answer."
        raise Refused("busy", text, HTTPStatus.SERVICE_UNAVAILABLE, asking.AGAIN_SECONDS)
    return _answered(operation.answer)


def _answered(stored: Mapping[str, Json]) -> Response:
    """An answer as the worker has kept it."""
    told = asking.Told.of(stored)
    if told.refusal is not None:
        return refused(told.refusal)
    answer = jsonify(told.body)
    answer.status_code = told.http
    return answer


# -- runs ------------------------------------------------------------------------------------------------------------


def _reconcile(site: Site) -> Response:
    body = _parsed(ReconcileBody, empty=True)
    dry_run = body.mode == "dry_run"
    asking.check_starts(site, dry_run=dry_run)
    return _queued(site, WantedRun(names.RECONCILIATION, Trigger.API, _WHO, dry_run, body.limit))


def _start(site: Site) -> Response:
    wanted = _parsed(RunBody, empty=True).automation
    name = None if wanted is None else _automation(wanted)
    asking.check_starts(site, dry_run=False)
    return _queued(site, WantedRun(name, Trigger.API, _WHO))


def _automation(wanted: str) -> str:
    """The automation of that name, in any case and with blanks around it (C-2). Raises Refused."""
    found = [each for each in names.AUTOMATIONS if each.casefold() == wanted.strip().casefold()]
    if not found:
        text = f"There is no such automation; valid: {', '.join(names.AUTOMATIONS)}."
        raise Refused("not_found", text, HTTPStatus.NOT_FOUND)
    return found[0]


def _queued(site: Site, wanted: WantedRun) -> Response:
    try:
        run_id = site.runs.ask(wanted, datetime.now(UTC))
    except NotTaken as trouble:
        raise asking.not_stored(trouble) from trouble
    log.info("run.asked", run_id=run_id, automation=wanted.automation, dry_run=wanted.dry_run)
    answer = jsonify(success=True, environment=site.env, id=run_id)
    answer.status_code = HTTPStatus.ACCEPTED
    return answer


def _look(site: Site, run_id: str) -> Response:
    told = site.runs.find(run_id)
    if told is None:
        raise Refused("not_found", "There is no such run.", HTTPStatus.NOT_FOUND)
    return jsonify(
        success=True,
        environment=site.env,
        id=told.id,
        state=_state(told),
        runs=[_part(each) for each in told.runs],
        result=told.report,
    )


def _state(told: Told) -> RunState:
    """The state of all of it: what is not over comes first, then what all have in common, else it is partial."""
    states = {each.state for each in told.runs}
    if RunState.QUEUED in states and states != {RunState.QUEUED}:
        return RunState.RUNNING
    if RunState.RUNNING in states:
        return RunState.RUNNING
    told_of = states - set(_OFF) or states
    if len(told_of) == 1:
        return told_of.pop()
    return RunState.PARTIAL if RunState.SUCCEEDED in told_of or RunState.PARTIAL in told_of else RunState.FAILED


def _part(run: Run) -> dict[str, object]:
    has_begun = run.state is not RunState.QUEUED
    return {
        "id": run.id,
        "automation": run.automation,
        "state": str(run.state),
        "dryRun": run.dry_run,
        "startedAt": run.started_at.isoformat() if has_begun else None,
        "endedAt": None if run.ended_at is None else run.ended_at.isoformat(),
        "counters": dict(run.counters) if has_begun else {},
        "error": {"code": run.error_code, "message": run.error_text} if run.error_code else None,
    }


# -- bodies ----------------------------------------------------------------------------------------------------------


def _parsed(form: type[Body], *, empty: bool = False) -> Body:
    """The request's body by its schema (X-5); with `empty` none at all will do. Raises Refused, BadRequest."""
    try:
        raw = request.get_data(cache=False)
    except ParseException as broken:  # the server's own word for a chunked body that breaks off
        raise BadRequest from broken
    try:
        return form.model_validate_json(raw if raw.strip() or not empty else b"{}")
    except ValidationError as wrong:
        raise _wrong(wrong, form) from None


def _wrong(error: ValidationError, form: type[BaseModel]) -> Refused:
    """Says which of our own fields is wrong; what the caller sent is not repeated."""
    kinds = {each["type"] for each in error.errors(include_url=False, include_input=False)}
    if form is RecordBody and kinds != {"extra_forbidden"}:  # nobody can tell which row is meant (J-106)
        text = 'The body must be a JSON object with the row\'s id: {"recordId": "rec…"}.'
        return Refused("not_found", text, HTTPStatus.BAD_REQUEST)
    known = ", ".join(form.model_fields)
    return Refused("bad_request", f"The body must be a JSON object with no fields but {known}.", HTTPStatus.BAD_REQUEST)
