"""Housecall Pro's door (J-72 … J-75): a proven webhook is stored, then acknowledged; nothing outside is asked."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request
from gunicorn.http.errors import ParseException
from pydantic import SecretStr
from werkzeug.exceptions import BadRequest, NotFound, RequestEntityTooLarge

from changeover.core.plan import Alert, Level
from changeover.engine.raw_mails import NotTaken, Reason
from changeover.housecallpro import webhooks
from changeover.housecallpro.webhooks import FORWARDER_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from changeover.ops import logging
from changeover.settings import EnvironmentName, identity
from changeover.settings.inbound import Inbound
from changeover.store.events import EventState
from changeover.web.answers import failure
from changeover.web.sites import Deployment, Site

log = logging.get(__name__)

LARGEST = 2 * 1024 * 1024
"""Bytes a webhook may have (J-72, NG-2)."""
PATHS = {"/webhooks/hcp": EnvironmentName.PROD, "/webhooks/hcp-dev": EnvironmentName.DEV}

_ALERT_FROM = 10  # an hour
_ONCE_AN_HOUR = timedelta(hours=1)
_FAILED = "webhook_intake_failed"
_GOES_ON = "Housecall Pro sends some of them again, and every cycle reads what was missed."
_FORGED = Alert(
    "webhook_forged",
    "hcp",
    Level.WARNING,
    "Ten webhooks an hour or more are refused, as their signature is wrong or too old. Either somebody is guessing, or "
    "HCP_WEBHOOK_SECRET is not what Housecall Pro signs with, or this machine's clock is wrong.",
)
_FOREIGN = Alert(
    "foreign_event",
    "hcp",
    Level.ERROR,
    "Webhooks of another company come in with this environment's secret; nothing is done with them. Compare "
    "HCP_COMPANY_ID and the webhook addresses in Housecall Pro.",
)
_NOT_STORED = {
    Reason.DISK: Alert(_FAILED, "disk", Level.CRITICAL, f"The disk is nearly full: make room. {_GOES_ON}"),
    Reason.DATABASE: Alert(
        _FAILED, "database", Level.ERROR, f"A webhook could not be stored within 2 seconds. {_GOES_ON}"
    ),
}
_BROKEN = Alert(
    _FAILED, "unexpected", Level.ERROR, f"A webhook could not be stored; the log of web says why. {_GOES_ON}"
)


def blueprint(deployment: Deployment) -> Blueprint:
    """The two routes: the path names the environment, the secret proves it (J-74)."""
    hcp = Blueprint("hcp", __name__)

    def take() -> Response:
        site = deployment.sites.get(PATHS[request.path.rstrip("/")])
        if site is None:
            raise NotFound
        with logging.about(env=site.env):
            return _receive(site)

    for path in PATHS:
        hcp.add_url_rule(path, path.rpartition("/")[2], take, methods=["POST"], provide_automatic_options=False)
    return hcp


def _receive(site: Site) -> Response:
    began, now = time.monotonic(), datetime.now(UTC)
    body = _body()
    if webhooks.is_ping(body):
        log.info("webhook.ping")
        return _success("Webhook reached")
    timestamp = request.headers.get(TIMESTAMP_HEADER, "")
    if not _is_proven(site.inbound, timestamp, body, now):
        return _forged(site, now)
    try:
        taken = site.hooks.take(body, timestamp, now)
    except NotTaken as refusal:
        log.warning("webhook.refused", reason=str(refusal))
        if refusal.reason in _NOT_STORED:
            site.alerts.open(_NOT_STORED[refusal.reason], wait=refusal.reason is not Reason.DATABASE)
        return _later()
    except Exception:  # the edge: whatever it was, the sender is to try again (J-72)
        log.exception("webhook.failed")
        site.alerts.open(_BROKEN)
        return _later()
    ms = round((time.monotonic() - began) * 1000)
    log.info("webhook.stored", event_id=taken.event_id, name=taken.event, bytes=len(body), new=taken.new, ms=ms)
    _settle(site, taken.state, now)
    return _success("Webhook queued")


def _body() -> bytes:
    """The raw bytes, never parsed as a form. Raises RequestEntityTooLarge, and BadRequest for a body that was cut.

    Read past Flask, whose reading makes no difference between an end and a cut, and shortens what has no length.
    """
    length, environ = request.content_length, request.environ
    if length is not None and length > LARGEST:
        raise RequestEntityTooLarge
    if length is None and "wsgi.input_terminated" not in environ:
        return b""
    try:
        body: bytes = environ["wsgi.input"].read(LARGEST + 1 if length is None else length)
    except (ParseException, OSError, ValueError) as broken:
        raise BadRequest from broken
    if len(body) > LARGEST:
        raise RequestEntityTooLarge
    if length is not None and len(body) < length:
        raise BadRequest
    return body


def _is_proven(inbound: Inbound, timestamp: str, body: bytes, now: datetime) -> bool:
    """By signature, or by the forwarder's shared secret: either is enough (HC-81, HC-123)."""
    signature, shown = (request.headers.get(name, "") for name in (SIGNATURE_HEADER, FORWARDER_HEADER))
    if webhooks.signed(timestamp, signature, body, _secrets(inbound.hcp_webhook_secret), now):
        return True
    # A server hands headers over as Latin-1; the secret may have been typed in anything.
    word = shown.encode("latin-1", "replace").decode("utf-8", "replace")
    return webhooks.forwarded(word, _secrets(inbound.servativ_webhook_secret))


def _secrets(given: SecretStr | None) -> frozenset[str]:
    """Two while one is changed, none where that way is off (X-1)."""
    return frozenset() if given is None else identity.parts(given.get_secret_value())


def _forged(site: Site, now: datetime) -> Response:
    recent = site.hooks.refuse(now)
    log.warning("webhook.forged", within_an_hour=recent)
    if recent >= _ALERT_FROM:
        site.alerts.open(_FORGED, once_in=_ONCE_AN_HOUR)
    return failure(HTTPStatus.UNAUTHORIZED, "unauthorized", "Nothing proves who sent this.")


def _settle(site: Site, state: EventState, now: datetime) -> None:
    """Opens and closes what people are told, once one was stored."""
    site.alerts.over(_FAILED)
    if site.hooks.refused(now) < _ALERT_FROM:
        site.alerts.over(_FORGED.rule)
    if state is EventState.FOREIGN:
        site.alerts.open(_FOREIGN, once_in=_ONCE_AN_HOUR)
    elif not site.hooks.foreign(now):
        site.alerts.over(_FOREIGN.rule)


def _later() -> Response:
    return failure(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "It could not be stored. Send it again.")


def _success(message: str) -> Response:
    return jsonify(status="success", message=message)
