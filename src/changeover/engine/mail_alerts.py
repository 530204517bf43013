"""What people are told of mails: held, unusable, given up, from a new address, or missing (CM-17, CM-18, CM-23)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from changeover.core.plan import Alert, Level
from changeover.sources.csv.suppliers import Supplier
from changeover.store import alerts, facts
from changeover.store.events import EventState

_BY_STATE = {
    EventState.HELD: ("mail_held", "A report by mail was not imported, because its sender is doubtful"),
    EventState.NEEDS_ATTENTION: ("mail_needs_attention", "A supplier's mail needs a person"),
    EventState.FAILED: ("dead_letter", "A mail could not be worked"),
}
_TO_DO = "see `changeover events show`; `changeover events replay` works it again"
_LAST = "mail.last."


def tell(connection: Connection, env: str, event_id: str, state: EventState, reason: str, now: datetime) -> None:
    """Opens the alert of a state that waits for a person; the other states have none."""
    if state in _BY_STATE:
        rule, what = _BY_STATE[state]
        raise_one(connection, env, Alert(rule, _subject(event_id), Level.ERROR, f"{what}: {reason}; {_TO_DO}"), now)


def settle(connection: Connection, env: str, event_id: str, now: datetime) -> None:
    """Closes what was said of a mail."""
    for rule, _ in _BY_STATE.values():
        alerts.resolve(connection, alerts.key_of(env, rule, _subject(event_id)), now)


def not_accepted(carried: Supplier | None) -> Alert | None:
    """A mail of nobody we know that carries a known report: the supplier may have a new address (CM-17)."""
    if carried is None:
        return None
    name = carried.source.entry_source
    text = (
        f"A mail with a report of {name} was ignored, as its sender or subject is not {name}'s. "
        f"If {name} changed them, change [mail] in its supplier file, then `changeover events replay`."
    )
    return Alert("mail_not_accepted", name, Level.ERROR, text)


def raise_one(connection: Connection, env: str, alert: Alert, now: datetime) -> None:
    alerts.open_or_repeat(connection, env, alert, now)


def note_report(connection: Connection, env: str, supplier: Supplier, received: datetime, now: datetime) -> None:
    """A supplier's report has come: it is neither missing nor refused any more."""
    name = supplier.source.entry_source
    last = _last(connection, supplier)
    facts.put(connection, _LAST + name, max(received, last or received).isoformat(), now)
    for rule in ("report_missing", "mail_not_accepted"):
        alerts.resolve(connection, alerts.key_of(env, rule, name), now)


def look_for_missing(connection: Connection, env: str, suppliers: Iterable[Supplier], now: datetime) -> tuple[str, ...]:
    """Opens an alert for each supplier whose report is overdue (CM-23); returns their names.

    Where none has ever come, the time counts from the first look. A missing mail is the real sign of an outage.
    """
    missing: list[str] = []
    for supplier in suppliers:
        name, every = supplier.source.entry_source, supplier.mail.expected_every if supplier.mail else None
        if every is None:
            continue
        last = _last(connection, supplier)
        if last is None:
            facts.put(connection, _LAST + name, now.isoformat(), now)
        elif now - last > every:
            missing.append(name)
            text = f"No report of {name} came by mail for {every.total_seconds() / 3600:.0f} hours: look for an outage"
            alerts.open_once(connection, env, Alert("report_missing", name, Level.ERROR, text), now)
    return tuple(missing)


def _last(connection: Connection, supplier: Supplier) -> datetime | None:
    fact = facts.read(connection, _LAST + supplier.source.entry_source)
    return datetime.fromisoformat(str(fact.value)) if fact else None


def _subject(event_id: str) -> str:
    return f"mail:{event_id}"
