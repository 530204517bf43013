"""The tables of the state database (SQLite and PostgreSQL from the same definitions); no query stands here."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware instant, stored in UTC; a naive datetime is refused (LB-25)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a naive datetime cannot be stored: {value.isoformat()}"
            raise ValueError(message)
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


Id = BigInteger().with_variant(Integer, "sqlite")

# Single facts by name: verification results, fencing counter, daily marks.
facts = Table(
    "facts",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)

# The mirror of the base (AT-30). `deleted_at` makes a row a tombstone.
mirror_records = Table(
    "mirror_records",
    metadata,
    Column("table_name", String(80), primary_key=True),
    Column("record_id", String(20), primary_key=True),
    Column("created_time", Instant, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("deleted_at", Instant),
)
mirror_cursors = Table(
    "mirror_cursors",
    metadata,
    Column("table_name", String(80), primary_key=True),
    Column("cursor", Instant, nullable=False),
    Column("full_at", Instant, nullable=False),
)

# One row per calendar feed (P-37).
feeds = Table(
    "feeds",
    metadata,
    Column("record_id", String(20), primary_key=True),
    Column("urls", JSON, nullable=False),  # newest first: rows made under an earlier URL stay the feed's
    Column("body", LargeBinary),  # last good body, compressed
    Column("etag", Text),
    Column("last_modified", Text),
    Column("raw_hash", String(64)),
    Column("canonical_hash", String(64)),
    Column("read_on", Date),  # the business's date the observations were made for
    Column("settings_hash", String(64)),
    Column("observations", JSON),
    Column("trusted_count", Integer),
    Column("low_count", Integer),  # the count of a suspect fetch, waiting to be confirmed
    Column("last_success", Instant),
    Column("failures", Integer, nullable=False, default=0),
    Column("extra", JSON, nullable=False, default=dict),
)

# What each source last showed of each stay, with its misses.
sightings = Table(
    "sightings",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("record_id", String(80), primary_key=True),
    Column("uids", JSON, nullable=False),
    Column("check_in", Date, nullable=False),
    Column("check_out", Date, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("block_type", String(40), nullable=False, default=""),
    Column("entry_source", String(80), nullable=False),
    Column("misses", Integer, nullable=False, default=0),
    Column("missing_since", Instant),
    Column("last_seen", Instant),
    Column("gone", Boolean, nullable=False, default=False),
    Column("next_is_owner", Boolean, nullable=False, default=False),
    Index("ix_sightings_record_id", "record_id"),
)

# What a sync last wrote into the two fields that people may take over (R-59, AT-3).
written_types = Table(
    "written_types",
    metadata,
    Column("record_id", String(80), primary_key=True),
    Column("service_type", String(80), nullable=False),
    Column("block_type", String(80), nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("record_id", String(80), primary_key=True),
    Column("property_id", String(20), nullable=False),
    Column("check_in", Date, nullable=False),
    Column("check_out", Date, nullable=False),
    Column("since", Instant, nullable=False),
    Column("decision", String(20), nullable=False),
    Column("reason", String(20), nullable=False),
)

# One row per automation of a cycle (C-18).
runs = Table(
    "runs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("cycle", String(40), nullable=False),
    Column("env", String(8), nullable=False),
    Column("automation", String(80), nullable=False),
    Column("trigger", String(20), nullable=False),
    Column("who", String(120)),
    Column("dry_run", Boolean, nullable=False, default=False),
    Column("state", String(24), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("counters", JSON, nullable=False, default=dict),
    Column("error_code", String(80)),
    Column("error_text", Text),
    Column("version", String(40), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("token", Id, nullable=False, default=0),
    Column("config_hash", String(64)),
    Index("ix_runs_started_at", "started_at"),
    Index("ix_runs_cycle", "cycle"),
)

plans = Table(
    "plans",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("body", JSON, nullable=False),
)

# Intended outside writes and their receipts (AT-40, AT-45, AT-53).
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("run_id", String(40), nullable=False),
    Column("phase", Integer, nullable=False),
    Column("table_name", String(80), nullable=False),
    Column("method", String(8), nullable=False),  # create | update
    Column("record_id", String(20)),  # of an update; of a create after its receipt
    Column("dedupe_key", String(64)),
    Column("fields", JSON, nullable=False),
    Column("previous", JSON, nullable=False, default=dict),
    Column("after_id", Id),  # the history copy whose receipt it waits for
    Column("state", String(12), nullable=False),  # pending | sending | done | failed | dropped
    Column("attempts", Integer, nullable=False, default=0),
    Column("error_code", String(80)),
    Column("error_text", Text),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("done_at", Instant),
    Index("ix_deliveries_state_phase", "state", "phase"),
    Index("ix_deliveries_run_id", "run_id"),
    Index("ix_deliveries_record_id", "record_id"),
)

# The one lease per environment (C-30), and short locks.
leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", String(80), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("pid_started", String(40), nullable=False),
    Column("heartbeat", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("token", Id, nullable=False),
)

# Pacing, pauses and the month's meter of one base, shared by all processes (AT-24, AT-38).
gates = Table(
    "gates",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("sent", JSON, nullable=False),  # epoch seconds of the requests of the last rolling window
    Column("paused_until", Instant),
    Column("slow_until", Instant),
    Column("blocked_at", Instant),
    Column("click_waits_until", Instant),  # while a click waits, batches leave it one slot (AT-24)
    Column("failures", Integer, nullable=False, server_default="0"),  # requests in a row without an answer (C-65)
    Column("opened_at", Instant),  # since when the service is left alone
    Column("probe_at", Instant),  # when it is asked next meanwhile
)
meters = Table(
    "meters",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("purpose", String(20), primary_key=True),
    Column("calls", Integer, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("rule", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("level", String(12), nullable=False),
    Column("text", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("resolved_at", Instant),
    Column("run_id", String(40)),
)

# The switches of the control table as last read (C-13).
automation_flags = Table(
    "automation_flags",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("record_id", String(20)),
    Column("active", Boolean, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("read_at", Instant, nullable=False),
)

# What came from outside and waits for a person or a worker, or did (R-18); `payload` may hold guests' names.
events = Table(
    "events",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("summary", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Index("ix_events_state", "state"),
    Index("ix_events_kind_received_at", "kind", "received_at"),
)

# Suppliers' reports: the newest imported of each source (R-21), addresses Tab 1 has shown (R-33), moves to make (F-2).
report_imports = Table(
    "report_imports",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("imported_at", Instant, nullable=False),
)
report_addresses = Table(
    "report_addresses",
    metadata,
    Column("listing", String(40), primary_key=True),
    Column("address", String(300), primary_key=True),
    Column("shown_at", Instant, nullable=False),
)
report_moves = Table(
    "report_moves",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("folder", String(20), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("rejected_rows", Text),
)

# Which mail carries which report (CM-14): the second one with the same key is a copy.
mail_claims = Table(
    "mail_claims",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("event_id", String(40), nullable=False),
    Column("at", Instant, nullable=False),
)

# Jobs that are being made (J-48): what was ordered, how far it got. A row is gone once its stay's row says it all.
job_intents = Table(
    "job_intents",
    metadata,
    Column("record_id", String(20), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("wanted", JSON, nullable=False),
    Column("job_id", String(80)),
    Column("created_at", Instant, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=1),
    Column("error", Text),
)

# Jobs as last read (J-76), and what of them must be remembered beside the base.
job_cache = Table(
    "job_cache",
    metadata,
    Column("job_id", String(80), primary_key=True),
    Column("record_id", String(20)),
    Column("updated_at", Instant),  # the service's own clock
    Column("applied_at", Instant),
    Column("body", JSON, nullable=False, default=dict),
    Column("unscheduled_at", Instant),  # when ON_REMOVED took its schedule away, which happens once (J-64)
    Column("conflict", JSON),  # the line of ours that people's words stood against, and the job's state then (J-100)
    Index("ix_job_cache_record_id", "record_id"),
)

# What work on jobs wrote, to rows and to jobs, with what was there before (B-9).
job_writes = Table(
    "job_writes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("cause", String(40), nullable=False),  # the run, or what else had it made
    Column("kind", String(12), nullable=False),
    Column("record_id", String(20), nullable=False),
    Column("job_id", String(80), nullable=False),  # "" while it is being made
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("at", Instant, nullable=False),
    Column("refused", Boolean, nullable=False, default=False),  # it was not applied
    Index("ix_job_writes_cause", "cause"),
    Index("ix_job_writes_record_id", "record_id"),
    Index("ix_job_writes_at", "at"),
)

# What people asked for by button or API, one at a time per row (J-105).
operations = Table(
    "operations",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("action", String(40), nullable=False),
    Column("record_id", String(20), nullable=False),
    Column("state", String(12), nullable=False),
    Column("answer", JSON),
    Column("requested_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("who", String(120)),
    Index("ix_operations_requested_at", "requested_at"),
)
Index(
    "uq_operations_open",
    operations.c.record_id,
    unique=True,
    sqlite_where=operations.c.state == "open",
    postgresql_where=operations.c.state == "open",
)

# Webhooks as they came in (J-72), beside their events: the raw bytes, which job they are about, how often they came.
hooks = Table(
    "hooks",
    metadata,
    Column("event_id", String(40), primary_key=True),
    Column("job_id", String(80)),
    Column("body", LargeBinary, nullable=False),
    Column("repeats", Integer, nullable=False, default=0),
    Index("ix_hooks_job_id", "job_id"),
)
