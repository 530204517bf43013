"""Which job of Housecall Pro belongs to which stay (J-83 … J-92); it links nothing and asks nobody."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from changeover.core.job import Group, Job, JobRow, JobRules, JobStatus, marked_rows
from changeover.core.job_eligibility import Case
from changeover.core.job_status import status_of

NEAR: Final = timedelta(minutes=60)


class Confidence(StrEnum):
    """How sure a pair is; only the first two are linked."""

    CERTAIN = "certain"
    EXACT = "exact"
    AMBIGUOUS = "ambiguous"
    SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True)
class OpenStay:
    """A live row without job, as far as matching looks at it."""

    record_id: str
    customer_id: str
    address_id: str
    address: str
    start: datetime
    group: Group

    @classmethod
    def of(cls, case: Case) -> OpenStay | None:
        """A case that `refusal(case, FOR_LINKING)` lets pass; None where customer or start are not known."""
        home, start = case.home, case.start
        if home is None or start is None or home.customer_id is None:
            return None
        group = Group.of(case.row.service)
        return cls(case.row.record_id, home.customer_id, home.address_id, home.address, start, group)


@dataclass(frozen=True, slots=True)
class Pair:
    """A stay and a job that belong together, or may. `minutes_apart` is None for a job without start."""

    record_id: str
    job_id: str
    confidence: Confidence
    minutes_apart: int | None


@dataclass(frozen=True, slots=True)
class Matching:
    """All pairs found, best first by row; `linked` are to be linked, `held` rows wait for a person (J-90)."""

    pairs: tuple[Pair, ...]
    total: int

    @property
    def linked(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.confidence in (Confidence.CERTAIN, Confidence.EXACT))

    @property
    def held(self) -> frozenset[str]:
        return self.rows(Confidence.AMBIGUOUS) | self.rows(Confidence.SUGGESTED)

    @property
    def unmatched(self) -> int:
        """Rows of which nothing was found."""
        return self.total - len({pair.record_id for pair in self.pairs})

    def rows(self, confidence: Confidence) -> frozenset[str]:
        return frozenset(pair.record_id for pair in self.pairs if pair.confidence is confidence)

    def jobs(self) -> frozenset[str]:
        """The ids of all jobs in a pair."""
        return frozenset(pair.job_id for pair in self.pairs)

    def of(self, record_id: str) -> tuple[Pair, ...]:
        """The pairs of one row: all of one confidence."""
        return tuple(pair for pair in self.pairs if pair.record_id == record_id)


def candidates(jobs: Iterable[Job], *, taken: frozenset[str], templates: frozenset[str]) -> tuple[Job, ...]:
    """The jobs that may be linked (J-84): each once, none canceled, none a template, none that a row has already."""
    unlinked = {job.id: job for job in jobs if job.id not in taken and job.id not in templates}
    return tuple(job for job in unlinked.values() if status_of(job) is not JobStatus.CANCELED)


def match(stays: Sequence[OpenStay], jobs: Sequence[Job], rules: JobRules) -> Matching:
    """Pairs stays with the `candidates` of J-84: certain, exact, ambiguous, suggested (J-85 … J-89).

    The order of stays and jobs changes nothing. What is linked takes part in nothing weaker.
    """
    certain = _certain(stays, jobs)
    rows, free = _left(stays, jobs, certain)
    nearby = _pairs(rows, free, lambda stay, job: _exact(stay, job, rules), Confidence.AMBIGUOUS)
    exact, ambiguous = _told_apart(nearby)
    unclear = {pair.record_id for pair in ambiguous}
    rows, free = _left([stay for stay in rows if stay.record_id not in unclear], free, exact)
    suggested = _pairs(rows, free, lambda stay, job: _suggested(stay, job, rules), Confidence.SUGGESTED)
    pairs = sorted([*certain, *exact, *ambiguous, *suggested], key=lambda pair: (pair.record_id, pair.job_id))
    return Matching(tuple(pairs), len(stays))


def _certain(stays: Sequence[OpenStay], jobs: Sequence[Job]) -> list[Pair]:
    """J-86. Of several jobs with one row's marker the oldest is linked; a job that names several rows is nobody's."""
    by_id = {stay.record_id: stay for stay in stays}
    found: dict[str, Pair] = {}
    for job in sorted(jobs, key=_age):
        named = marked_rows(job)
        stay = by_id.get(next(iter(named))) if len(named) == 1 else None
        if stay is not None and job.customer_id == stay.customer_id and stay.record_id not in found:
            found[stay.record_id] = _pair(stay, job, Confidence.CERTAIN)
    return list(found.values())


def _age(job: Job) -> tuple[bool, datetime | None, str]:
    return job.created is None, job.created, job.id


def _left(stays: Sequence[OpenStay], jobs: Sequence[Job], linked: Iterable[Pair]) -> tuple[list[OpenStay], list[Job]]:
    rows, ids = {pair.record_id for pair in linked}, {pair.job_id for pair in linked}
    return [stay for stay in stays if stay.record_id not in rows], [job for job in jobs if job.id not in ids]


def _pairs(
    stays: Sequence[OpenStay], jobs: Sequence[Job], fits: Callable[[OpenStay, Job], bool], confidence: Confidence
) -> list[Pair]:
    """Each stay with each job that fits it; only jobs of its address are looked at."""
    at: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        for place in {job.address_id, plain_address(job.address)} - {""}:
            at[place].append(job)
    return [
        _pair(stay, job, confidence)
        for stay in stays
        for job in {job.id: job for place in _places(stay) for job in at[place]}.values()
        if fits(stay, job)
    ]


def _places(stay: OpenStay) -> set[str]:
    return {stay.address_id, plain_address(stay.address)} - {""}


def _exact(stay: OpenStay, job: Job, rules: JobRules) -> bool:
    """J-87, before it is asked whether there is another."""
    return (
        (job.customer_id, job.address_id) == (stay.customer_id, stay.address_id)
        and job.start is not None
        and abs(job.start - stay.start) <= NEAR
        and _group_fits(stay, job, rules)
    )


def _suggested(stay: OpenStay, job: Job, rules: JobRules) -> bool:
    """J-89: the day and the place are right, the hour or the address's id is not."""
    if job.start is None or not _group_fits(stay, job, rules):
        return False
    same_day = rules.local_day(job.start) == rules.local_day(stay.start)
    by_id = (job.customer_id, job.address_id) == (stay.customer_id, stay.address_id)
    by_text = plain_address(stay.address) != "" and plain_address(stay.address) == plain_address(job.address)
    return same_day and (by_id or by_text)


def _group_fits(stay: OpenStay, job: Job, rules: JobRules) -> bool:
    """J-85: the row's group, or a job without type."""
    return job.job_type_id is None or stay.group in rules.types.groups(job.job_type_id)


def _told_apart(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """The pairs whose two sides have no other (J-87), and the rest (J-88)."""
    rows, jobs = Counter(pair.record_id for pair in pairs), Counter(pair.job_id for pair in pairs)
    exact, ambiguous = [], []
    for pair in pairs:
        if rows[pair.record_id] == 1 and jobs[pair.job_id] == 1:
            exact.append(Pair(pair.record_id, pair.job_id, Confidence.EXACT, pair.minutes_apart))
        else:
            ambiguous.append(pair)
    return exact, ambiguous


def _pair(stay: OpenStay, job: Job, confidence: Confidence) -> Pair:
    apart = None if job.start is None else round(abs(job.start - stay.start).total_seconds() / 60)
    return Pair(stay.record_id, job.id, confidence, apart)


_WORDS: Final = {
    "north": "n", "south": "s", "east": "e", "west": "w", "street": "st", "avenue": "ave", "drive": "dr", "road": "rd",
    "lane": "ln", "court": "ct", "place": "pl", "boulevard": "blvd", "circle": "cir", "trail": "trl", "parkway": "pkwy",
    "terrace": "ter", "apartment": "unit", "apt": "unit", "suite": "unit", "ste": "unit",
}  # fmt: skip
_COUNTRY: Final = re.compile(r" (?:usa|us|united states)$")
_LONG_ZIP: Final = re.compile(r"(?<= )([0-9]{5}) [0-9]{4}$")


def plain_address(text: str) -> str:
    """An address in plain words by which two are compared (J-89); empty for an empty one, which equals nothing."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("#", " unit ")
    words = [_WORDS.get(word, word) for word in re.findall(r"[^\W_]+", folded)]
    plain = " ".join(word for place, word in enumerate(words) if place == 0 or word != words[place - 1])
    return _LONG_ZIP.sub(r"\1", _COUNTRY.sub("", plain))


# -- what else is found (J-5, J-92) ----------------------------------------------------------------------------------


def served(rows: Iterable[JobRow]) -> tuple[dict[str, JobRow], dict[str, tuple[str, ...]]]:
    """By job id the live row that is served, and the rows of each job that several carry (J-5)."""
    by_job: dict[str, list[JobRow]] = defaultdict(list)
    for row in rows:
        if row.live and row.job_id:
            by_job[row.job_id].append(row)
    newest = {job_id: max(rows, key=_last_change) for job_id, rows in by_job.items()}
    contested = {
        job_id: tuple(sorted(row.record_id for row in rows)) for job_id, rows in by_job.items() if len(rows) > 1
    }
    return newest, contested


def _last_change(row: JobRow) -> tuple[bool, float, str]:
    at = row.modified
    return at is not None, 0.0 if at is None else at.timestamp(), row.record_id


def orphans(jobs: Iterable[Job], matching: Matching, rules: JobRules) -> tuple[str, ...]:
    """Candidates of one of our types that are still open and that no row has or may have (J-92)."""
    paired = matching.jobs()
    return tuple(sorted(job.id for job in jobs if job.id not in paired and _ours_and_open(job, rules)))


def duplicates(jobs: Iterable[Job], rules: JobRules) -> tuple[tuple[str, ...], ...]:
    """Open jobs of the same address, local day and group, linked or not: each such set by id (J-92)."""
    sets: Mapping[tuple[str, date, Group], set[str]] = defaultdict(set)
    for job in jobs:
        if job.address_id and job.start is not None and job.job_type_id and _ours_and_open(job, rules):
            for group in rules.types.groups(job.job_type_id):
                sets[job.address_id, rules.local_day(job.start), group].add(job.id)
    return tuple(sorted({tuple(sorted(ids)) for ids in sets.values() if len(ids) > 1}))


def _ours_and_open(job: Job, rules: JobRules) -> bool:
    status = status_of(job)
    return status is not None and status.open and bool(job.job_type_id and rules.types.groups(job.job_type_id))
