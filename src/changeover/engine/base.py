"""The base at the start of a run: is it ours, has it what we need, what do its switches say, what is new in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from changeover.airtable import controls, mirror, schema
from changeover.airtable.client import AirtableClient
from changeover.airtable.errors import (
    AirtableError,
    BillingBlocked,
    Forbidden,
    RateLimited,
    Unauthorized,
    Unavailable,
    WrongBase,
)
from changeover.airtable.mirror import Horizon
from changeover.airtable.schema import BaseSpec, SchemaFacts, Verification
from changeover.core.plan import Alert, Level
from changeover.core.stay import Rules
from changeover.engine.outcome import Failure
from changeover.store import flags
from changeover.store.database import Database
from changeover.store.flags import Flag
from changeover.store.runs import RunState

_FLAGS_LAST = timedelta(hours=24)
_SWITCHES = ("Automation",)
_ROWS = ("ICS Feeds", "Reservations")


@dataclass(frozen=True, slots=True)
class Base:
    """The base as this run found it. `failure` says why no plan may be made on it (C-5); `alerts` what people hear."""

    facts: SchemaFacts | None = None
    verification: Verification | None = None
    flags: tuple[Flag, ...] | None = None
    flags_from: datetime | None = None  # set when the switches are those of an earlier run (C-13)
    failure: Failure | None = None
    alerts: tuple[Alert, ...] = ()

    def gate(self, automation: str) -> RunState | None:
        """The state of an automation that must not run, None for one that may (C-10 … C-14)."""
        if self.flags is None:
            return RunState.CONTROL_UNAVAILABLE
        flag = next((each for each in self.flags if each.name == automation), None)
        if flag is None:
            return RunState.NOT_CONFIGURED
        return None if flag.active else RunState.DISABLED

    def drift(self, automation: str) -> Failure | None:
        """What the automation misses in the base: then it must not write anything (AT-12, R-5)."""
        findings = self.verification.blocked.get(automation, ()) if self.verification else ()
        if not findings:
            return None
        return Failure("schema_drift", "; ".join(str(each) for each in findings))


@dataclass(frozen=True, slots=True)
class Reread:
    """How reading tables of the base again went: what stood in the way, and what people should know."""

    failure: Failure | None = None
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the base for a run. WrongBase is the only error that comes out: then nothing at all may run (AT-11)."""

    client: AirtableClient
    db: Database
    spec: BaseSpec
    env: str
    now: datetime
    version: str
    rules: Rules

    def verify_and_switches(self) -> Base:
        """Marker, schema and switches, in this order (C-3)."""
        base = Base()
        try:
            found = schema.verify(self.client, self.db, self.spec, self.env, now=self.now, version=self.version)
            base = replace(base, verification=found, facts=found.facts, alerts=found.alerts)
            self._refresh(found.facts, _SWITCHES)
        except WrongBase:
            raise
        except AirtableError as error:
            return self._with_known_flags(replace(base, failure=failure_of(error)))
        with self.db.begin() as connection:
            read = controls.read_flags(connection, self.now)
            flags.replace_all(connection, read)
            overwritten = controls.foreign_results(connection)
        return replace(base, flags=read, alerts=(*base.alerts, *overwritten))

    def rows(self, base: Base) -> Base:
        """Feeds and reservations as they are now; without them no plan is made (C-5)."""
        if base.facts is None or base.failure is not None:
            return base
        try:
            refreshed = self._refresh(base.facts, _ROWS)
            if refreshed.schema_is_stale:
                base = self._verify_again(base)
        except WrongBase:
            raise
        except AirtableError as error:
            return replace(base, failure=failure_of(error))
        return replace(base, alerts=(*base.alerts, *refreshed.alerts))

    def again(self, base: Base, tables: Sequence[str], *, whole: bool = False) -> Reread:
        """Tables that only some automation needs, brought up to the base (AT-32); `whole` reads all rows (AT-36)."""
        if base.facts is None:
            return Reread(base.failure)
        read = mirror.read_whole if whole else mirror.refresh
        horizon = Horizon(self.rules.zone, self.rules.lookback_days)
        try:
            found = read(self.client, self.db, now=self.now, schema=base.facts, tables=tables, horizon=horizon)
        except AirtableError as error:
            return Reread(failure_of(error))
        return Reread(alerts=found.alerts)

    def _verify_again(self, base: Base) -> Base:
        found = schema.verify(self.client, self.db, self.spec, self.env, now=self.now, version=self.version, fresh=True)
        return replace(base, verification=found, facts=found.facts, alerts=(*base.alerts, *found.alerts))

    def _refresh(self, facts: SchemaFacts, tables: Sequence[str]) -> mirror.Refresh:
        horizon = Horizon(self.rules.zone, self.rules.lookback_days)
        return mirror.refresh(self.client, self.db, now=self.now, schema=facts, tables=tables, horizon=horizon)

    def _with_known_flags(self, base: Base) -> Base:
        """The switches as last read, when that was within a day (C-13); else nobody knows them (C-14)."""
        with self.db.read() as connection:
            known = flags.load_all(connection)
        if not known or self.now - max(each.read_at for each in known) > _FLAGS_LAST:
            text = f"the control table cannot be read: {base.failure.text if base.failure else ''}"
            alert = Alert("airtable_down", "control", Level.ERROR, text)
            return replace(base, alerts=(*base.alerts, alert))
        return replace(base, flags=known, flags_from=max(each.read_at for each in known))


def failure_of(error: AirtableError) -> Failure:
    """What an error of the base means for a run: its word, a text for people, and whose it is to mend."""
    if isinstance(error, Unauthorized):
        text = "Airtable does not accept AIRTABLE_API_KEY"
        return Failure("credential_refused", text, configuration=True)
    if isinstance(error, Forbidden) and not error.locked:
        text = "AIRTABLE_API_KEY has no access to the base AIRTABLE_BASE_ID, or there is no such base"
        return Failure("credential_refused", text, configuration=True)
    if isinstance(error, BillingBlocked):
        return Failure("billing_blocked", "the month's Airtable calls are used up", unreachable=True)
    if isinstance(error, RateLimited):
        return Failure("rate_limited", "Airtable asks to wait (429)", unreachable=True)
    if isinstance(error, Unavailable):
        return Failure("airtable_error", f"Airtable does not answer ({error.code})", unreachable=True)
    return Failure("airtable_error", f"Airtable refused: {error}")
