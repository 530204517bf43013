"""The mail service's door (CM-6 … CM-8): a mail is stored, then acknowledged; 4xx is said only to strangers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import NotFound

from changeover.core.plan import Alert, Level
from changeover.engine.raw_mails import NotTaken, Posted, Reason
from changeover.ops import logging
from changeover.settings import EnvironmentName
from changeover.web.answers import plain
from changeover.web.credentials import Fit, caller, fit
from changeover.web.sites import Deployment, Site

log = logging.get(__name__)

PATH = "/webhooks/csv-email"

_FAILED = "mail_intake_failed"
_GOES_ON = "Mails are put off, their senders try again; it goes on by itself."
_WRONG_PASSWORD = Alert(
    "mail_auth_failed",
    "login",
    Level.ERROR,
    "The mail service signs in with a password that is not CLOUDMAILIN_PASSWORD. Mails are put off until both agree.",
)
_DISABLED = Alert(
    "mail_disabled",
    "switch",
    Level.WARNING,
    "Mails come in while CSV_EMAIL_ENABLED is false. They are put off; take the address out at the mail service.",
)
_NOT_COPIED = Alert("mail_copy_failed", "dev", Level.WARNING, "A mail is stored here, but could not be copied to dev.")
_BROKEN = Alert(_FAILED, "unexpected", Level.ERROR, f"A mail could not be stored; the log of web says why. {_GOES_ON}")
_REFUSED = {
    Reason.TOO_LARGE: Alert(
        "mail_unreadable", "too large", Level.ERROR, "A mail of over 64 MB is refused. Ask for smaller reports."
    ),
    Reason.NO_MAIL: Alert(
        "mail_unreadable",
        "no mail",
        Level.ERROR,
        "Something was posted that is no mail; it lies in raw/mail/unreadable. "
        "Is the mail service's format Multipart Normalized, JSON Normalized or Raw?",
    ),
    Reason.DISK: Alert(_FAILED, "disk", Level.CRITICAL, f"The disk is nearly full: make room. {_GOES_ON}"),
    Reason.DATABASE: Alert(
        _FAILED, "database", Level.ERROR, f"The state database could not be written within 2 seconds. {_GOES_ON}"
    ),
}
_ONCE_A_DAY = timedelta(days=1)
_SAID_TO_STRANGERS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


def blueprint(deployment: Deployment) -> Blueprint:
    """The two routes."""
    mail = Blueprint("mail", __name__)

    @mail.post(PATH, provide_automatic_options=False)
    def for_all() -> Response:
        sites = deployment.sites
        return _receive(tuple(sites.values()), copy=sites.get(EnvironmentName.DEV))

    @mail.post(f"{PATH}/<env>", provide_automatic_options=False)
    def for_one(env: str) -> Response:
        if env not in deployment.sites:
            raise NotFound
        return _receive((deployment.sites[env],))

    return mail


def never_bounce(answer: Response) -> Response:
    """On these routes every refusal that is not meant for a stranger is a fault of ours (CM-8)."""
    is_refusal = HTTPStatus.MULTIPLE_CHOICES <= answer.status_code not in _SAID_TO_STRANGERS
    if is_refusal and request.path.startswith(PATH):
        answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return answer


def _receive(sites: Sequence[Site], copy: Site | None = None) -> Response:
    """Decides from headers alone whom the mail is for (CM-7); the body is read for those who may post."""
    shown = caller(request.headers.get("Authorization", ""))
    if shown is None:
        return _stranger()
    fits = [(site, fit(shown, site.inbound)) for site in sites]
    fitting = [site for site, found in fits if found is Fit.FITS]
    if not fitting:
        known = [site for site, found in fits if found is Fit.WRONG_PASSWORD]
        for site in known:
            _note(site, "mail.wrong_password", _WRONG_PASSWORD)
        return _later() if known else _stranger()
    enabled = [site for site in fitting if site.inbound.csv_email_enabled]
    if not enabled:
        for site in fitting:
            _note(site, "mail.disabled", _DISABLED, once_in=_ONCE_A_DAY)
        return _later()
    target = next((site for site in enabled if site.inbound.environment is EnvironmentName.PROD), enabled[0])
    wants_copy = copy is not None and copy is not target and copy.inbound.csv_email_enabled
    return _store(target, copy if wants_copy else None)


def _store(site: Site, copy: Site | None) -> Response:
    began = time.monotonic()
    with logging.about(env=site.env):
        try:
            taken = site.intake.take(_posted(), None if copy is None else copy.intake)
        except NotTaken as refusal:
            log.warning("mail.refused", reason=str(refusal))
            if refusal.reason in _REFUSED:
                site.alerts.open(_REFUSED[refusal.reason], wait=refusal.reason is not Reason.DATABASE)
            return _later()
        except Exception:  # the edge: whatever it was, the sender is to try again (CM-7)
            log.exception("mail.failed")
            site.alerts.open(_BROKEN)
            return _later()
        ms = round((time.monotonic() - began) * 1000)
        log.info("mail.stored", event_id=taken.event_id, bytes=taken.size, new=taken.new, copied=taken.copied, ms=ms)
    site.alerts.over(_WRONG_PASSWORD.rule, _DISABLED.rule, _FAILED)
    if taken.copied is False:
        site.alerts.open(_NOT_COPIED)
    elif taken.copied:
        site.alerts.over(_NOT_COPIED.rule)
    return plain("ok", HTTPStatus.OK)


def _posted() -> Posted:
    """The raw body, past every limit on forms (LB-24)."""
    source, length = request.environ["wsgi.input"], request.environ.get("CONTENT_LENGTH")
    chunked = "HTTP_TRANSFER_ENCODING" in request.environ

    def read(size: int) -> bytes:
        try:
            found: bytes = source.read(size)
        except ParseException as broken:  # the server's own word for a chunked body that breaks off
            raise OSError from broken
        return found

    return Posted(read, None if chunked or not length else int(length), request.headers.get("Content-Type", ""))


def _note(site: Site, event: str, alert: Alert, *, once_in: timedelta = timedelta(0)) -> None:
    log.warning(event, env=site.env)
    site.alerts.open(alert, once_in=once_in)


def _stranger() -> Response:
    log.warning("mail.stranger", path=request.path)
    answer = plain("unauthorized", HTTPStatus.UNAUTHORIZED)
    answer.headers["WWW-Authenticate"] = 'Basic realm="mails"'
    return answer


def _later() -> Response:
    return plain("try again later", HTTPStatus.SERVICE_UNAVAILABLE)
