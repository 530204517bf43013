"""The proof before a process's first write: right base, right schema; remembered for a day, dropped when in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from changeover.airtable.cells import text
from changeover.airtable.client import AirtableClient
from changeover.airtable.errors import AirtableError, BillingBlocked, Forbidden, NotFound, SchemaDrift, WrongBase
from changeover.airtable.schema.check import Finding, FindingKind, blocked, compare
from changeover.airtable.schema.facts import VERIFICATION, SchemaFacts, load_facts
from changeover.airtable.schema.live import parse
from changeover.airtable.schema.spec import BaseSpec
from changeover.core.plan import Alert, Level
from changeover.store import facts, mirror
from changeover.store.database import Database
from changeover.store.gate import Purpose

_REMEMBERED: Final = timedelta(hours=24)
_TABLE: Final = "Environment"


@dataclass(frozen=True, slots=True)
class Verification:
    """The base as verified: field types, findings, and by automation the errors that stop it (AT-12)."""

    facts: SchemaFacts
    findings: tuple[Finding, ...] = ()
    remembered: bool = False

    @property
    def blocked(self) -> dict[str, tuple[Finding, ...]]:
        return blocked(self.findings)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """`schema_drift` per field that is in the way; its text names table and field."""
        return tuple(
            Alert("schema_drift", f"{each.table}·{each.field}", Level.CRITICAL, str(each))
            for each in self.findings
            if each.error
        )


def verify(
    client: AirtableClient,
    db: Database,
    spec: BaseSpec,
    env: str,
    *,
    now: datetime,
    version: str,
    fresh: bool = False,
) -> Verification:
    """Marker and schema, in two calls, or none when both were good within a day for this base, key and version (AT-12).

    Raises WrongBase (AT-11, S-6). Errors of the schema are in the result: they stop only the automations concerned.
    """
    print_ = client.fingerprint(f"{version}:{env}")
    if not fresh:
        with db.read() as conn:
            if _remembered(conn, print_, now):
                return Verification(load_facts(conn), remembered=True)
    live = parse(client.meta_tables())
    findings = compare(spec, live)
    if _TABLE in live:
        findings += marker(client, env)
    found = SchemaFacts.of(live)
    good = not any(each.error for each in findings)
    with db.begin() as conn:
        value: facts.Json = {"fingerprint": print_ if good else "", "types": found.types}
        facts.put(conn, VERIFICATION, value, now)
    return Verification(found, tuple(findings))


def marker(client: AirtableClient, env: str) -> list[Finding]:
    """Reads the base's Environment row. Raises WrongBase when it names another environment or there are two (AT-11)."""
    names = [text(each.fields.get("Name")).strip() for each in client.read(_TABLE, Purpose.CHECK).records]
    if len(names) > 1 or (names and names[0] != env):
        raise WrongBase("wrong_base")
    return [] if names else [Finding(FindingKind.MISSING, _TABLE, "Name", "no row names this environment: run init")]


def forget_verification(conn: Connection, *, drift: bool = True) -> None:
    """Drops the memory of the last verification: after a 403, a 404 or an unknown field (AT-12).

    The types stay, for who must not ask the base. With `drift` the next refresh of the mirror is a full one (AT-33).
    """
    fact = facts.read(conn, VERIFICATION)
    if fact is not None and isinstance(fact.value, dict):
        facts.put(conn, VERIFICATION, {**fact.value, "fingerprint": ""}, fact.at)
    if drift:
        mirror.drop_cursors(conn)


def forget_what_an_error_spoils(conn: Connection, error: AirtableError) -> None:
    """What an error of the base makes doubtful: the verification (AT-12), the mirror's cursors (AT-33), or nothing."""
    if isinstance(error, SchemaDrift | NotFound | Forbidden):
        forget_verification(conn, drift=isinstance(error, SchemaDrift))
    elif isinstance(error, BillingBlocked):
        mirror.drop_cursors(conn)


def _remembered(conn: Connection, print_: str, now: datetime) -> bool:
    fact = facts.read(conn, VERIFICATION)
    if fact is None or not isinstance(fact.value, dict):
        return False
    return fact.value.get("fingerprint") == print_ and timedelta(0) <= now - fact.at < _REMEMBERED
