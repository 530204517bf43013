"""The CloudMailin stand-in over HTTP: takes orders under `/_sandbox` and posts mails; nobody calls it for real."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import ValidationError

from changeover_sandbox.cloudmailin.mail import mail_of
from changeover_sandbox.cloudmailin.orders import Format, SendOrder
from changeover_sandbox.cloudmailin.post import Login, Outcome, Posting, Result, login_of, post
from changeover_sandbox.cloudmailin.raw import MessageError
from changeover_sandbox.cloudmailin.render import render
from changeover_sandbox.control import KEY_LENGTH, PREFIX, Call, Control, install_control

MAX_ORDER_BYTES: Final = 256 * 1024 * 1024
"""25 MB are 34 in base64; larger mails show what is refused for its size."""


@dataclass(slots=True)
class Post(Call):
    """One mail posted, in the journal: a call of ours instead of one to us; `outcome` is None while it is under way."""

    format: Format = Format.MULTIPART
    fault: str | None = None
    outcome: Outcome | None = None

    def as_json(self) -> dict[str, object]:
        return {**Call.as_json(self), "format": self.format, "fault": self.fault, "outcome": self.outcome}

    def end(self, result: Result) -> None:
        self.status, self.outcome = result.status, result.outcome


@dataclass(slots=True)
class Outbox:
    """The journal of the mails that went out, and their number."""

    control: Control
    sent: int = field(default=0)

    def note(self, order: SendOrder, login: Login | None) -> Post:
        self.sent += 1
        parts = urlsplit(order.target)
        entry = Post(
            n=self.control.next_n,
            at=datetime.now(UTC),
            method="POST",
            path=parts.path or "/",
            query=parts.query,
            key=login.user[:KEY_LENGTH] if login else "",
            body=b"",
            format=order.format,
            fault=order.fault,
        )
        self.control.next_n += 1
        self.control.calls.append(entry)
        return entry


OUTBOX = web.AppKey("outbox", Outbox)


def create_app() -> web.Application:
    """The server. It keeps nothing: what was sent is the business of those who sent it.

    What goes wrong is ordered with each mail (CM-26); the faults of the control API would spoil calls of a real one,
    and there is none.
    """
    app = web.Application(client_max_size=MAX_ORDER_BYTES)
    app[OUTBOX] = Outbox(install_control(app, reset=lambda: None))
    app.router.add_post(f"{PREFIX}/send", _send)
    return app


async def _send(request: web.Request) -> web.Response:
    """Posts a mail and answers what became of it; 400 with the reason for an order that cannot be meant."""
    outbox = request.app[OUTBOX]
    try:
        order = SendOrder.model_validate_json(await request.read())
        mail = render(mail_of(order, outbox.sent, datetime.now(UTC)), order.format)
    except ValidationError as exc:
        reasons = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()]
        return web.json_response({"error": "; ".join(reasons)}, status=400)
    except MessageError as exc:
        return web.json_response({"error": str(exc)}, status=400)
    login = _login(order)
    entry = outbox.note(order, login)
    result = await post(Posting(order.target, login, mail, order.fault, order.timeout))
    entry.end(result)
    return web.json_response({"outcome": result.outcome, "status": result.status})


def _login(order: SendOrder) -> Login | None:
    """The order's own credentials, else those in the target's address."""
    if order.user is None and order.password is None:
        return login_of(order.target)
    return Login(order.user or "", order.password or "")
