"""Work on webhooks: all that wait for one job done together, tried again, given up (J-76 … J-82); it reads no job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from changeover.airtable.errors import AirtableError
from changeover.core.plan import Alert, Level
from changeover.engine import hook_alerts
from changeover.engine.hook_intake import summary
from changeover.engine.jobs.failures import failure_of
from changeover.engine.jobs.following import Effect, Followed
from changeover.engine.jobs.trying import HALTED, LEFT_ALONE, PAUSED, REFUSED
from changeover.engine.lines import WAITS
from changeover.engine.stop import StopSwitch
from changeover.engine.stopping import Interrupted
from changeover.housecallpro import webhooks
from changeover.housecallpro.client import Object
from changeover.housecallpro.errors import HcpError
from changeover.housecallpro.webhooks import Webhook
from changeover.ops import logging
from changeover.store import alerts, events, hooks
from changeover.store.database import Database
from changeover.store.events import Event, EventState
from changeover.store.facts import Json

log = logging.get(__name__)

STOPPED = timedelta(seconds=60)
_SLACK = timedelta(seconds=1)
_LOOKED_AT = 50  # of so many webhooks, the last ones, the job itself is looked for
_SUBJECT = "webhooks"
_DEAD = "dead_letter"


class Next(NamedTuple):
    """When a job's webhooks are looked at again: the webhook that carries it, its attempt's number, the seconds."""

    event_id: str
    attempt: int
    seconds: float


@dataclass(slots=True)
class Pause:
    """Until when no service is asked, as one has refused us as a whole; `rules` are the alerts that say so."""

    until: datetime | None = None
    rules: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class HookDesk:
    """What webhooks of one environment are worked with. `follow` is given a job, its events and what they show of it.

    It raises the clients' errors, and Interrupted when the worker is to end.
    """

    env: str
    database: Database
    switch: StopSwitch
    follow: Callable[[str, Sequence[str], Object | None], Followed]
    now: Callable[[], datetime]
    pause: Pause = field(default_factory=Pause)


def work(desk: HookDesk, event_id: str) -> tuple[Next, ...]:
    """Works a webhook and with it all that wait for the same job: one read, at most one update (J-76).

    Safe to repeat when cut short at any point, as the job itself is read each time. Raises SQLAlchemyError.
    """
    with desk.database.read() as connection:
        waiting = hooks.waiting(connection, hooks.job_of(connection, event_id))
    event = next((each for each in waiting if each.id == event_id), None)
    if event is None or not _is_due(event, desk.now()):
        return ()  # done with others of its job, or tried with them and to be tried again with them
    burst = _Burst(str(event.payload["job_id"]), event_id, waiting)
    if desk.pause.until is not None and desk.now() < desk.pause.until:
        return _put_off(desk, burst, desk.pause.until - desk.now())
    if _stands_still(desk, burst):
        return _put_off(desk, burst, STOPPED)
    return _tried(desk, burst)


@dataclass(frozen=True, slots=True)
class _Burst:
    """The webhooks that wait for one job, oldest first, and the one whose work this is."""

    job_id: str
    carrier: str
    waiting: Sequence[Event]

    @property
    def names(self) -> list[str]:
        return [str(each.payload["event"]) for each in self.waiting]


def _tried(desk: HookDesk, burst: _Burst) -> tuple[Next, ...]:
    try:
        done = desk.follow(burst.job_id, burst.names, _newest(desk, burst))
    except Interrupted:
        return _put_off(desk, burst, timedelta(0))
    except HALTED:
        return _put_off(desk, burst, STOPPED, read=desk.switch.state().reads)
    except REFUSED as refusal:
        return _paused(desk, burst, refusal)
    except LEFT_ALONE as left:  # nobody was asked (C-65)
        return _put_off(desk, burst, timedelta(seconds=left.after))
    except (HcpError, AirtableError) as error:
        return _again(desk, burst, failure_of(error).text, timedelta(seconds=error.after))
    except Exception as error:  # the edge of a webhook's work: whatever it is, it waits for another try
        log.exception("webhook.try_failed", job_id=burst.job_id, error=type(error).__name__)
        return _again(desk, burst, type(error).__name__)
    _end(desk, burst, done)
    return ()


def _stands_still(desk: HookDesk, burst: _Burst) -> bool:
    """Whether the stop switch leaves nothing to do (E-5): no reads at all, or no writes and all was read already."""
    stop = desk.switch.state()
    return not stop.reads or (not stop.writes and all(each.payload.get("read") for each in burst.waiting))


def _newest(desk: HookDesk, burst: _Burst) -> Object | None:
    """The job as the newest of them shows it, by the service's clock; None where none shows one."""
    newest: Webhook | None = None
    for event in burst.waiting[-_LOOKED_AT:]:
        with desk.database.read() as connection:
            body = hooks.body(connection, event.id)
        webhook = None if body is None else webhooks.read(body)
        if webhook is None or webhook.job() is None:
            continue
        if newest is None or webhook.occurred_at >= newest.occurred_at:
            newest = webhook
    return None if newest is None else newest.payload


# -- how it ends -------------------------------------------------------------------------------------------------------


def _end(desk: HookDesk, burst: _Burst, done: Followed) -> None:
    """All are done, those given up before need nobody any more, and both services are well."""
    now = desk.now()
    state = EventState.UNMATCHED if done.effect is Effect.UNMATCHED else EventState.DONE
    more: dict[str, Json] = {"effect": str(done.effect), "record_id": done.record_id, "reason": ""}
    with desk.database.begin() as connection:
        events.put(connection, [_ended(each, state, more, now) for each in burst.waiting])
        alerts.resolve(connection, alerts.key_of(desk.env, _DEAD, _of_job(burst.job_id)), now)
        hook_alerts.came(connection, desk.env, now)
        for rule in desk.pause.rules:
            alerts.resolve(connection, alerts.key_of(desk.env, rule, _SUBJECT), now)
    desk.pause.until, desk.pause.rules = None, set()
    log.info("webhook.ended", job_id=burst.job_id, events=len(burst.waiting), state=state, effect=done.effect)


def give_up(desk: HookDesk, event: Event, reason: str) -> None:
    """A webhook that is not tried any more: it fails, and waits for `events replay` or its job's next one (J-78)."""
    now, job_id = desk.now(), str(event.payload["job_id"])
    text = (
        f"What happened to {job_id} could not be worked: {reason}. Its next webhook or the next cycle makes up for it; "
        "`changeover events replay` tries it again."
    )
    with desk.database.begin() as connection:
        events.put(connection, [_ended(event, EventState.FAILED, {"reason": reason}, now)])
        alerts.open_or_repeat(connection, desk.env, Alert(_DEAD, _of_job(job_id), Level.ERROR, text), now)
    log.warning("webhook.ended", event_id=event.id, job_id=job_id, state=EventState.FAILED, reason=reason)


def _ended(event: Event, state: EventState, more: dict[str, Json], now: datetime) -> Event:
    payload = {**event.payload, **more}
    return replace(event, state=state, ended_at=now, payload=payload, summary=summary(payload, str(state)))


def _again(desk: HookDesk, burst: _Burst, cause: str, after: timedelta = timedelta(0)) -> tuple[Next, ...]:
    """Notes a try that failed, for those whose try it was; after the last one they are dead letters (C-64)."""
    now, left = desk.now(), []
    for event in burst.waiting:
        tries = event.number("tries")
        if not _is_due(event, now):
            left.append(event)
        elif tries == len(WAITS):
            give_up(desk, event, f"gave up after {tries + 1} tries: {cause}")
        else:
            due = now + max(WAITS[tries], after)
            left.append(_noted(event, due, tries=tries + 1, reason=cause))
    return _keep(desk, burst, left)


def _put_off(desk: HookDesk, burst: _Burst, wait: timedelta, *, read: bool = False) -> tuple[Next, ...]:
    """Nothing can be done at the moment, and that is no failed try; `read` when the job was read all the same."""
    due = desk.now() + wait
    more: dict[str, Json] = {"read": True} if read else {}
    return _keep(desk, burst, [_noted(each, due, **more) for each in burst.waiting])


def _paused(desk: HookDesk, burst: _Burst, refusal: HcpError | AirtableError) -> tuple[Next, ...]:
    """A service refuses us as a whole: it is left alone for a while, and a person is told (C-64)."""
    now, failure = desk.now(), failure_of(refusal)
    text = f"{failure.text}: webhooks wait, and are worked as soon as that is put right"
    desk.pause.until = now + PAUSED
    desk.pause.rules.add(failure.code)
    with desk.database.begin() as connection:
        alerts.open_or_repeat(connection, desk.env, Alert(failure.code, _SUBJECT, Level.CRITICAL, text), now)
    return _put_off(desk, burst, PAUSED)


def _keep(desk: HookDesk, burst: _Burst, left: Sequence[Event]) -> tuple[Next, ...]:
    """Stores what became of those that are left, and has the first that is due carry them on."""
    if not left:
        return ()
    now = desk.now()
    first = min(left, key=lambda each: (_due(each) or now, each.id != burst.carrier))
    attempt = first.number("attempt", 1) + 1
    carrying = replace(first, payload={**first.payload, "attempt": attempt})
    with desk.database.begin() as connection:
        events.put(connection, [carrying if each is first else each for each in left])
    return (Next(first.id, attempt, max(((_due(first) or now) - now).total_seconds(), 0.0)),)


def _noted(event: Event, due: datetime, **more: Json) -> Event:
    payload = {**event.payload, **more, "due": due.isoformat()}
    tries, reason = payload.get("tries"), payload["reason"]
    word = f"try {tries} failed" if tries and reason else str(event.state)
    return replace(event, payload=payload, summary=summary(payload, word))


def _is_due(event: Event, now: datetime) -> bool:
    due = _due(event)
    return due is None or now + _SLACK >= due


def _due(event: Event) -> datetime | None:
    """When it is to be tried next; None for at once."""
    due = event.payload.get("due")
    return datetime.fromisoformat(due) if isinstance(due, str) else None


def _of_job(job_id: str) -> str:
    return f"hcp:{job_id}"
