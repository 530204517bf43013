"""Checks of the base and the feeds: key, marker, schema, rows, feeds, the month's calls (D-3, D-4, D-5, D-8, D-15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from changeover import rulefiles
from changeover.airtable import schema
from changeover.airtable.budget import projection
from changeover.airtable.errors import AirtableError, WrongBase
from changeover.airtable.schema import FindingKind
from changeover.doctor.result import Patient, Result, fail, ok, warn
from changeover.engine.base import failure_of
from changeover.sources.ics.feeds import FeedRow, FeedStatus, feed_configs
from changeover.store import mirror

LIVE = ("New", "Modified")
_NAMED = 3  # of several rows at fault, so many are named
_EXPENSIVE = 0.8


def base(patient: Patient) -> Iterator[Result]:
    """D-3, D-4: the key opens the base, the base is this environment's, and it has what the automations need."""
    env = patient.settings.environment
    try:
        findings = schema.check(patient.client, _spec(patient))
        named = schema.marker(patient.client, env) if patient.rows.get("Environment") else []
    except WrongBase:
        yield fail("marker", f"the base's Environment row does not say {env}", "correct AIRTABLE_BASE_ID")
        return
    except AirtableError as error:
        yield fail("airtable", failure_of(error).text, "see AIRTABLE_API_KEY, AIRTABLE_BASE_ID and its scopes")
        return
    yield ok("airtable", "the key opens the base")
    if not patient.rows.get("Environment") or named:
        yield warn("marker", "no row of the table Environment names this base", f"changeover airtable init --env {env}")
    else:
        yield ok("marker", f"the base says {env}")
    yield from _schema(patient, findings)


def _schema(patient: Patient, findings: list[schema.Finding]) -> Iterator[Result]:
    needed = {each for name, found in schema.blocked(findings).items() if name in patient.ticked for each in found}
    serious = [each for each in findings if each.kind not in (FindingKind.MANUAL, FindingKind.OPTIONAL)]
    for each in serious:
        place = f"{each.table} · {each.field}" if each.field else each.table
        do = f"changeover airtable init --env {patient.settings.environment}"
        report = fail if each in needed else warn
        yield report("schema", f"{place}: {each.text}", f"{do} --add-options" if each.kind == "option" else do)
    if not serious:
        yield ok("schema", "every table, field and option is there")


def automations(patient: Patient) -> Iterator[Result]:
    """D-5: one row per automation."""
    if "Automation" not in patient.rows:
        return
    names = Counter(str(row.fields.get("Name", "")).strip() for row in patient.rows["Automation"])
    odd = [name for name in schema.AUTOMATIONS if names[name] != 1]
    for name in odd:
        text = "has no row in the table Automation" if names[name] == 0 else f"has {names[name]} rows"
        yield warn("automations", f"{name} {text}", "changeover airtable init, or leave one row")
    if not odd:
        yield ok("automations", f"switched on: {', '.join(sorted(patient.ticked)) or 'none'}")


def reservations(patient: Patient) -> Iterator[Result]:
    """D-5: no stay has two live rows, no job stands on two rows; by the rows as last read by a run."""
    with patient.database.read() as connection:
        rows = mirror.load(connection, "Reservations")
    live = [row for row in rows if row.fields.get("Status") in LIVE]
    for name, what in (("Reservation UID", "live rows share"), ("Service Job ID", "live rows have the same")):
        shared = Counter(str(row.fields[name]) for row in live if row.fields.get(name))
        twice = {value for value, number in shared.items() if number > 1}
        ids = [row.id for row in live if str(row.fields.get(name, "")) in twice]
        if ids:
            yield fail("reservations", f"{len(ids)} {what} {name}: {_some(ids)}", "decide which row stays")
    yield ok("reservations", f"{len(live)} live rows as of the last run")


def feeds(patient: Patient) -> Iterator[Result]:
    """D-8: feeds that cannot be fetched, by record id."""
    if "ICS Feeds" not in patient.rows:
        return
    found = feed_configs((FeedRow.of(row.id, row.fields) for row in patient.rows["ICS Feeds"]), {})
    active = [each for each in found if each.status is FeedStatus.ACTIVE]
    by_problem: dict[str, list[str]] = {}
    for each in active:
        if each.problem:
            by_problem.setdefault(each.problem, []).append(each.record_id)
        elif each.duplicate_of:
            by_problem.setdefault("the same URL as another record", []).append(each.record_id)
    for problem, ids in by_problem.items():
        yield warn("feeds", f"{len(ids)} not fetched, {problem}: {_some(ids)}", "correct the records in ICS Feeds")
    sound = len(active) - sum(map(len, by_problem.values()))
    yield ok("feeds", f"{sound} active" if sound else "none active")


def budget(patient: Patient) -> Iterator[Result]:
    """D-15: the month's calls so far and projected."""
    limit = patient.settings.airtable_monthly_limit
    used = sum(patient.client.gate.calls(f"{patient.now:%Y-%m}").values())
    ahead = projection(used, patient.now)
    text = f"{used} Airtable calls this month, {ahead} at this pace" + (f", of {limit}" if limit else "")
    if limit and max(used, ahead) >= limit * _EXPENSIVE:
        yield warn("budget", text, "run less often, or take a larger plan and set AIRTABLE_MONTHLY_LIMIT")
    else:
        yield ok("budget", text)


def _spec(patient: Patient) -> schema.BaseSpec:
    return schema.load(rulefiles.find("airtable_base.json", patient.settings.config))


def _some(ids: list[str]) -> str:
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")
