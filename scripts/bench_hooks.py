"""Webhooks of Housecall Pro: how soon they are acknowledged, and how soon a change there stands in the base."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench_mail import acknowledgements, by_turns, stored
from bench_model import Finding, Sizes
from bench_office import RESERVATIONS, Office
from bench_program import bare, serving, working
from bench_world import business, call
from mail_load import Door, Load, percentile

SYNC = "Sync Service Jobs"
PATH = "/webhooks/hcp-dev"
HOMES = 150
HANDS = 8  # changes that are made at the same time where one is slow
PATIENCE = 120.0
REFUSED = 429
SHOWN_BY = {
    "reschedule": "Scheduled Service Time",
    "assign": "Assignee",
    "start": "Job Status",
    "on_my_way": "On My Way Time",
}
"""What people do in turn, and the field of the row that shows it."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was done in the app: to which row's job, what, and when by our clock."""

    record_id: str
    action: str
    at: float


def webhooks(sizes: Sizes) -> Iterator[Finding]:
    """Signed job events arrive whether or not the last one was answered; then changes in Housecall Pro reach the base.

    The changes are each of another job, so that no two of them can be told by one row: moved, somebody assigned,
    started, on the way, in turn. The stand-in sends their webhooks itself; the stand-ins of Airtable and of Housecall
    Pro refuse the sixth request of a second. Seconds run from the person's click to the arrival of the request that
    writes the row.
    """
    yield from _acknowledged(sizes)
    yield from _followed(sizes)


def _acknowledged(sizes: Sizes) -> Iterator[Finding]:
    with business(1, 0, rows=False) as made, serving(made) as url, bare() as other:
        office = Office(made)
        door = Door(f"{url}{PATH}", office.keys["HCP_COMPANY_ID"], office.keys["HCP_WEBHOOK_SECRET"])
        sides = by_turns(Load(door, sizes.hooks, sizes.hook_seconds, hooks=True), f"{other}{PATH}", made.folder)
        yield from acknowledgements(f"{sizes.hooks} webhooks/s for {sizes.hook_seconds} s", sides)
        sent = sum(each.accepted for each in sides.ours)
        yield Finding("webhooks in the database, acknowledged", str(stored(made.folder, "hcp")), str(sent), "–", "all")


def _followed(sizes: Sizes) -> Iterator[Finding]:
    number = sizes.changes * sizes.hook_seconds
    with business(1, 0, rows=False) as made:
        office = Office(made)
        office.open(min(HOMES, number))
        rows = office.add_stays(number, office.add_jobs(number))
        made.run("--only", SYNC)
        with serving(made) as url, working(made):
            call(f"{office.hcp}/_sandbox/webhooks", {"env": "dev", "url": f"{url}{PATH}"})
            office.limits(office.hcp, enforce=True, requests_per_second=5)
            base_from, hcp_from = office.next(made.airtable), office.next(office.hcp)
            changes = _made(office, rows, sizes.changes)
            _settle(office)
        base, _ = office.requests(made.airtable, base_from)
        hcp, _ = office.requests(office.hcp, hcp_from)
        yield from _findings(sizes, changes, base, hcp)
        made.run("--only", SYNC)
        mended, _ = office.requests(made.airtable, base_from + len(base))
        untrue = sum(len(each["body"]["records"]) for each in mended if _writes(each))
        yield Finding("… rows that say something else than their job at the end", str(untrue), "–", "–", "0")


def _findings(
    sizes: Sizes, changes: Sequence[Change], base: Sequence[Mapping[str, Any]], hcp: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    took = _seconds(changes, base)
    what = f"{sizes.changes} changes/s in Housecall Pro for {sizes.hook_seconds} s: the row shows it, median"
    yield Finding(what, f"{percentile(took, 0.5):.1f} s", "–", "–", "–")
    yield Finding("… p99", f"{percentile(took, 0.99):.1f} s", "–", "–", "≤ 5 s")
    yield Finding("… slowest", f"{percentile(took, 1.0):.1f} s", "–", "–", "–")
    yield Finding("… changes that no row shows", str(len(changes) - len(took)), "–", "–", "0")
    patches = sum(_writes(each) for each in base)
    refused = sum(each["status"] == REFUSED for each in (*base, *hcp))
    yield Finding("… requests that write rows, calls to Housecall Pro", f"{patches}, {len(hcp)}", "–", "–", "–")
    yield Finding("… refusals (429) of both services", str(refused), "–", "–", "0")


def _made(office: Office, rows: Sequence[str], a_second: int) -> list[Change]:
    """One change of each row's job, at a steady pace."""
    jobs = {key: str(cells["Service Job ID"]) for key, cells in office.rows().items()}
    actions = tuple(SHOWN_BY)
    began = time.time()

    def one(number: int) -> Change:
        record_id, action = rows[number], actions[number % len(actions)]
        time.sleep(max(0.0, began + number / a_second - time.time()))
        at = time.time()
        order = {"action": action, **_more(office, action, number)}
        call(f"{office.hcp}/_sandbox/jobs/{jobs[record_id]}/actions", order)
        return Change(record_id, action, at)

    with ThreadPoolExecutor(HANDS) as hands:
        return list(hands.map(one, range(len(rows))))


def _more(office: Office, action: str, number: int) -> dict[str, object]:
    if action == "assign":
        return {"employee_ids": [office.people[number % len(office.people)]]}
    if action != "reschedule":
        return {}
    start = office.starts(number) + timedelta(hours=2)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}


def _settle(office: Office) -> None:
    """Until every webhook is sent and worked; not for ever: what no row shows by then is counted."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and (call(f"{office.hcp}/_sandbox/deliveries")["waiting"] or _waiting(office)):
        time.sleep(0.2)


def _waiting(office: Office) -> int:
    path = office.made.folder / "var" / "dev" / "state.db"
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
        query = "SELECT count(*) FROM events WHERE kind = 'hcp' AND state = 'received'"
        return int(database.execute(query).fetchone()[0])


def _seconds(changes: Sequence[Change], base: Sequence[Mapping[str, Any]]) -> list[float]:
    """From each change to the first writing request after it that has its field; those that none has are left out."""
    written: dict[tuple[str, str], list[float]] = {}
    for each in filter(_writes, base):
        at = datetime.fromisoformat(str(each["at"])).astimezone(UTC).timestamp()
        for record in each["body"]["records"]:
            for name in record["fields"]:
                written.setdefault((record["id"], name), []).append(at)
    shown = [(each, written.get((each.record_id, SHOWN_BY[each.action]), [])) for each in changes]
    return [min(later) - each.at for each, at in shown if (later := [one for one in at if one >= each.at])]


def _writes(request: Mapping[str, Any]) -> bool:
    ours = request["method"] == "PATCH" and str(request["path"]).endswith(f"/{RESERVATIONS}")
    return ours and request["status"] == 200  # noqa: PLR2004 - written
