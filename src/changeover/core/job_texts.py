"""The sentences about jobs that people read in the base and in answers (JM-1 … JM-16); it decides on none of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from changeover.core.job import JobState
from changeover.core.service_line import MONTHS

NO_JOB: Final = "⚠️ No HCP job exists for this reservation"
NOT_SCHEDULED: Final = "⚠️ HCP job exists but has no appointment scheduled"
STILL_OPEN: Final = "⚠️ Stay removed but HCP job is still open"
OTHER_ADDRESS: Final = "⚠️ HCP job is at another address than the property"
DELETED: Final = "Job deleted in HCP"
SCHEDULE_DELETED: Final = "Schedule deleted"
IN_PROGRESS: Final = "Job in progress"
ASSIGNEE_REMOVED: Final = "Assignee removed"
LINE_UPDATED: Final = "Service line updated"
LINE_KEPT: Final = "⚠️ Service line edited in HCP; not overwritten"
UPDATE_FAILED: Final = "❌ Failed to update schedule: "
ANOTHER_THAT_DAY: Final = "; another HCP job exists that day"

_STAMP: Final = re.compile(r" - [A-Z][a-z]{2} \d{1,2}, \d{1,2}:\d{2} [AP]M$")
_NOON: Final = 12


@dataclass(frozen=True, slots=True)
class Words:
    """Says instants as people of one zone do."""

    zone: ZoneInfo

    def day(self, instant: datetime, beside: datetime | None = None) -> str:
        """`March 4`, or `March 4, 2026` beside a date of another year (J-70)."""
        local = instant.astimezone(self.zone)
        year = "" if beside is None or beside.astimezone(self.zone).year == local.year else f", {local.year}"
        return f"{MONTHS[local.month - 1]} {local.day}{year}"

    def time(self, instant: datetime) -> str:
        """`10:15 AM`."""
        local = instant.astimezone(self.zone)
        return f"{local.hour % _NOON or _NOON}:{local:%M} {'AM' if local.hour < _NOON else 'PM'}"

    def moment(self, instant: datetime) -> str:
        """`March 4 at 10:15 AM`."""
        return f"{self.day(instant)} at {self.time(instant)}"

    def stamp(self, now: datetime) -> str:
        """` - Mar 1, 9:00 AM`, the end of every stored text (J-70)."""
        local = now.astimezone(self.zone)
        return f" - {MONTHS[local.month - 1][:3]} {local.day}, {self.time(now)}"

    # -- the sentences -----------------------------------------------------------------------------------------------

    def in_sync(self, start: datetime) -> str:
        return f"Schedules in sync: {self.moment(start)}"

    def wrong_date(self, ours: datetime, theirs: datetime) -> str:
        return f"Airtable shows {self.day(ours, theirs)} but HCP shows {self.day(theirs, ours)}"

    def wrong_time(self, ours: datetime, theirs: datetime) -> str:
        return f"Airtable shows {self.time(ours)} but HCP shows {self.time(theirs)}"

    def canceled(self, at: datetime) -> str:
        return f"Job canceled on {self.moment(at)}"

    def updated(self, start: datetime) -> str:
        return f"✅ Schedule updated successfully. HCP now shows {self.moment(start)}"

    def several_visits(self, number: int, compared: datetime) -> str:
        return f"⚠️ HCP job has {number} appointments; comparing {self.moment(compared)}"

    def still_scheduled(self, start: datetime) -> str:
        return f"⚠️ Stay removed but HCP job is still scheduled for {self.moment(start)}"

    def created(self, start: datetime) -> str:
        return f"✅ Job created for {self.moment(start)}"

    def linked(self, start: datetime) -> str:
        return f"✅ Linked to HCP job for {self.moment(start)}"

    def completed(self, at: datetime) -> str:
        return f"Job completed on {self.moment(at)}"


def update_failed(reason: str) -> str:
    """JM-6."""
    return f"{UPDATE_FAILED}{reason}"


def lines_missing(reason: str) -> str:
    """JM-12."""
    return f"❌ Job created, line items missing: {reason}"


def assigned(names: str) -> str:
    """JM-15, of whom the job is now with; empty means nobody."""
    return f"Assignee updated: {names}" if names else ASSIGNEE_REMOVED


def assignee(names: Sequence[str]) -> str:
    """The cell Assignee: the names that are not empty, in the service's order (J-66)."""
    return ", ".join(name for name in (" ".join(each.split()) for each in names) if name)


def unstamped(text: str) -> str:
    """A stored text without its stamp: what texts are compared by (J-3)."""
    return _STAMP.sub("", text)


def settled(before: JobState, after: JobState, now: datetime, zone: ZoneInfo) -> JobState:
    """The state to be stored: new texts stamped, texts that say the same kept with their stamp (J-3, J-70).

    `after` holds texts without stamp, or as they were. Sync Date and Time is `now` if any other cell changes, else it
    stays; so equal states mean that there is nothing to write (J-1).
    """
    stamp = Words(zone).stamp(now)
    state = replace(
        after,
        schedule_details=_stamped(before.schedule_details, after.schedule_details, stamp),
        service_details=_stamped(before.service_details, after.service_details, stamp),
        synced=before.synced,
    )
    return state if state == before else replace(state, synced=now)


def _stamped(before: str, after: str, stamp: str) -> str:
    plain = unstamped(after)
    if plain == unstamped(before):
        return before
    return f"{plain}{stamp}" if plain else ""
