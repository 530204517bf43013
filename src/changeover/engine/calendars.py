"""The automation ICS Calendar: every active feed is observed, reconciled with the base, committed and delivered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from changeover.airtable import controls
from changeover.airtable.mirror import Feed
from changeover.core.plan import Alert, Level, Plan, counts_json
from changeover.core.reconcile import reconcile
from changeover.core.rest import at_rest, once_more
from changeover.engine import collector, knowledge, stillness
from changeover.engine.commit import Commission, commit
from changeover.engine.crosscheck import service_times
from changeover.engine.knowledge import Knowledge, Places
from changeover.engine.outcome import Failure, Outcome, changes_text, names_text, state_of
from changeover.engine.stillness import Rest
from changeover.engine.work import Delivered, Done, Work
from changeover.ops import logging
from changeover.sources.ics.feeds import FeedRow, feed_configs
from changeover.sources.ics.fetch import FetchSettings
from changeover.sources.ics.observe import FeedResult, observe
from changeover.sources.ics.observe import Outcome as Fetch
from changeover.store.deliveries import Write
from changeover.store.facts import Json
from changeover.store.feeds import StoredFeeds
from changeover.store.feeds import save as save_feeds
from changeover.store.runs import RunState

NAME = "ICS Calendar"
log = logging.get(__name__)

_GOOD = (Fetch.OK, Fetch.UNCHANGED)
_DOWN_SHARE = 0.8
_FAILURES_IN_A_ROW = 3
_SILENT_TOO_LONG = timedelta(hours=12)
_RULES_LOOKED_AT = (
    "feed_failing",
    "feed_suspect",
    "feeds_down",
    "unusable_row",
    "feed_misconfigured",
    "service_time_differs",
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The feeds of one run and how they went; a retired feed is asked nothing and counts as nothing."""

    results: Sequence[FeedResult]
    names: dict[str, str]

    @property
    def active(self) -> list[FeedResult]:
        return [each for each in self.results if each.outcome is not Fetch.RETIRED]

    @property
    def failing(self) -> list[FeedResult]:
        return [each for each in self.active if each.outcome not in _GOOD]

    @property
    def causes(self) -> dict[str, int]:
        return dict(Counter(each.cause for each in self.failing))

    def name(self, result: FeedResult) -> str:
        return self.names.get(result.feed.record_id, f"feed {result.feed.record_id}")


def run(work: Work) -> Done:
    """One run of the automation. Raises nothing for a bad feed, row or answer: each is in the outcome."""
    known, fetched = asyncio.run(_learn(work))
    if work.base.failure is not None:
        return _without_base(work, fetched, work.base.failure)
    decided = _decide(work, known, fetched)
    plan = decided.plan
    log.info("plan.made", changes=len(plan.changes), held=plan.counts.of("held"), misses=plan.counts.misses)
    if work.dry_run:
        return Done(_outcome(work, decided, fetched, Delivered()), plan)
    waiting = commit(work.db, _commission(work, decided, fetched), work.still_ours)
    delivered = work.deliver(work.run_id) if waiting else Delivered()
    return Done(_outcome(work, decided, fetched, delivered), plan)


async def _learn(work: Work) -> tuple[Rest | Rows, Fetched]:
    """What the base says and what the feeds say; the rows are read while the feeds are waited for."""
    with work.db.read() as connection:
        places = knowledge.places(connection)
        rest = stillness.recall(connection) if work.observe and not work.dry_run else None
    return await asyncio.gather(asyncio.to_thread(_know, work, rest), _observe(work, places))


@dataclass(frozen=True, slots=True)
class Rows:
    """All that is known before a plan is made, and the hash that it goes by (`stillness`)."""

    digest: str
    knowledge: Knowledge


def _know(work: Work, rest: Rest | None) -> Rest | Rows:
    """The last run, if it found nothing to do and all that is known is as it was in it; else the rows."""
    with collector.paused(), work.db.read() as connection:
        digest = stillness.known_digest(connection, work)
        if rest is not None and rest.known == digest:
            return rest
        return Rows(digest, knowledge.load(connection))


@dataclass(frozen=True, slots=True)
class Decided:
    """A plan, what people should hear of the rows, and the run at rest it leaves, where it is one."""

    plan: Plan
    alerts: tuple[Alert, ...] = ()
    bad_rows: int = 0
    rest: Rest | None = None


def _decide(work: Work, known: Rest | Rows, fetched: Fetched) -> Decided:
    """The plan. Where the calendars say nothing new either it is the one that was found before, made new."""
    said = stillness.said_digest(fetched.results)
    if isinstance(known, Rest) and known.said == said:
        plan = once_more(known.plan, work.now)
        return Decided(plan, rest=replace(known, plan=plan))
    rows = known if isinstance(known, Rows) else _know(work, rest=None)
    assert isinstance(rows, Rows)  # noqa: S101  # without a rest there is no other answer
    return _reconciled(work, rows, said, fetched)


def _reconciled(work: Work, rows: Rows, said: str, fetched: Fetched) -> Decided:
    batches = [each.batch for each in fetched.results if each.batch is not None]
    known, bad = rows.knowledge.known, rows.knowledge.bad_rows
    with collector.paused():
        plan = reconcile(known, batches, work.now, work.rules)
    alerts = (*rows.knowledge.alerts, *service_times(known.stays, work.rules, work.rules.today(work.now)))
    rests = not alerts and at_rest(plan, known, batches)
    return Decided(plan, alerts, len(bad), Rest(rows.digest, said, plan) if rests else None)


async def _observe(work: Work, places: Places) -> Fetched:
    if not work.observe:
        return Fetched((), places.feed_names)
    settings = work.settings
    fetch = FetchSettings(
        max_concurrent=settings.max_concurrent_feeds,
        timeout_seconds=settings.feed_timeout_seconds,
        attempts=settings.feed_attempts,
        allow_private=settings.allow_private_feeds,
    )
    configured = feed_configs([_row(feed) for feed in places.feeds], places.property_names)
    memory = StoredFeeds(work.db)
    memory.fetch_all()
    results = await observe(
        configured, memory, now=work.now, rules=work.rules, settings=fetch, platforms=work.platforms
    )
    return Fetched(results, places.feed_names)


def _row(feed: Feed) -> FeedRow:
    return FeedRow(feed.record_id, feed.url, feed.status, feed.properties, feed.entry_source, feed.closed_means)


def _without_base(work: Work, fetched: Fetched, failure: Failure) -> Done:
    """The base cannot be read: what the feeds said is kept, no plan is made and no counter moves (C-5)."""
    if not work.dry_run:
        with work.db.begin() as connection:
            work.still_ours(connection)
            save_feeds(connection, [each.memory for each in fetched.results if each.memory is not None])
    return Done(Outcome.failed("Airtable cannot be read", failure, work.run_id))


def _commission(work: Work, decided: Decided, fetched: Fetched) -> Commission:
    states = [each.memory for each in fetched.results if each.memory is not None]
    with work.db.read() as connection:
        writes: list[Write] = controls.cron_writes(
            connection, [_cron(each) for each in fetched.active if each.feed.url]
        )
    return Commission(
        env=work.env,
        run_id=work.run_id,
        plan=decided.plan,
        feed_states=states,
        writes=writes,
        alerts=(*decided.alerts, *_alerts(work, fetched)),
        looked_at=_RULES_LOOKED_AT if work.observe else (),
        memory=lambda connection: stillness.remember(connection, decided.rest, work.now),
    )


def _cron(result: FeedResult) -> controls.FeedState:
    good = result.outcome in _GOOD
    response = "Success" if good else result.cause
    return controls.FeedState(result.feed.url, result.events, result.kept, response, result.fetched_at)


def _alerts(work: Work, fetched: Fetched) -> list[Alert]:
    """feeds_down in place of all when most fail at once, else one per feed that fails or shrank (P-13, A-5, A-6)."""
    failed = [each for each in fetched.active if each.outcome is Fetch.FAILED]
    if fetched.active and len(failed) >= _DOWN_SHARE * len(fetched.active) and len(failed) > 1:
        text = f"{len(failed)} of {len(fetched.active)} calendars cannot be read"
        return [Alert("feeds_down", "all", Level.CRITICAL, text)]
    return [alert for each in fetched.failing if (alert := _alert(work, fetched, each)) is not None]


def _alert(work: Work, fetched: Fetched, result: FeedResult) -> Alert | None:
    subject, name = result.feed.record_id, fetched.name(result)
    if result.outcome is Fetch.SUSPECT:
        return Alert("feed_suspect", subject, Level.WARNING, f"the calendar of {name} shrank: {result.cause}")
    if result.outcome is Fetch.MISCONFIGURED:
        return Alert(
            "feed_misconfigured", subject, Level.WARNING, f"the calendar of {name} is not read: {result.cause}"
        )
    state = result.memory
    if state is None or result.outcome is not Fetch.FAILED:
        return None
    silent = state.last_success is not None and work.now - state.last_success >= _SILENT_TOO_LONG
    if state.failures < _FAILURES_IN_A_ROW and not silent:
        return None
    text = f"the calendar of {name} has failed {state.failures} times in a row: {result.cause}"
    return Alert("feed_failing", subject, Level.WARNING, text)


def _outcome(work: Work, decided: Decided, fetched: Fetched, delivered: Delivered) -> Outcome:
    plan = decided.plan
    ok, failed = len(fetched.active) - len(fetched.failing), len(fetched.failing)
    undelivered = delivered.waiting + delivered.refused
    flawed = bool(undelivered or plan.counts.of("held") or decided.bad_rows)
    state = state_of(ok, failed, flawed=flawed)
    counters = _counters(work, fetched, plan, delivered)
    if not fetched.active and work.observe:
        return Outcome(state, "no active feeds", counters, delivered.failure)
    if state is RunState.FAILED:
        failure = Failure("feeds_failed", names_text(sorted(fetched.causes)))
        whole = Outcome.failed(f"{failed} of {failed} feeds failed", failure, work.run_id)
        return Outcome(whole.state, whole.text, counters, failure)
    text = f"{ok}/{ok + failed} feeds — {changes_text(plan.counts)}"
    if failed:
        text += f" — failing: {names_text(sorted({fetched.name(each) for each in fetched.failing}))}"
    if undelivered:
        text += f" — not delivered {undelivered}"
    return Outcome(state, text, counters, delivered.failure or _first_failure(fetched))


def _first_failure(fetched: Fetched) -> Failure | None:
    first = min(fetched.failing, key=fetched.name, default=None)
    return None if first is None else Failure(f"feed_{first.outcome}", f"{fetched.name(first)}: {first.cause}")


def _counters(work: Work, fetched: Fetched, plan: Plan, delivered: Delivered) -> dict[str, Json]:
    """The run's own numbers (R-89), for its record and for `--json`."""
    return {
        "feeds": len(fetched.active),
        "feeds_failing": len(fetched.failing),
        "feeds_unchanged": sum(1 for each in fetched.active if each.outcome is Fetch.UNCHANGED),
        "events": sum(each.events for each in fetched.active),
        **counts_json(plan.counts),
        "flags": _flags(plan),
        "not_delivered": delivered.waiting + delivered.refused,
        "airtable_calls": work.calls(),
    }


def _flags(plan: Plan) -> dict[str, Json]:
    """How many rows this run ticked, by flag."""
    ticked: Counter[str] = Counter()
    for change in plan.changes:
        for name in ("same_day", "owner_arriving", "overlapping", "long_term"):
            before = change.before is not None and getattr(change.before, name)
            ticked[name] += getattr(change.after, name) and not before
    return dict(ticked)
