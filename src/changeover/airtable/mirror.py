"""Keeps the stored copy of the base as new as a few reads can make it, and reads it typed; it writes no base."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pyairtable.formulas import BLANK, CREATED_TIME, DATETIME_PARSE, IS_AFTER, LAST_MODIFIED_TIME, OR, Field, Formula
from sqlalchemy import Connection

from changeover.airtable import cells, rows
from changeover.airtable.client import AirtableClient
from changeover.airtable.errors import BillingBlocked, Forbidden, NotFound, SchemaDrift
from changeover.airtable.schema import SchemaFacts, forget_verification, forget_what_an_error_spoils
from changeover.core.plan import Alert, Level
from changeover.store import mirror
from changeover.store.database import Database
from changeover.store.gate import Purpose
from changeover.store.mirror import Cursor, Record

RESERVATIONS: Final = rows.TABLE
CYCLE_TABLES: Final = ("Automation", "ICS Feeds", RESERVATIONS)
DAILY_TABLES: Final = ("Properties", "ICS Cron")

# The fields of a table that are read; None is all (AT-30). Inverse links are in none of them (§1.4).
LISTED: Final[Mapping[str, tuple[str, ...] | None]] = {
    RESERVATIONS: None,
    "Properties": (
        "Property Name",
        "HCP Customer ID",
        "HCP Address ID",
        "HCP Address",
        "Turnover Job Template ID",
        "Return Laundry Job Template ID",
        "Inspection Job Template ID",
    ),
    "Customers": ("Full Name", "First Name", "Last Name", "HCP Customer ID"),
    "ICS Feeds": ("ICS URL", "Feed Status", "Property Name", "Entry Source", "Closed Means"),
    "Property Guest Overrides": ("Guest Name Pattern", "Active", "Original Property", "Override Property"),
    "ICS Cron": (
        "ICS URL",
        "ICS URL VEVENTS #",
        "ICS URL VEVENTS Reservations",
        "First Run",
        "Last Run",
        "ICS URL Response",
    ),
    "Automation": ("Name", "Active", "Last Ran Time", "Sync Details"),
}

_PAGE: Final = 100
_PART: Final = 500  # rows put into the mirror at a time
_MOST_DELETIONS: Final = 20
_DAY_BEGINS: Final = time(3, 0)
_OVERLAP: Final = timedelta(seconds=120)  # a row is stamped a little before its write is answered
_OVERLAP_OWN_CLOCK: Final = timedelta(seconds=300)
_OLDEST_CURSOR: Final = timedelta(hours=24)
_PHOENIX: Final = ZoneInfo("America/Phoenix")
_MARGIN_DAYS: Final = 30  # kept beyond the import window (AT-33)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Which stays the mirror holds: check-out not earlier than LOOKBACK_DAYS + 30 days ago, in the business's zone."""

    zone: ZoneInfo = _PHOENIX
    lookback_days: int = 60

    def first_day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date() - timedelta(days=self.lookback_days + _MARGIN_DAYS)

    def day_began(self, now: datetime) -> datetime:
        """The last 03:00 of the business: a full refresh older than this is due again (AT-33)."""
        local = now.astimezone(self.zone)
        began = datetime.combine(local.date(), _DAY_BEGINS, self.zone)
        return began if began <= local else began - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TableRefresh:
    """What a refresh did with one table: records read, tombstones made."""

    table: str
    full: bool
    read: int
    buried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh did. `alerts` is not empty when it kept rows it should have buried: the run is partial (AT-34).

    `schema_is_stale`: a column was met that the verified schema does not know; the verification has been dropped.
    """

    tables: tuple[TableRefresh, ...]
    alerts: tuple[Alert, ...] = ()
    schema_is_stale: bool = False

    @property
    def partial(self) -> bool:
        return bool(self.alerts)


def refresh(
    client: AirtableClient,
    db: Database,
    *,
    now: datetime,
    schema: SchemaFacts,
    tables: Sequence[str] = CYCLE_TABLES,
    force_full: bool = False,
    horizon: Horizon = Horizon(),
) -> Refresh:
    """Brings the mirror up to the base: three reads when nothing changed (AT-30 … AT-34).

    Properties and ICS Cron are read besides once a day, Properties also when a feed names one that is not known yet.
    Raises the client's errors; a table that was not read to its end keeps its cursor.
    """
    job = _Job(client, db, now, schema, horizon, force_full)
    try:
        done = [job.table(table) for table in dict.fromkeys(tables) if schema.has_table(table)]
        done += [job.table(table) for table in DAILY_TABLES if table not in tables and job.needs_daily(table)]
    except (Forbidden, NotFound, SchemaDrift, BillingBlocked) as error:
        with db.begin() as conn:
            forget_what_an_error_spoils(conn, error)
        raise
    return Refresh(tuple(done), tuple(job.alerts), job.schema_is_stale)


def reread(
    client: AirtableClient, db: Database, schema: SchemaFacts, table: str, record_ids: Sequence[str], purpose: Purpose
) -> set[str]:
    """Reads rows again before anything is refused because of them (AT-36); answers the ids that exist."""
    found = client.read_ids(table, record_ids, purpose, fields=_read_fields(table, schema))
    with db.begin(lasting=False) as conn:
        mirror.put(conn, table, found.values())
    return set(found)


def read_whole(
    client: AirtableClient,
    db: Database,
    *,
    now: datetime,
    schema: SchemaFacts,
    tables: Sequence[str],
    horizon: Horizon = Horizon(),
) -> Refresh:
    """Reads all rows of these tables and no other (AT-36), whatever their cursors say. Raises the client's errors."""
    job = _Job(client, db, now, schema, horizon, force_full=True)
    done = tuple(job.table(table) for table in tables if schema.has_table(table))
    return Refresh(done, tuple(job.alerts), job.schema_is_stale)


def apply_answer(conn: Connection, table: str, records: Iterable[Record]) -> None:
    """A write's answer enters the mirror at once (AT-30)."""
    listed = LISTED.get(table)
    mirror.put(conn, table, (each if listed is None else _only(each, listed) for each in records))


class _Job:
    """One refresh of several tables, with what it found."""

    def __init__(
        self,
        client: AirtableClient,
        db: Database,
        now: datetime,
        schema: SchemaFacts,
        horizon: Horizon,
        force_full: bool,  # passed on from `refresh`
    ) -> None:
        self._client, self._db, self._now, self._schema, self._horizon = client, db, now, schema, horizon
        self._force_full = force_full
        self.alerts: list[Alert] = []
        self.schema_is_stale = False

    def table(self, table: str) -> TableRefresh:
        with self._db.read() as conn:
            cursor, known = mirror.cursor(conn, table), mirror.count(conn, table)
        if cursor is None or self._full_is_due(cursor):
            return self._full(table, daily=True)
        # A small table costs one page either way, and read whole it shows its deletions.
        if table == "Automation" or (table == "ICS Feeds" and known <= _PAGE):
            return self._full(table, daily=False)
        return self._changes(table, cursor)

    def needs_daily(self, table: str) -> bool:
        if not self._schema.has_table(table):
            return False
        with self._db.read() as conn:
            cursor = mirror.cursor(conn, table)
            if cursor is None or self._full_is_due(cursor):
                return True
            return table == "Properties" and bool(_unknown_properties(conn))

    def _full_is_due(self, cursor: Cursor) -> bool:
        too_old = self._now - cursor.cursor > _OLDEST_CURSOR
        return self._force_full or too_old or cursor.full_at < self._horizon.day_began(self._now)

    def _changes(self, table: str, cursor: Cursor) -> TableRefresh:
        since = DATETIME_PARSE(cells.instant_cell(cursor.cursor))
        formula = OR(IS_AFTER(LAST_MODIFIED_TIME(*self._watched(table)), since), IS_AFTER(CREATED_TIME(), since))
        reading = self._client.read(table, Purpose.REFRESH, formula=formula, fields=_read_fields(table, self._schema))
        self._keep(table, reading.records)
        with self._db.begin() as conn:
            self._note_drift(conn, reading.records, table)
            mirror.save_cursor(conn, table, Cursor(self._cursor(reading.at), cursor.full_at))
        return TableRefresh(table, full=False, read=len(reading.records))

    def _full(self, table: str, *, daily: bool) -> TableRefresh:
        first_day = self._horizon.first_day(self._now)
        formula = _from_day(first_day) if table == RESERVATIONS else None
        reading = self._client.read(table, Purpose.REFRESH, formula=formula, fields=_read_fields(table, self._schema))
        with self._db.read() as conn:
            before = mirror.cursor(conn, table)
            there = {each.id for each in reading.records}
            missing = [each for each in mirror.each(conn, table) if each.id not in there]
            dead = mirror.tombstones(conn, table)
        left = [each.id for each in (*missing, *dead) if table == RESERVATIONS and _before(each, first_day)]
        looked_for = sorted({each.id for each in missing} - set(left))
        gone, moved = self._look_for(table, looked_for, [each.id for each in reading.records])
        full_at = self._now if daily or before is None else before.full_at
        self._keep(table, [*reading.records, *moved])
        with self._db.begin() as conn:
            self._note_drift(conn, [*reading.records, *moved], table)
            mirror.forget(conn, table, left)
            mirror.bury(conn, table, gone, self._now)
            mirror.save_cursor(conn, table, Cursor(self._cursor(reading.at), full_at))
        return TableRefresh(table, full=True, read=len(reading.records), buried=tuple(gone))

    def _look_for(self, table: str, record_ids: Sequence[str], there: Sequence[str]) -> tuple[list[str], list[Record]]:
        """Reads each missing row by id: those that are gone, and those that are there after all (AT-34).

        A row that may not be read is gone only if another one, of those that are there, may: else our right is.
        """
        if len(record_ids) > _MOST_DELETIONS:
            text = f"{len(record_ids)} rows of {table} are missing at once: none was taken for deleted"
            self.alerts.append(Alert("suspect_deletions", table, Level.ERROR, text))
            return [], []
        gone: list[str] = []
        found: list[Record] = []
        refused = False
        for record_id in record_ids:
            try:
                found.append(self._client.get(table, record_id, Purpose.REFRESH))
            except (NotFound, Forbidden) as error:
                gone.append(record_id)
                refused = refused or isinstance(error, Forbidden)
        if refused and there:
            self._client.get(table, there[0], Purpose.REFRESH)
        return gone, found

    def _keep(self, table: str, records: Sequence[Record]) -> None:
        """Part by part, lest a mail that comes in wait for ten thousand rows (O-3).

        They are true by themselves, and until the cursor is saved the next refresh reads them all again.
        """
        for part in mirror.chunks(records, _PART):
            with self._db.begin() as conn:
                apply_answer(conn, table, part)

    def _note_drift(self, conn: Connection, records: Sequence[Record], table: str) -> None:
        if any(not self._schema.has(table, name) for each in records for name in each.fields):
            self.schema_is_stale = True
            forget_verification(conn, drift=False)

    def _cursor(self, at: datetime | None) -> datetime:
        return at - _OVERLAP if at is not None else self._now - _OVERLAP_OWN_CLOCK

    def _watched(self, table: str) -> list[Field]:
        """The fields whose change counts: the listed ones, so inverse links do not; computed ones cannot (AT-31)."""
        names = _read_fields(table, self._schema) or []
        return [Field(name) for name in names if not self._schema.computed(table, name)]


def _read_fields(table: str, schema: SchemaFacts) -> list[str] | None:
    """The listed fields that the base has; None for all."""
    listed = LISTED[table]
    return None if listed is None else [name for name in listed if schema.has(table, name)]


def _from_day(first_day: date) -> Formula:
    """Rows with no check-out, or one on this day or later."""
    check_out = Field(rows.CHECK_OUT)
    eve = DATETIME_PARSE((first_day - timedelta(days=1)).isoformat())
    return OR(check_out.eq(BLANK()), IS_AFTER(check_out, eve))


def _before(record: Record, first_day: date) -> bool:
    """Whether a row has left the horizon."""
    value = cells.text(record.fields.get(rows.CHECK_OUT))
    return bool(value) and value < first_day.isoformat()


def _only(record: Record, names: Iterable[str]) -> Record:
    return Record(record.id, record.created, {name: record.fields[name] for name in names if name in record.fields})


# -- typed rows ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Property:
    """A home. Of several linked customers the first counts (airtable.md §1.2)."""

    record_id: str
    name: str
    customer: str
    address_id: str
    address: str
    turnover_template: str
    laundry_template: str
    inspection_template: str


@dataclass(frozen=True, slots=True)
class Feed:
    """An ICS Feeds record as people filled it; `url` is a secret."""

    record_id: str
    url: str
    status: str
    properties: tuple[str, ...]
    entry_source: str
    closed_means: str
    created: datetime


def reservations(conn: Connection) -> Iterator[Record]:
    """All mirrored rows of Reservations, history included, one by one; `rows.to_stays` makes stays of them."""
    return mirror.each(conn, RESERVATIONS)


def tombstones(conn: Connection) -> tuple[Record, ...]:
    """Reservations that people deleted (AT-35)."""
    return mirror.tombstones(conn, RESERVATIONS)


def properties(conn: Connection) -> tuple[Property, ...]:
    return tuple(to_property(each) for each in mirror.load(conn, "Properties"))


def property_of(conn: Connection, record_id: str) -> Property | None:
    """One home; None where the mirror has none of this id, or a person deleted it."""
    if any(each.id == record_id for each in mirror.tombstones(conn, "Properties")):
        return None
    found = mirror.find(conn, "Properties", [record_id]).get(record_id)
    return None if found is None else to_property(found)


def feeds(conn: Connection) -> tuple[Feed, ...]:
    return tuple(_feed(each) for each in mirror.load(conn, "ICS Feeds"))


def to_property(record: Record) -> Property:
    """A home's record as it is used."""
    text = _texts(record)
    return Property(
        record_id=record.id,
        name=text("Property Name"),
        customer=next(iter(cells.links(record.fields.get("HCP Customer ID"))), ""),
        address_id=text("HCP Address ID"),
        address=text("HCP Address"),
        turnover_template=text("Turnover Job Template ID"),
        laundry_template=text("Return Laundry Job Template ID"),
        inspection_template=text("Inspection Job Template ID"),
    )


def _feed(record: Record) -> Feed:
    text = _texts(record)
    return Feed(
        record_id=record.id,
        url=text("ICS URL").strip(),
        status=text("Feed Status"),
        properties=cells.links(record.fields.get("Property Name")),
        entry_source=text("Entry Source"),
        closed_means=text("Closed Means"),
        created=record.created,
    )


def _texts(record: Record) -> Callable[[str], str]:
    return lambda name: cells.text(record.fields.get(name))


def _unknown_properties(conn: Connection) -> set[str]:
    known = {each.id for each in mirror.load(conn, "Properties")}
    linked = {key for each in mirror.load(conn, "ICS Feeds") for key in cells.links(each.fields.get("Property Name"))}
    return linked - known
