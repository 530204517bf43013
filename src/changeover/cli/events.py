"""`changeover events`: what came in and how it ended, and having it worked again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from changeover.cli.opening import open_settings, open_store
from changeover.cli.say import EnvOption, JsonOption, refuse, show, show_json, table
from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.settings import Settings
    from changeover.store.database import Database
    from changeover.store.events import Event

Word = TypeVar("Word", bound=StrEnum)

app = typer.Typer(help="What came in: mails, reports, rows set aside, webhooks, clicks.", no_args_is_help=True)

KindOption = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Only this kind: mail, csv_row, csv_file, hcp, click.")
]
StateOption = Annotated[str | None, typer.Option("--state", metavar="STATE", help="Only in this state, such as held.")]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids, as `events list` shows them.")]


@app.command("list")
def list_events(
    env: EnvOption,
    kind: KindOption = None,
    state: StateOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what came in, newest first."""
    from changeover.store import events
    from changeover.store.events import EventKind, EventState

    kinds = (_word(EventKind, kind, "--kind"),) if kind else ()
    states = (_word(EventState, state, "--state"),) if state else ()
    settings = open_settings(env, as_json=as_json, level="WARNING")
    store = open_store(settings)
    found: tuple[Event, ...] = ()
    if store is not None:
        with store.read() as connection:
            found = events.recent(connection, limit, kinds=kinds, states=states)
        store.close()
    if as_json:
        show_json({"events": [event_json(each) for each in found]})
    elif not found:
        show("Nothing has come in yet." if not (kind or state) else "There is no such event.")
    else:
        table(("Event", "Kind", "State", "Received", "Summary"), (_row(each, settings) for each in found))


@app.command("show")
def show_event(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="An event's id, as `events list` shows it.")],
    env: EnvOption,
    payload: Annotated[
        bool, typer.Option("--payload", help="Print what came in as well; it may hold guests' names.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one event; what it holds of guests only with --payload."""
    settings = open_settings(env, as_json=as_json, level="WARNING")
    event = next(iter(_find(settings, [event_id])), None)
    if event is None:
        raise refuse(f"There is no event {event_id} in {env}.", as_json=as_json, code=Exit.FAILED)
    told = event_json(event) | _details(event) | _of_webhook(settings, event, body=payload)
    if payload:
        told["payload"] = dict(event.payload)
    if as_json:
        show_json(told)
        return
    for name, value in told.items():
        if value not in (None, "", [], {}):
            show(f"{name:<12} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


@app.command()
def replay(env: EnvOption, ids: IdsArgument, as_json: JsonOption = False) -> None:
    """Have mails, webhooks and clicks worked again, and put rows that were set aside into the inbox.

    A held mail is thereby accepted.
    """
    settings = open_settings(env, as_json=as_json, level="WARNING")
    store = open_store(settings)
    done = _Replayed() if store is None else _replay(settings, store, ids)
    unknown = sorted(set(ids) - done.known)
    if as_json:
        show_json(done.to_json() | {"unknown": unknown})
    else:
        for line in done.lines():
            show(line)
    if unknown:
        raise refuse(f"Nothing to replay in {env}: {', '.join(unknown)}", as_json=False, code=Exit.FAILED)


@dataclass(frozen=True, slots=True)
class _Replayed:
    """What was asked for again: what is to be worked, what waits anyway, and the files of rows in the inbox."""

    mails: tuple[str, ...] = ()
    webhooks: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def known(self) -> set[str]:
        return {*self.mails, *self.webhooks, *self.clicks, *self.waiting, *self.rows}

    def to_json(self) -> dict[str, object]:
        return {
            "mails": list(self.mails),
            "webhooks": list(self.webhooks),
            "clicks": list(self.clicks),
            "waiting": list(self.waiting),
            "files": list(self.files),
        }

    def lines(self) -> list[str]:
        found = [
            f"{each} is worked again as soon as a worker runs." for each in (*self.mails, *self.webhooks, *self.clicks)
        ]
        found += [f"{each} waits for its next try anyway." for each in self.waiting]
        found += [f"{each} is in the inbox; the next run reads it." for each in self.files]
        return found


def _replay(settings: Settings, store: Database, ids: Sequence[str]) -> _Replayed:
    from changeover.engine import click_replay, hook_replay, mail_replay
    from changeover.engine.replay import replay as replay_rows
    from changeover.engine.replaying import Asked
    from changeover.store.events import EventKind

    found, now = _find(settings, ids), datetime.now(UTC)
    by_kind = {kind: [each for each in found if each.kind is kind] for kind in EventKind}
    mails, webhooks, clicks = (by_kind.pop(each) for each in (EventKind.MAIL, EventKind.HCP, EventKind.CLICK))
    others = [each.id for each in found if each.kind in by_kind]
    env = settings.environment
    asked = mail_replay.replay(env, store, mails, now) if mails else Asked()
    told = hook_replay.replay(env, store, webhooks, now) if webhooks else Asked()
    asked_again = click_replay.replay(env, store, clicks, now) if clicks else Asked()
    rows = replay_rows(settings, store, others) if others else None
    store.close()
    return _Replayed(
        mails=asked.again,
        webhooks=told.again,
        clicks=asked_again.again,
        waiting=(*asked.waiting, *told.waiting, *asked_again.waiting),
        rows=tuple(each for each in others if rows and each not in rows.unknown),
        files=rows.files if rows else (),
    )


def _find(settings: Settings, ids: Sequence[str]) -> tuple[Event, ...]:
    from changeover.store import events

    store = open_store(settings)
    if store is None:
        return ()
    with store.read() as connection:
        found = events.find(connection, ids)
    store.close()
    return found


def event_json(event: Event) -> dict[str, object]:
    """An event as scripts read it; nothing of a guest."""
    return {
        "id": event.id,
        "kind": str(event.kind),
        "state": str(event.state),
        "received_at": event.received_at.isoformat(),
        "summary": event.summary,
    }


def _of_webhook(settings: Settings, event: Event, *, body: bool) -> dict[str, object]:
    """How often a webhook came again, and its raw body where that is asked for; nothing of any other event."""
    from changeover.store import hooks

    store = open_store(settings) if hooks.of(event) else None
    if store is None:
        return {}
    with store.read() as connection:
        raw = hooks.body(connection, event.id) if body else None
        repeats = hooks.repeats(connection, [event.id]).get(event.id, 0)
    store.close()
    return {"repeats": repeats} | ({} if raw is None else {"body": raw.decode("utf-8", "replace")})


def _details(event: Event) -> dict[str, object]:
    """What else is safe to show: where it came from and what became of it."""
    of_webhooks = ("event", "job_id", "record_id", "effect", "due", "action", "who")
    of_reports = ("supplier", "files", "file", "line", "path")
    safe = (*of_webhooks, *of_reports, "reason", "size", "sha256", "tries")
    found: dict[str, object] = {name: event.payload[name] for name in safe if event.payload.get(name)}
    return {"ended_at": event.ended_at.isoformat() if event.ended_at else None, **found}


def _word(words: type[Word], typed: str, option: str) -> Word:
    """A kind or state as it was typed. Raises BadParameter, naming all there are."""
    try:
        return words(typed.strip().lower())
    except ValueError:
        known = ", ".join(words)
        raise typer.BadParameter(f"{typed}; valid: {known}", param_hint=option) from None


def _row(event: Event, settings: Settings) -> tuple[str, ...]:
    received = event.received_at.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    return event.id, str(event.kind), str(event.state), received, event.summary
