"""`/button/<env>/<action>`: a page that asks once, then has a worker act (J-108); fetching it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException, NotFound

from changeover.core.job_action import Action
from changeover.core.job_texts import Words
from changeover.ops import logging
from changeover.store.operations import Operation, OperationState
from changeover.web import asking, cards, forms
from changeover.web.asking import Refused, Told
from changeover.web.cards import Card, Line
from changeover.web.keys import judge_token
from changeover.web.limits import Limits, address
from changeover.web.remedies import REMEDIES
from changeover.web.sites import Deployment, Site

log = logging.get(__name__)

LARGEST: Final = 16 * 1024  # bytes of a form (NG-4)
WAIT_SECONDS: Final = 10.0
_WHO: Final = "button"
_OFTEN_SECONDS, _SELDOM_SECONDS, _PATIENT = 2, 15, 120


@dataclass(frozen=True, slots=True)
class Question:
    """What a page asks."""

    text: str
    effect: str
    button: str
    grave: bool = False


QUESTIONS: Final = {
    Action.CREATE: Question(
        "Create the job of this stay?",
        "A job is made in Housecall Pro, with the lines of the property's template. If there is one, it is verified.",
        "Create job",
    ),
    Action.UPDATE: Question(
        "Move the job to the time of this row?",
        "The schedule in Housecall Pro is changed. Nobody is notified.",
        "Update schedule",
    ),
    Action.DELETE: Question(
        "Take the schedule of this job away?",
        "The job stays in Housecall Pro, without time and people. Nobody is notified.",
        "Delete schedule",
        grave=True,
    ),
    Action.LINE: Question(
        "Bring the service line up to date?",
        "The line that cleaners read in Housecall Pro is written anew; words that people added there stay.",
        "Update service line",
    ),
}


def blueprint(deployment: Deployment, limits: Limits) -> Blueprint:
    """The three routes."""
    button = Blueprint("button", __name__)

    def route(method: str, path: str, handle: Callable[..., Response]) -> None:
        def entered(env: str, action: str, **given: str) -> Response:
            site, wanted = _enter(deployment, limits, env, action)
            with logging.about(env=site.env):
                return handle(site, wanted, **given)

        url = f"/button/<env>/<action>{path}"
        button.add_url_rule(url, f"{method}{path}", entered, methods=[method], provide_automatic_options=False)

    route("GET", "", _ask)
    route("POST", "", partial(_act, deployment))
    route("GET", "/<operation_id>", _tell)
    button.register_error_handler(Refused, _refused)
    button.register_error_handler(HTTPException, _broken)
    button.after_request(_not_kept)
    return button


def _enter(deployment: Deployment, limits: Limits, env: str, name: str) -> tuple[Site, Action]:
    """Environment and action, for who has the environment's link."""
    request.max_content_length = LARGEST
    site, others = asking.site_of(deployment, env)
    if name not in tuple(Action):
        raise NotFound
    verdict = judge_token(_given("token"), site.inbound, others)
    if verdict.http != HTTPStatus.OK:
        limits.failed(address())
    asking.check(verdict, site.env)
    return site, Action(name)


def _given(name: str) -> str:
    return (request.form if request.method == "POST" else request.args).get(name, "")


# -- asking, acting, telling -----------------------------------------------------------------------------------------


def _ask(site: Site, action: Action) -> Response:
    record_id = _given("record")
    asking.check_record(record_id)
    asking.check_writes(site)
    session = forms.session() or forms.new_session()
    under_way = site.clicks.under_way(record_id)
    page = render_template(
        "button/ask.html",
        env=site.env,
        question=QUESTIONS[action],
        card=_card(site, record_id),
        under_way=None if under_way is None else _named(under_way.action),
        target=f"/button/{site.env}/{action}",
        record=record_id,
        token=_given("token"),
        form=forms.new(site.inbound, session, action, record_id),
    )
    answer = Response(page)
    forms.remember(answer, session)
    return answer


def _act(deployment: Deployment, site: Site, action: Action) -> Response:
    """Once for each form, however often it is sent; then a page that can be fetched again without doing anything."""
    record_id = _given("record")
    asking.check_record(record_id)
    ticket = forms.sent(site.inbound, action, record_id)
    asking.check_writes(site)
    operation_id = asking.ask(site, action, record_id, _WHO, ticket)
    site.clicks.answer(operation_id, WAIT_SECONDS, deployment.stopping)
    query = urlencode({"token": _given("token")})
    return _as_ours(redirect(f"/button/{site.env}/{action}/{operation_id}?{query}", HTTPStatus.SEE_OTHER))


def _tell(site: Site, action: Action, operation_id: str) -> Response:
    operation = site.clicks.find(operation_id)
    if operation is None or operation.action != action:
        raise NotFound
    back = f"/button/{site.env}/{action}?{urlencode({'record': operation.record_id, 'token': _given('token')})}"
    if operation.state is OperationState.OPEN or operation.answer is None:
        return _still_open(site, action, operation)
    told = Told.of(operation.answer)
    if told.refusal is not None:
        return _refusal_page(told.refusal, site=site, record_id=operation.record_id, back=back)
    page = render_template(
        "button/told.html",
        env=site.env,
        done=QUESTIONS[action].button,
        card=_card(site, operation.record_id),
        lines=_lines(told, Words(site.inbound.zone)),
    )
    return Response(page, told.http)


def _still_open(site: Site, action: Action, operation: Operation) -> Response:
    now = datetime.now(UTC)
    waited = (now - operation.requested_at).total_seconds()
    page = render_template(
        "button/open.html",
        env=site.env,
        doing=_named(action),
        card=_card(site, operation.record_id),
        worked=site.clicks.is_worked(now),
        seconds=_OFTEN_SECONDS if waited < _PATIENT else _SELDOM_SECONDS,
    )
    return Response(page, HTTPStatus.ACCEPTED)


# -- what pages show -------------------------------------------------------------------------------------------------


def _card(site: Site, record_id: str) -> Card:
    with site.reading() as connection:
        return cards.card(connection, record_id, Words(site.inbound.zone))


def _lines(told: Told, words: Words) -> list[Line]:
    def text(name: str) -> str:
        value = told.body.get(name)
        return value if isinstance(value, str) else ""

    shown = {
        "Job": text("jobId"),
        "Scheduled": cards.moment(text("scheduledTime"), words),
        "Line": text("serviceName"),
        "Sync Status": text("syncStatus"),
        "Details": text("syncDetails"),
    }
    return [Line(name, value) for name, value in shown.items() if value]


def _named(action: str) -> str:
    return QUESTIONS[Action(action)].button if action in tuple(Action) else action


def _refused(refusal: Refused) -> Response:
    return _refusal_page(refusal)


def _refusal_page(
    refusal: Refused, *, site: Site | None = None, record_id: str = "", back: str | None = None
) -> Response:
    page = render_template(
        "button/refused.html",
        env=None if site is None else site.env,
        code=refusal.code,
        text=refusal.text,
        remedy=REMEDIES.get(refusal.code),
        card=None if site is None else _card(site, record_id),
        back=back,
    )
    answer = Response(page, refusal.http)
    if refusal.after is not None:
        answer.headers["Retry-After"] = str(refusal.after)
    return answer


def _broken(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.NOT_FOUND:
        return _refusal_page(Refused("not_found", "There is no such page: the link is not right.", status))
    return _refusal_page(Refused("bad_request", "This cannot be read.", status))


def _as_ours(answer: object) -> Response:
    assert isinstance(answer, Response)  # noqa: S101 - for the type checker
    return answer


def _not_kept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
