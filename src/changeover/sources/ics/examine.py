"""Whether a body says anything new, and what it says (P-36, P-12, R-66); it fetches and saves nothing."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Protocol

from changeover import program
from changeover.core.stay import Rules
from changeover.sources.ics import reading as readings
from changeover.sources.ics.feeds import FeedConfig
from changeover.sources.ics.fetch import Fetched, Retriable, Validators
from changeover.sources.ics.platforms import Platforms
from changeover.sources.ics.read import READER, read
from changeover.sources.ics.reading import Reading
from changeover.sources.ics.repair import CUT_OFF, BrokenBody, canonical_hash, repair
from changeover.store.feeds import FeedState

_HEAVY_BYTES = 200_000  # from here on a body is read in a thread, so that the other feeds' clocks go on
_SHRUNK_BY = 3


class FeedMemory(Protocol):
    """What is known of feeds from earlier runs (P-37). A body is as it was saved, compressed."""

    def get(self, record_id: str) -> FeedState | None: ...

    def body(self, record_id: str) -> bytes | None: ...


class NothingStored(Exception):
    """The server says that nothing changed, but there is no earlier body to go by."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a body was read as, whether it is `same` as before (P-36), and the feed's memory of it.

    `said` is a hash of the reading: equal ones are of equal readings.
    """

    reading: Reading
    same: bool
    memory: FeedState
    said: str


@dataclass(frozen=True)
class Examiner:
    """Looks at the bodies of one feed with the memory of its last good one."""

    feed: FeedConfig
    state: FeedState
    memory: FeedMemory
    rules: Rules
    platforms: Platforms
    today: date

    @property
    def validators(self) -> Validators:
        """What to ask with (P-12); those of an earlier URL are not for the new one."""
        if self.state.urls[:1] != (self.feed.url,):
            return Validators()
        return Validators(self.state.etag, self.state.last_modified)

    async def look(self, fetched: Fetched) -> Content:
        """What a body says. Raises BrokenBody, Retriable for one that was cut, NothingStored."""
        if fetched.body is None and self._known is not None:
            return self._unchanged(self._known, fetched, self.state.raw_hash)
        raw = self._stored_body() if fetched.body is None else fetched.body
        heavy = len(raw) > _HEAVY_BYTES or b"RRULE" in raw
        try:
            return await asyncio.to_thread(self._examine, raw, fetched) if heavy else self._examine(raw, fetched)
        except BrokenBody as broken:
            if broken.cause == CUT_OFF:
                raise Retriable(CUT_OFF) from None
            raise

    def _examine(self, raw: bytes, fetched: Fetched) -> Content:
        raw_hash = hashlib.sha256(raw).hexdigest()
        if raw_hash == self.state.raw_hash and self._known is not None:
            return self._unchanged(self._known, fetched, raw_hash)
        body = repair(raw, fetched.charset)
        canonical = canonical_hash(body)
        stored_says_the_same = canonical == self.state.canonical_hash
        if stored_says_the_same and self._known is not None:
            return self._unchanged(self._known, fetched, raw_hash)
        found = read(body, self.feed, self.platforms, self.rules, self.today)
        text = readings.dump(found)
        memory = replace(
            self._remembered(fetched, raw_hash),
            canonical_hash=canonical,
            settings_hash=self.settings_hash,
            read_on=self.today,
            reading=text,
            body=None if stored_says_the_same else zlib.compress(raw),
        )
        return Content(found, same=False, memory=memory, said=_hash(text))

    def _unchanged(self, known: Reading, fetched: Fetched, raw_hash: str | None) -> Content:
        said = _hash(self.state.reading or "")
        return Content(known, same=True, memory=self._remembered(fetched, raw_hash), said=said)

    def _remembered(self, fetched: Fetched, raw_hash: str | None) -> FeedState:
        """The state after a good fetch; what is stored of body and reading stands."""
        earlier = (url for url in self.state.urls if url != self.feed.url)
        return replace(
            self.state,
            urls=(self.feed.url, *earlier),
            etag=fetched.validators.etag,
            last_modified=fetched.validators.last_modified,
            raw_hash=raw_hash,
            reading=None,
            body=None,
        )

    @cached_property
    def _known(self) -> Reading | None:
        """The reading of the last good body, where it still holds: same day, same settings (P-36)."""
        state = self.state
        if state.reading is None or state.read_on != self.today or state.settings_hash != self.settings_hash:
            return None
        try:
            return readings.load(state.reading, self.feed.property_id)
        except (ValueError, KeyError, TypeError):
            return None  # written by hand or by another release: the body is read again

    @cached_property
    def settings_hash(self) -> str:
        """Of all that a reading depends on beside the body and the day."""
        feed, rules = self.feed, self.rules
        parts = (
            READER,
            program.fingerprint(),
            feed.url,
            feed.property_id,
            feed.entry_source,
            feed.closed_is_reservation,
            rules.zone.key,
            rules.lookback_days,
            rules.lookahead_days,
            self.platforms.fingerprint,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def _stored_body(self) -> bytes:
        packed = self.memory.body(self.feed.record_id)
        try:
            if packed is not None:
                return zlib.decompress(packed)
        except zlib.error:
            pass
        raise NothingStored


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def trust(events: int, state: FeedState) -> tuple[bool, int, int | None]:
    """(suspect, trusted count, low count) after a valid fetch of so many events (R-66).

    A feed is suspect when it fell to nothing, or by over half and more than three; the next fetch that is as low is
    trusted.
    """
    before = state.trusted_count
    if before is None or not _has_shrunk(before, events):
        return False, events, None
    if state.low_count is not None and events <= state.low_count:
        return False, events, None
    return True, before, events


def _has_shrunk(before: int, events: int) -> bool:
    return before >= 1 and (events == 0 or (events * 2 < before and before - events > _SHRUNK_BY))
