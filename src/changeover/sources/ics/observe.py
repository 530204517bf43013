"""The one entry of calendar feeds: fetches, reads and remembers each, ends in a batch per feed; it writes nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import structlog

from changeover.core.stay import Batch, Rules, Source, Window, WindowEdge
from changeover.sources.ics.examine import Content, Examiner, FeedMemory, NothingStored, trust
from changeover.sources.ics.feeds import FeedConfig, FeedStatus, fetch_url
from changeover.sources.ics.fetch import Fetcher, FetchFailed, FetchSettings, Validators, open_fetcher
from changeover.sources.ics.guard import Refused, check_url
from changeover.sources.ics.platforms import OTHER, Platforms
from changeover.sources.ics.reading import Reading
from changeover.sources.ics.repair import BrokenBody
from changeover.store.feeds import FeedState

SUCCESS = "Success"
UNREADABLE = "unreadable"
WINDOW_DAYS = 365

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """How a feed fared (P-13)."""

    OK = "ok"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SUSPECT = "suspect"
    INCOMPLETE = "incomplete"
    MISCONFIGURED = "misconfigured"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class FeedResult:
    """What one feed gave. `cause` is `Success` or a short reason without URL (R-76); `memory` is the state to save.

    `said` is a hash of what the batch was made from.
    """

    feed: FeedConfig
    outcome: Outcome
    cause: str
    batch: Batch | None
    events: int
    kept: int
    fetched_at: datetime
    ms: int
    warnings: tuple[str, ...] = ()
    memory: FeedState | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    """What all feeds of a run share."""

    fetcher: Fetcher
    memory: FeedMemory
    now: datetime
    rules: Rules
    settings: FetchSettings
    platforms: Platforms
    started: float

    @property
    def today(self) -> date:
        return self.rules.today(self.now)

    def instant(self) -> datetime:
        """The run's own clock: `now` plus the time since."""
        return self.now + timedelta(seconds=time.monotonic() - self.started)


async def observe(
    feeds: Sequence[FeedConfig],
    memory: FeedMemory,
    *,
    now: datetime,
    rules: Rules,
    settings: FetchSettings,
    platforms: Platforms,
    on_done: Callable[[FeedResult], None] | None = None,
) -> list[FeedResult]:
    """A result per feed that is not inactive, by record id. No feed's fault raises here or touches another feed.

    `now` is the run's instant: its date is the day of the fetch (P-32). `on_done` hears of each result as it comes.
    """
    wanted = [feed for feed in feeds if feed.status is not FeedStatus.INACTIVE]
    random.shuffle(wanted)
    async with open_fetcher(settings) as fetcher:
        run = _Run(fetcher, memory, now, rules, settings, platforms, time.monotonic())
        results = await asyncio.gather(*(_observed(feed, run, on_done) for feed in wanted))
    by_id = {result.feed.record_id: result for result in results}
    return [_as_its_double(by_id[record_id], by_id) for record_id in sorted(by_id)]


async def _observed(feed: FeedConfig, run: _Run, on_done: Callable[[FeedResult], None] | None) -> FeedResult:
    result = await _result(feed, run)
    _log(result)
    if on_done is not None:
        on_done(result)
    return result


async def _result(feed: FeedConfig, run: _Run) -> FeedResult:
    if feed.status is FeedStatus.REMOVE:
        return _without_fetch(feed, run, Outcome.RETIRED, SUCCESS, batch=_retired(feed, run))
    if problem := feed.problem or _refusal(feed, run.settings):
        return _without_fetch(feed, run, Outcome.MISCONFIGURED, problem)
    if feed.duplicate_of:
        note = f"same URL as {feed.duplicate_of}"
        return replace(_without_fetch(feed, run, Outcome.UNCHANGED, SUCCESS), warnings=(note,))
    began = time.monotonic()
    result = await _fetched(feed, run)
    return replace(result, ms=round((time.monotonic() - began) * 1000))


async def _fetched(feed: FeedConfig, run: _Run) -> FeedResult:
    state = FeedState(feed.record_id)
    try:
        state = run.memory.get(feed.record_id) or state
        return _good(feed, state, run, await _content(feed, state, run))
    except (FetchFailed, BrokenBody) as failure:
        return _failed(feed, state, run, failure.cause)
    except Exception as error:  # noqa: BLE001 - the edge of one feed: a fault of ours must not cost the others
        # Messages may quote the feed (LB-28), so only their kind and place are told.
        log.error(  # noqa: TRY400
            "feed.unreadable", feed=feed.record_id, host=feed.host, error=type(error).__name__, at=_place(error)
        )
        return _failed(feed, state, run, UNREADABLE)


async def _content(feed: FeedConfig, state: FeedState, run: _Run) -> Content:
    examiner = Examiner(feed, state, run.memory, run.rules, run.platforms, run.today)
    try:
        return await run.fetcher.fetch(feed.url, examiner.validators, examiner.look)
    except NothingStored:
        return await run.fetcher.fetch(feed.url, Validators(), examiner.look)


def _good(feed: FeedConfig, state: FeedState, run: _Run, content: Content) -> FeedResult:
    found, at = content.reading, run.instant()
    suspect, trusted, low = trust(found.events, state)
    outcome, cause = _outcome(content, suspected_after=trusted if suspect else None)
    return FeedResult(
        feed=feed,
        outcome=outcome,
        cause=cause,
        batch=_batch(feed, run, found, fully_read=not suspect),
        events=found.events,
        kept=found.kept,
        fetched_at=at,
        ms=0,
        warnings=found.warnings,
        memory=replace(content.memory, trusted_count=trusted, low_count=low, last_success=at, failures=0),
        said=content.said,
    )


def _outcome(content: Content, *, suspected_after: int | None) -> tuple[Outcome, str]:
    found = content.reading
    if suspected_after is not None:
        return Outcome.SUSPECT, f"suspect: {found.events} events, {suspected_after} before"
    if not found.readable:
        return Outcome.INCOMPLETE, f"{len(found.rejected)} events unreadable"
    return (Outcome.UNCHANGED if content.same else Outcome.OK), SUCCESS


def _failed(feed: FeedConfig, state: FeedState, run: _Run, cause: str) -> FeedResult:
    """The last good state stands, one failure more (P-13)."""
    memory = replace(state, failures=state.failures + 1, reading=None, body=None)
    return replace(_without_fetch(feed, run, Outcome.FAILED, cause), memory=memory, fetched_at=run.instant())


def _without_fetch(
    feed: FeedConfig, run: _Run, outcome: Outcome, cause: str, *, batch: Batch | None = None
) -> FeedResult:
    return FeedResult(feed, outcome, cause, batch, events=0, kept=0, fetched_at=run.now, ms=0)


def _batch(feed: FeedConfig, run: _Run, found: Reading, *, fully_read: bool) -> Batch:
    return Batch(
        source=Source(feed.record_id, feed.url, found.entry_source, feed.name),
        at=run.now,
        window=_window(run.today),
        fully_read=fully_read,
        observations=found.observations,
        rejected=found.rejected,
        read=found.events,
        property_id=feed.property_id,
    )


def _retired(feed: FeedConfig, run: _Run) -> Batch:
    """Says of all stays of a feed with Remove that they are gone (R-73)."""
    entry_source = feed.entry_source or run.platforms.by_host(feed.host) or OTHER
    return Batch(
        source=Source(feed.record_id, feed.url, entry_source, feed.name),
        at=run.now,
        window=_window(run.today),
        fully_read=True,
        property_id=feed.property_id or None,
        retired=True,
    )


def _window(today: date) -> Window:
    """A feed's claimed window (R-2)."""
    return Window(WindowEdge.CHECK_OUT, today, today + timedelta(days=WINDOW_DAYS))


def _refusal(feed: FeedConfig, settings: FetchSettings) -> str:
    try:
        check_url(fetch_url(feed.url), allow_private=settings.allow_private)
    except Refused as refusal:
        return refusal.cause
    return ""


def _as_its_double(result: FeedResult, by_id: dict[str, FeedResult]) -> FeedResult:
    """A record with the URL of another one of the same home shows how that one fared, and says nothing itself."""
    fetched = by_id.get(result.feed.duplicate_of)
    if fetched is None:
        return result
    return replace(
        fetched, feed=result.feed, batch=None, memory=None, warnings=(f"same URL as {result.feed.duplicate_of}",)
    )


def _log(result: FeedResult) -> None:
    """A line per feed that has something to say; a calendar that is as it was is counted by the run."""
    if result.outcome is Outcome.UNCHANGED:
        tell = log.debug
    else:
        tell = log.warning if result.outcome in (Outcome.FAILED, Outcome.MISCONFIGURED) else log.info
    tell(
        "feed.failed" if result.outcome is Outcome.FAILED else "feed.fetched",
        feed=result.feed.record_id,
        host=result.feed.host,
        outcome=str(result.outcome),
        cause=result.cause,
        events=result.events,
        kept=result.kept,
        ms=result.ms,
    )


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
