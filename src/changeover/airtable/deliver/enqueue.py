"""Turns a plan into writes in the caller's transaction (AT-40 … AT-42, AT-47); it sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from changeover.airtable import cells, rows
from changeover.airtable.schema import SchemaFacts, load_facts
from changeover.core.plan import Change, Plan, Verb, create_key
from changeover.core.stay import Status, Stay
from changeover.store import deliveries, mirror, written_types
from changeover.store.deliveries import Phase, Write
from changeover.store.mirror import Cell, Fields, Record
from changeover.store.written_types import WrittenTypes

RESTORED_SUMMARY: Final = "Row restored after deletion"
_OLD_JOB: Final = "old_"


class UnknownRow(LookupError):
    """The plan changes a row that the mirror does not hold: it was not made from this mirror."""


def enqueue(
    conn: Connection,
    run_id: str,
    plan: Plan,
    extra: Sequence[Write] = (),
    *,
    schema: SchemaFacts | None = None,
    now: datetime | None = None,
) -> int:
    """Stores the writes of a plan, and others such as ICS Cron and Automation rows; answers how many there are.

    A create that is still on its way from an earlier run is not stored again. Without `schema` the last verification's
    counts. Raises UnknownRow, NotVerified.
    """
    job = _Enqueue(conn, run_id, schema or load_facts(conn), now or datetime.now(UTC), plan)
    number = job.histories_and_updates() + job.creates()
    for phase in (Phase.CRON, Phase.REPORT):
        newer = [each.record_id for each in extra if each.phase is phase and each.record_id]
        deliveries.supersede(conn, phase, newer, job.now)
    return number + len(deliveries.add(conn, run_id, job.not_on_their_way(extra), job.now))


@dataclass(frozen=True, slots=True)
class _Enqueue:
    conn: Connection
    run_id: str
    schema: SchemaFacts
    now: datetime
    plan: Plan

    def histories_and_updates(self) -> int:
        changes = [each for each in self.plan.changes if each.verb is not Verb.NEW]
        raw = mirror.find(self.conn, rows.TABLE, [each.after.record_id for each in changes])
        missing = next((each.after.record_id for each in changes if each.after.record_id not in raw), None)
        if missing is not None:
            raise UnknownRow(missing)
        copies, number = self._histories([raw[each.after.record_id] for each in changes if each.verb is Verb.MODIFY])
        updates = [self._update(each, raw[each.after.record_id], copies) for each in changes]
        return number + len(deliveries.add(self.conn, self.run_id, [each for each in updates if each.fields], self.now))

    def creates(self) -> int:
        new = [each for each in self.plan.changes if each.verb is Verb.NEW]
        lost = mirror.find(self.conn, rows.TABLE, [each.restores for each in new if each.restores])
        writes = [self._create(each, lost.get(each.restores or "")) for each in new]
        written_types.save(self.conn, _written(each.after for each in new))
        return len(deliveries.add(self.conn, self.run_id, self.not_on_their_way(writes), self.now))

    def not_on_their_way(self, writes: Iterable[Write]) -> list[Write]:
        """Without the creates that an earlier run has stored and not finished (AT-44)."""
        writes = list(writes)
        waiting = deliveries.open_keys(self.conn, [each.dedupe_key for each in writes if each.dedupe_key])
        return [each for each in writes if each.dedupe_key not in waiting]

    def _histories(self, live: Sequence[Record]) -> tuple[dict[str, int | None], int]:
        """Stores a copy per row unless an equal one is there, or on its way; answers what each update waits for."""
        names = self.schema.copied(rows.TABLE)
        copies = {record.id: history_copy(record, names) for record in live}
        there = _old_rows(self.conn, {cells.text(each.fields.get(rows.UID)) for each in live})
        waits: dict[str, int | None] = {}
        writes: dict[str, Write] = {}
        for record_id, fields in copies.items():
            if any(cells.agree(old.fields, fields, names) for old in there.get(cells.text(fields.get(rows.UID)), ())):
                waits[record_id] = None  # left from a killed run, used instead of a second copy
            else:
                writes[record_id] = Write(Phase.HISTORY, rows.TABLE, fields, dedupe_key=_key(fields))
        under_way = deliveries.open_keys(self.conn, [each.dedupe_key or "" for each in writes.values()])
        fresh = {key: write for key, write in writes.items() if write.dedupe_key not in under_way}
        ids = deliveries.add(self.conn, self.run_id, list(fresh.values()), self.now)
        waits |= {key: under_way.get(write.dedupe_key or "") for key, write in writes.items()}
        waits |= dict(zip(fresh, ids, strict=True))
        return waits, len(ids)

    def _update(self, change: Change, raw: Record, copies: Mapping[str, int | None]) -> Write:
        if change.before is None:
            raise UnknownRow(change.after.record_id)
        fields = rows.changed_cells(change.before, change.after, final_service_time=self.schema.final_service_time)
        previous = {name: raw.fields.get(name) for name in fields}
        return Write(Phase.UPDATE, rows.TABLE, fields, record_id=raw.id, previous=previous, after=copies.get(raw.id))

    def _create(self, change: Change, lost: Record | None) -> Write:
        stay = change.after
        fields = cells.compact(rows.to_cells(stay, final_service_time=self.schema.final_service_time))
        if lost is not None:
            fields |= _restored(lost, self.schema)
        if change.restores is not None and not stay.change_summary:
            fields["Change Summary"] = RESTORED_SUMMARY
        return Write(Phase.CREATE, rows.TABLE, fields, dedupe_key=_stay_key(stay))


def history_copy(record: Record, names: Iterable[str]) -> dict[str, Cell]:
    """The history row of a live row: the same in these fields but Status Old and `old_` before the job id (AT-47)."""
    copied = cells.compact({name: record.fields.get(name) for name in names})
    copied[rows.STATUS] = str(Status.OLD)
    job_id = cells.text(copied.get(rows.JOB_ID))
    if job_id:
        copied[rows.JOB_ID] = _OLD_JOB + job_id
    return {name: cells.writable(cell) for name, cell in copied.items()}


def _old_rows(conn: Connection, uids: set[str]) -> dict[str, list[Record]]:
    if not uids:
        return {}
    found: dict[str, list[Record]] = {}
    for record in mirror.each(conn, rows.TABLE):
        uid = cells.text(record.fields.get(rows.UID))
        if uid in uids and record.fields.get(rows.STATUS) == Status.OLD:
            found.setdefault(uid, []).append(record)
    return found


def _restored(lost: Record, schema: SchemaFacts) -> dict[str, Cell]:
    """What people and the job side had in the deleted row (AT-35)."""
    kept = {name: lost.fields.get(name) for name in rows.RESTORED if schema.has(rows.TABLE, name)}
    return cells.compact(kept)


def _written(stays: Iterable[Stay]) -> Iterator[WrittenTypes]:
    """What creates write into the two fields people may take over; a restored row may hold a person's words."""
    for stay in stays:
        if stay.wrote_service_type is not None:
            yield WrittenTypes(_stay_key(stay), stay.wrote_service_type, stay.wrote_block_type or "")


def _stay_key(stay: Stay) -> str:
    return create_key(stay.uid, stay.url, stay.status, stay.check_in, stay.check_out)


def _key(fields: Fields) -> str:
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]
