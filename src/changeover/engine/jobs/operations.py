"""What a click does to a row's job, and the answer it gets (§13): the one door for buttons and API."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from changeover.airtable import errors as airtable_errors
from changeover.airtable.errors import AirtableError
from changeover.core.job import JobRow
from changeover.core.job_action import Action as Action  # noqa: PLC0414 - part of this door
from changeover.core.job_texts import Words
from changeover.engine.jobs import creating, lines, scheduling
from changeover.engine.jobs.claims import Busy, claim
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.jobs.rows import Refused
from changeover.engine.jobs.trying import Again, again
from changeover.engine.lease import Lease, LeaseLost
from changeover.housecallpro import errors as hcp_errors
from changeover.housecallpro.errors import HcpError
from changeover.housecallpro.models import instant_text
from changeover.ops import logging
from changeover.store.facts import Json
from changeover.store.gate import Purpose
from changeover.store.hcp_gate import Purpose as HcpPurpose

log = logging.get(__name__)

_RATE_LIMIT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person is told (J-106). `http` is the status it answers with, `after` when to try again, in seconds.

    `again`: whether the work goes on by itself.
    """

    success: bool
    environment: str
    job_id: str | None = None
    appointment_id: str | None = None
    scheduled_time: str | None = None
    service_name: str | None = None
    sync_status: str | None = None
    sync_details: str | None = None
    code: str | None = None
    error: str | None = None
    http: int = 200
    after: int | None = None
    again: Again = Again.NEVER

    def to_json(self) -> dict[str, Json]:
        """The body of the answer (ARCHITECTURE §7)."""
        if not self.success:
            return {"success": False, "code": self.code, "error": self.error}
        return {
            "success": True,
            "environment": self.environment,
            "jobId": self.job_id,
            "appointmentId": self.appointment_id,
            "scheduledTime": self.scheduled_time,
            "serviceName": self.service_name,
            "syncStatus": self.sync_status,
            "syncDetails": self.sync_details,
        }

    def to_stored(self) -> dict[str, Json]:
        """Body, status and wait, as an operation keeps them."""
        return {"http": self.http, "after": self.after, "body": self.to_json()}


def perform(desk: JobDesk, action: Action, record_id: str) -> Answer:
    """Does what a person asked for (J-44 … J-65, J-94 … J-103). Whatever goes wrong outside is in the answer.

    Raises only what ends this process's work: Interrupted, SQLAlchemyError. What was begun goes on at the next try.
    """
    desk = desk.under(HcpPurpose.BUTTON, Purpose.CLICK, desk.pauses.click)
    with logging.about(record_id=record_id, action=action.value):
        answer = _answered(desk, action, record_id)
        log.info("click.done", success=answer.success, code=answer.code, job_id=answer.job_id)
    return answer


def _answered(desk: JobDesk, action: Action, record_id: str) -> Answer:
    try:
        desk.check_reads()
        with claim(desk.db, record_id[:_LONGEST_ID], desk.pauses.claim, desk.sleep) as lease:
            return _DO[action](desk, lease, record_id)
    except (Busy, LeaseLost):
        return _no(desk, "busy", "Another action on this row is under way.", 409)
    except Refused as refused:
        return _no(desk, refused.refusal.code, refused.refusal.text, refused.refusal.code.http)
    except HcpError as error:
        desk.check_end()
        return replace(_hcp_error(desk, error), again=again(error))
    except AirtableError as error:
        desk.check_end()
        return replace(_airtable_error(desk, error), again=again(error))


_LONGEST_ID: Final = 40


def _create(desk: JobDesk, lease: Lease, record_id: str) -> Answer:
    return _yes(desk, creating.by_button(desk, lease, record_id).row)


def _update(desk: JobDesk, _lease: Lease, record_id: str) -> Answer:
    done = scheduling.update(desk, record_id)
    return _yes(desk, done.row, done.said)


def _delete(desk: JobDesk, _lease: Lease, record_id: str) -> Answer:
    done = scheduling.delete(desk, record_id)
    return _yes(desk, done.row, done.said)


def _line(desk: JobDesk, _lease: Lease, record_id: str) -> Answer:
    return _yes(desk, lines.by_button(desk, record_id))


_DO: Final[Mapping[Action, Callable[[JobDesk, Lease, str], Answer]]] = {
    Action.CREATE: _create,
    Action.UPDATE: _update,
    Action.DELETE: _delete,
    Action.LINE: _line,
}


def _yes(desk: JobDesk, row: JobRow, said: str = "") -> Answer:
    state, words = row.job, Words(desk.rules.zone)
    if not said and not state.schedule_details and state.scheduled is not None:
        said = words.in_sync(state.scheduled)
    details = f"{said}{words.stamp(desk.clock())}" if said else state.schedule_details
    return Answer(
        success=True,
        environment=desk.env,
        job_id=state.job_id or None,
        appointment_id=state.appointment_id or None,
        scheduled_time=None if state.scheduled is None else instant_text(state.scheduled),
        service_name=state.hcp_line or state.line or lines.ours(row, desk.rules),
        sync_status=state.sync_status or None,
        sync_details=details or None,
    )


def _no(desk: JobDesk, code: str, text: str, http: int, after: float | None = None) -> Answer:
    wait = None if after is None else max(1, math.ceil(after))
    return Answer(success=False, environment=desk.env, code=str(code), error=text, http=http, after=wait)


def _hcp_error(desk: JobDesk, error: HcpError) -> Answer:
    if isinstance(error, hcp_errors.Halted):
        return _stopped(desk)
    if isinstance(error, hcp_errors.RateLimited):
        return _no(desk, "rate_limited", f"{error.text}.", 429, error.after or _RATE_LIMIT_SECONDS)
    log.warning("click.hcp_error", error=type(error).__name__, status=error.status)
    return _no(desk, "hcp_error", _goes_on(error.text, again(error)), 502)


def _airtable_error(desk: JobDesk, error: AirtableError) -> Answer:
    if isinstance(error, airtable_errors.Halted):
        return _stopped(desk)
    if isinstance(error, airtable_errors.RateLimited):
        text = "Airtable allows no more calls right now."
        return _no(desk, "rate_limited", text, 429, error.after or _RATE_LIMIT_SECONDS)
    log.warning("click.airtable_error", error=str(error), status=error.status)
    return _no(desk, "airtable_error", _goes_on(f"Airtable did not do this ({error})", again(error)), 502)


def _goes_on(text: str, tried: Again) -> str:
    """One sentence: what was wrong, and whether anybody has to do anything."""
    return f"{text.rstrip('.')}{_MORE[tried]}."


_MORE: Final = {
    Again.NEVER: "",
    Again.LATER: "; it is tried again by itself",
    Again.ONCE_TAKEN: "; it is done by itself as soon as that is put right",
}


def _stopped(desk: JobDesk) -> Answer:
    level = desk.switch.state()
    why = f": {level.why}" if level.why else ""
    return _no(desk, "stopped", f"Changeover is stopped (level {level.level}{why}).", 423)
