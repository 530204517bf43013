"""The one read of Housecall Pro that the four steps of a cycle share (J-71, J-109); it writes nowhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

from changeover.core.job import Gone, Job, JobRow, JobStatus
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.jobs.failures import Breaker
from changeover.housecallpro import jobs
from changeover.housecallpro.errors import HcpError
from changeover.ops import logging

log = logging.get(__name__)

_DAYS_BACK: Final = 30
_JOB_ID: Final = re.compile(r"job_[0-9A-Za-z]{1,64}")
_ENDED: Final = (JobStatus.COMPLETED, JobStatus.CANCELED)


@dataclass(slots=True)
class Window:
    """What was read: every job by id, gone ones too. What is read later in the cycle takes the place of it.

    `unread` are linked jobs that could not be read, and why; `malformed` ids on rows that can be no job's.
    """

    first: datetime
    last: datetime
    jobs: dict[str, Job | Gone] = field(default_factory=dict)
    unread: dict[str, HcpError] = field(default_factory=dict)
    malformed: tuple[str, ...] = ()

    def covers(self, start: datetime) -> bool:
        """Whether a job that starts then would be in it, the days around it as well (J-47)."""
        return self.first + timedelta(days=2) <= start <= self.last - timedelta(days=2)

    @property
    def alive(self) -> list[Job]:
        return [job for job in self.jobs.values() if isinstance(job, Job)]


def read_window(desk: JobDesk, rows: Sequence[JobRow]) -> Window:
    """Reads jobs from 30 days ago on, those without a start, and singly each open one of a row that was not seen.

    Raises HcpError where the lists cannot be read.
    """
    today = desk.rules.local_day(desk.clock())
    first = datetime.combine(today - timedelta(days=_DAYS_BACK), time(), desk.rules.zone).astimezone(UTC)
    ahead = today + timedelta(days=desk.settings.lookahead_days + 1)
    last = datetime.combine(ahead, time(), desk.rules.zone).astimezone(UTC) - timedelta(seconds=1)
    window = Window(first, last)
    for listed in (jobs.between(desk.hcp, first, last), jobs.unscheduled(desk.hcp)):
        window.jobs.update({job.id: job for job in listed})
    _read_singly(desk, window, rows)
    log.info("jobs.read", jobs=len(window.jobs), unread=len(window.unread))
    return window


def _read_singly(desk: JobDesk, window: Window, rows: Sequence[JobRow]) -> None:
    """A dead job is not asked for again (JX-36)."""
    ids = {row.job_id for row in rows if row.job_id and row.job.status not in _ENDED} - set(window.jobs)
    window.malformed = tuple(sorted(each for each in ids if not _JOB_ID.fullmatch(each)))
    breaker, given_up = Breaker(), None
    for job_id in sorted(ids - set(window.malformed)):
        try:
            if given_up is not None:
                raise given_up
            window.jobs[job_id] = jobs.look(desk.hcp, job_id)
            breaker.fine()
        except HcpError as error:
            window.unread[job_id] = error
            if breaker.broke(error):
                given_up = error
