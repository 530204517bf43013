"""What the last look at the base's schema gave, kept for those who may not ask the base: the types of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from changeover.airtable.cells import COMPUTED
from changeover.airtable.rows import FINAL_SERVICE_TIME
from changeover.airtable.rows import TABLE as RESERVATIONS
from changeover.airtable.schema.live import LiveTable
from changeover.store import facts

VERIFICATION: Final = "airtable.verification"


@dataclass(frozen=True, slots=True)
class SchemaFacts:
    """Field types by table and field name."""

    types: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, live: Mapping[str, LiveTable]) -> SchemaFacts:
        return cls({table.name: {each.name: each.type for each in table.fields.values()} for table in live.values()})

    def has_table(self, table: str) -> bool:
        return table in self.types

    def has(self, table: str, field: str) -> bool:
        return field in self.types.get(table, {})

    def computed(self, table: str, field: str) -> bool:
        return self.types.get(table, {}).get(field) in COMPUTED

    def copied(self, table: str) -> tuple[str, ...]:
        """The fields a history copy carries: all that can be written, attachments excepted (AT-47)."""
        return tuple(
            name
            for name, kind in self.types.get(table, {}).items()
            if kind not in COMPUTED and kind != "multipleAttachments"
        )

    @property
    def final_service_time(self) -> bool:
        """Whether Final Service Time may be written: a plain dateTime field (AT-10)."""
        return self.types.get(RESERVATIONS, {}).get(FINAL_SERVICE_TIME) == "dateTime"


class NotVerified(LookupError):
    """Nobody has looked at the base's schema yet: `verify` comes first (AT-12)."""


def load_facts(conn: Connection) -> SchemaFacts:
    """The facts of the last verification, however old. Raises NotVerified when there was none."""
    fact = facts.read(conn, VERIFICATION)
    types = fact.value.get("types") if fact is not None and isinstance(fact.value, Mapping) else None
    if not isinstance(types, Mapping):
        raise NotVerified(VERIFICATION)
    return SchemaFacts(
        {
            table: {name: str(kind) for name, kind in fields.items()}
            for table, fields in types.items()
            if isinstance(fields, Mapping)
        }
    )
