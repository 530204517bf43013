"""One mail's work: from stored bytes to files in the inbox, a state and alerts (CM-8, step 7); it imports no file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from changeover.core.plan import Alert
from changeover.engine import mail_alerts
from changeover.engine.lines import WAITS
from changeover.engine.mail_fetch import NotFetched
from changeover.engine.stop import Stopped
from changeover.ops import logging
from changeover.sources.csv import inbox
from changeover.sources.csv.read import recognise
from changeover.sources.csv.suppliers import Supplier
from changeover.sources.ics.fetch import Retriable
from changeover.sources.mail.attachments import Found, Trouble, may_hold_csv, reports_of
from changeover.sources.mail.identity import message_digest, report_key
from changeover.sources.mail.mail import Attachment, Mail, NotAMail
from changeover.sources.mail.naming import inbox_name, received
from changeover.sources.mail.policy import Acceptance, Ruling, judge
from changeover.sources.mail.read import read
from changeover.store import events, mail_claims
from changeover.store.database import Database
from changeover.store.events import Event, EventState
from changeover.store.facts import Json

log = logging.get(__name__)

_WEIGHT = {EventState.FAILED: 0, EventState.IGNORED: 0, EventState.HELD: 1}
"""Of two copies the weightier has the report; in every other state it is applied, or being applied."""
_APPLIED = 2


_STOPPED_SECONDS = 60.0


class Again(NamedTuple):
    """The number of a mail's next attempt and the seconds until then; no attempt, 0, when its work is over."""

    attempt: int = 0
    seconds: float = 0.0


OVER = Again()


@dataclass(frozen=True, slots=True)
class Desk:
    """What mails of one environment are worked with. `arrived` is told that reports lie in the inbox.

    `fetch` gets what lies in a store; it raises NotFetched, Retriable, and Stopped while nothing outside may be asked.
    """

    env: str
    folder: Path
    database: Database
    suppliers: Sequence[Supplier]
    fetch: Callable[[Attachment], bytes]
    arrived: Callable[[], None]
    now: Callable[[], datetime]

    @property
    def csv(self) -> Path:
        return self.folder / "csv"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a mail's work ends. `key` claims its report, if nobody has; `reason` quotes nothing of the mail."""

    state: EventState
    reason: str = ""
    supplier: Supplier | None = None
    files: tuple[str, ...] = ()
    key: str = ""
    message: str = ""
    alert: Alert | None = None


def work(desk: Desk, event_id: str) -> Again:
    """Works a mail that is not worked yet. Safe to repeat when cut short at any point: a report is imported once.

    Never raises for what a mail holds; what goes wrong is tried again (C-64). Raises SQLAlchemyError.
    """
    with desk.database.read() as connection:
        event = next(iter(events.find(connection, [event_id])), None)
    if event is None or event.state is not EventState.RECEIVED:
        return OVER
    try:
        ending = _handle(desk, event)
    except Stopped:
        return _later(desk, event)
    except Retriable as failure:
        return _again(desk, event, f"a stored attachment: {failure.cause}")
    except Exception as error:  # the edge of a mail's work: whatever it is, the mail waits for another try
        log.exception("mail.try_failed", event_id=event_id, error=type(error).__name__)
        return _again(desk, event, type(error).__name__)
    _end(desk, event, ending)
    if ending.files:
        desk.arrived()
    return OVER


def _handle(desk: Desk, event: Event) -> Ending:
    """Normalize → policy → claim → attachments → inbox. Raises whatever may be better later."""
    try:
        mail = read(desk.folder / str(event.payload["path"]), str(event.payload["content_type"]))
    except NotAMail as refusal:
        return Ending(EventState.NEEDS_ATTENTION, refusal.reason)
    except FileNotFoundError:
        return Ending(EventState.NEEDS_ATTENTION, "the stored mail is gone")
    ruling = judge(mail, desk.suppliers)
    if ruling.acceptance is not Acceptance.ACCEPTED and not event.payload.get("accepted"):
        return _not_accepted(desk, mail, ruling)
    try:
        mail = _fetched(desk, mail)
    except NotFetched as refusal:
        return Ending(EventState.NEEDS_ATTENTION, str(refusal), ruling.supplier, message=message_digest(mail))
    return _accepted(desk, event, mail, ruling)


def _not_accepted(desk: Desk, mail: Mail, ruling: Ruling) -> Ending:
    """Ignored, or held for a person's word; nothing of it is fetched or put anywhere (CM-17, CM-18)."""
    held = ruling.acceptance is Acceptance.HELD
    return Ending(
        state=EventState.HELD if held else EventState.IGNORED,
        reason=ruling.reason,
        supplier=ruling.supplier,
        key=report_key(mail),
        message=message_digest(mail),
        alert=None if held else mail_alerts.not_accepted(_carried(mail, desk.suppliers)),
    )


def _carried(mail: Mail, suppliers: Sequence[Supplier]) -> Supplier | None:
    """Whose report a mail carries, by a header row: its sender's address may have changed (CM-17)."""
    found = (recognise(each.content, suppliers) for each in reports_of(mail).reports)
    return next((each for each in found if each is not None), None)


def _fetched(desk: Desk, mail: Mail) -> Mail:
    """The mail with what lies in a store, as far as it may be a report (CM-20). Raises NotFetched, and Retriable."""
    attachments = (
        replace(each, content=desk.fetch(each)) if each.content is None and each.url and may_hold_csv(each) else each
        for each in mail.attachments
    )
    return replace(mail, attachments=tuple(attachments))


def _accepted(desk: Desk, event: Event, mail: Mail, ruling: Ruling) -> Ending:
    key, message = report_key(mail), message_digest(mail)
    with desk.database.begin() as connection:
        owner = _owner(connection, desk, event, key, _APPLIED)
    if owner != event.id:
        return Ending(EventState.DUPLICATE, f"a copy of {owner}", ruling.supplier, message=message)
    found = reports_of(mail)
    files = _put(desk, event, mail, found)
    state = EventState.NEEDS_ATTENTION if found.troubles else EventState.DONE
    return Ending(state, _told(found.troubles), ruling.supplier, files, key, message)


def _put(desk: Desk, event: Event, mail: Mail, found: Found) -> tuple[str, ...]:
    """Puts the reports into the inbox by names that say what they are, so that a repeated step changes nothing."""
    at, asked = received(mail, event.received_at), event.payload.get("asked_at")
    since = datetime.fromisoformat(asked) if isinstance(asked, str) else None
    names = tuple(inbox_name(each, at) for each in found.reports)
    for name, report in zip(names, found.reports, strict=True):
        inbox.put_once(desk.csv, name, report.content, since=since)
    return names


def _told(troubles: Sequence[Trouble]) -> str:
    return "; ".join(troubles)


def _owner(connection: Connection, desk: Desk, event: Event, key: str, weight: int) -> str:
    """Claims the report; the event whose it is (CM-14).

    A mail that is applied takes it over from a copy that was not: a forwarded one that was held, say. And one that is
    held, from one of nobody we know.
    """
    now = desk.now()
    owner = mail_claims.claim(connection, key, event.id, now)
    if owner == event.id:
        return owner
    other = next(iter(events.find(connection, [owner])), None)
    if other is None or weight <= _WEIGHT.get(other.state, _APPLIED):
        return owner
    mail_claims.take_over(connection, key, event.id, now)
    if other.state is EventState.HELD:  # its report is applied: nobody need decide about it any more
        payload = {**other.payload, "reason": f"a copy of {event.id}"}
        events.put(connection, [replace(other, state=EventState.DUPLICATE, payload=payload, ended_at=now)])
        mail_alerts.settle(connection, desk.env, other.id, now)
    return event.id


# -- how it ends -------------------------------------------------------------------------------------------------------


def _end(desk: Desk, event: Event, ending: Ending) -> None:
    """State, claim, alerts and the supplier's last sign of life in one transaction."""
    now = desk.now()
    with desk.database.begin() as connection:
        weight = _WEIGHT.get(ending.state, _APPLIED)
        owner = _owner(connection, desk, event, ending.key, weight) if ending.key else event.id
        if owner != event.id:
            ending = Ending(EventState.DUPLICATE, f"a copy of {owner}", ending.supplier, message=ending.message)
        events.put(connection, [_ended(event, ending, now)])
        mail_alerts.settle(connection, desk.env, event.id, now)
        mail_alerts.tell(connection, desk.env, event.id, ending.state, ending.reason, now)
        if ending.alert is not None:
            mail_alerts.raise_one(connection, desk.env, ending.alert, now)
        if ending.files and ending.supplier is not None:
            mail_alerts.note_report(connection, desk.env, ending.supplier, event.received_at, now)
    log.info(
        "mail.ended",
        event_id=event.id,
        state=ending.state,
        reason=ending.reason,
        supplier=ending.supplier.source.entry_source if ending.supplier else None,
        bytes=event.payload["size"],
        files=len(ending.files),
    )


def _ended(event: Event, ending: Ending, now: datetime) -> Event:
    supplier = ending.supplier.source.entry_source if ending.supplier else ""
    more: dict[str, Json] = {
        "supplier": supplier,
        "files": list(ending.files),
        "reason": ending.reason,
        "message_id": ending.message,
    }
    told = (f"{event.payload['size']} bytes", supplier, str(ending.state), ending.reason, _counted(ending.files))
    return replace(
        event,
        state=ending.state,
        summary=" — ".join(each for each in told if each),
        payload={**event.payload, **more},
        ended_at=now,
    )


def _counted(files: Sequence[str]) -> str:
    return f"{len(files)} file{'' if len(files) == 1 else 's'}" if files else ""


def _again(desk: Desk, event: Event, cause: str) -> Again:
    """Notes a try that failed; after the last one the mail is a dead letter (C-64)."""
    tries, attempt = event.number("tries") + 1, event.number("attempt", 1) + 1
    if tries > len(WAITS):
        give_up(desk, event, f"gave up after {tries} tries: {cause}")
        return OVER
    payload = {**event.payload, "tries": tries, "attempt": attempt, "reason": cause}
    summary = f"{event.payload['size']} bytes — try {tries} failed: {cause}"
    with desk.database.begin() as connection:
        events.put(connection, [replace(event, payload=payload, summary=summary)])
    return Again(attempt, WAITS[tries - 1].total_seconds())


def _later(desk: Desk, event: Event) -> Again:
    """Nothing outside may be asked at the moment (E-8): the mail waits, and that is no failed try."""
    attempt = event.number("attempt", 1) + 1
    with desk.database.begin() as connection:
        events.put(connection, [replace(event, payload={**event.payload, "attempt": attempt})])
    return Again(attempt, _STOPPED_SECONDS)


def give_up(desk: Desk, event: Event, reason: str) -> None:
    """A mail that is not tried any more: it fails, and waits for a person (CM-11)."""
    _end(desk, event, Ending(EventState.FAILED, reason))
