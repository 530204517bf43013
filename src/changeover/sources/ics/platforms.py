"""Which platform a calendar comes from, and what its words mean, as `platforms.toml` says; it reads no calendar."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from changeover.core.classify import ClosedTest, Dialect, Meaning, PlatformWords, Signs, Uids, Words, normal

OTHER = "Other"


class BadPlatforms(ValueError):
    """`platforms.toml` cannot be used; the message lists every fault with its place."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Task(_Model):
    words: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class _Block(_Model):
    words: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    maintenance: tuple[str, ...] = ()


class _Reservation(_Model):
    words: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    channel_starts: tuple[str, ...] = ()
    codes: tuple[re.Pattern[str], ...] = ()
    shapes: tuple[re.Pattern[str], ...] = ()


class _Description(_Model):
    urls: tuple[re.Pattern[str], ...] = ()
    labels: tuple[str, ...] = ()


class _Signs(_Model):
    task: _Task = _Task()
    block: _Block = _Block()
    reservation: _Reservation = _Reservation()
    description: _Description = _Description()


class _WordTable(_Model):
    """Words by meaning, for a platform or for one feed."""

    reservation: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    tentative: tuple[str, ...] = ()
    task: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


class _Platform(_WordTable):
    hosts: tuple[str, ...] = ()
    prodids: tuple[str, ...] = ()
    uid_prefixes: dict[str, Meaning] = Field(default_factory=dict)
    closed_tests: frozenset[ClosedTest] = frozenset()
    closed_means_setting: bool = False
    transparent_is_normal: bool = False
    uids: Uids = Uids.STABLE


class _File(_Model):
    signs: _Signs = _Signs()
    platforms: dict[str, _Platform] = Field(default_factory=dict)
    feeds: dict[str, _WordTable] = Field(default_factory=dict)


@dataclass(frozen=True)
class Platforms:
    """All platforms by their Entry Source, the general signs and the words of single feeds."""

    signs: Signs
    words: Mapping[str, PlatformWords]
    feed_words: Mapping[str, tuple[tuple[Words, Meaning], ...]]
    fingerprint: str  # changes with any word, so that readings under older words are not used again (P-36)
    _hosts: tuple[tuple[str, re.Pattern[str]], ...] = field(repr=False, default=())
    _prodids: tuple[tuple[str, str], ...] = field(repr=False, default=())

    def detect(self, host: str, prodid: str) -> str:
        """The platform of a calendar by host, else by PRODID, else `Other` (R-75); its events' text has no say."""
        by_host = self.by_host(host)
        if by_host is not None:
            return by_host
        product = normal(prodid)
        return next((name for name, part in self._prodids if part in product), OTHER)

    def by_host(self, host: str) -> str | None:
        """The platform a host belongs to, if one is known."""
        return next((name for name, pattern in self._hosts if pattern.search(host.lower())), None)

    def dialect(self, record_id: str, platform: str, *, closed_is_reservation: bool = False) -> Dialect:
        """All words that count for one feed."""
        return Dialect(
            platform=self.words.get(platform, PlatformWords(platform)),
            signs=self.signs,
            own=self.feed_words.get(record_id, ()),
            closed_is_reservation=closed_is_reservation,
        )


def load(path: Path) -> Platforms:
    """The platforms of a `platforms.toml`. Raises BadPlatforms naming every fault, OSError when it cannot be read."""
    raw = path.read_bytes()
    try:
        return _platforms(_File.model_validate(tomllib.loads(raw.decode())), hashlib.sha256(raw).hexdigest())
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise BadPlatforms(f"{path.name}: " + "; ".join(faults)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPlatforms(f"{path.name}: {error}") from None


def _platforms(file: _File, fingerprint: str) -> Platforms:
    return Platforms(
        signs=_signs(file.signs),
        words={name: _platform_words(name, each) for name, each in file.platforms.items()},
        feed_words={record_id: _table(each) for record_id, each in file.feeds.items()},
        fingerprint=fingerprint,
        _hosts=tuple((name, _host_pattern(host)) for name, each in file.platforms.items() for host in each.hosts),
        _prodids=tuple((name, normal(part)) for name, each in file.platforms.items() for part in each.prodids),
    )


def _signs(signs: _Signs) -> Signs:
    return Signs(
        task=Words(signs.task.words),
        # The blank before an ending counts, so these are not trimmed.
        task_endings=tuple(ending.casefold() for ending in signs.task.endings),
        task_categories=frozenset(normal(each) for each in signs.task.categories),
        block=Words(signs.block.words),
        owner=tuple(normal(each) for each in signs.block.owner),
        maintenance=tuple(normal(each) for each in signs.block.maintenance),
        reservation=Words(signs.reservation.words),
        reservation_endings=tuple(ending.casefold() for ending in signs.reservation.endings),
        channels=tuple(normal(each) for each in signs.reservation.channels),
        channel_starts=tuple(normal(each) for each in signs.reservation.channel_starts),
        codes=tuple(each.pattern for each in signs.reservation.codes),
        shapes=tuple(each.pattern for each in signs.reservation.shapes),
        description_urls=tuple(each.pattern for each in signs.description.urls),
        description_labels=Words(signs.description.labels),
    )


def _platform_words(name: str, platform: _Platform) -> PlatformWords:
    return PlatformWords(
        name=name,
        exact=_table(platform),
        uid_prefixes=tuple(platform.uid_prefixes.items()),
        closed_tests=platform.closed_tests,
        closed_means_setting=platform.closed_means_setting,
        transparent_is_normal=platform.transparent_is_normal,
        uids=platform.uids,
    )


def _table(words: _WordTable) -> tuple[tuple[Words, Meaning], ...]:
    """The words by meaning, `closed` first: Booking.com's "closed - not available" before its "closed - <guest>"."""
    table = (
        (words.closed, Meaning.CLOSED),
        (words.tentative, Meaning.TENTATIVE),
        (words.task, Meaning.TASK),
        (words.block, Meaning.BLOCK),
        (words.reservation, Meaning.RESERVATION),
    )
    return tuple((Words(each), meaning) for each, meaning in table if each)


@lru_cache(maxsize=256)
def _host_pattern(host: str) -> re.Pattern[str]:
    """A pattern for a name and all below it; `name.*` takes one or two labels for the country (`co.uk`, `com.au`)."""
    if host.endswith(".*"):
        return re.compile(rf"(?:^|\.){re.escape(host[:-2])}\.[a-z]{{2,3}}(?:\.[a-z]{{2}})?$")
    return re.compile(rf"(?:^|\.){re.escape(host)}$")
