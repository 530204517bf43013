"""`changeover run` and the two runner files: ask the controller for a cycle and show what came of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from changeover.cli.opening import open_settings, open_store, who
from changeover.cli.say import EnvOption, JsonOption, complain, refuse, show, show_json
from changeover.engine.stopping import Stopping
from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.controller import CycleResult
    from changeover.core.plan import Plan
    from changeover.settings import Settings

OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="Run only this automation; may be given several times."),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Print what would change; write nothing anywhere, move no counter.")
]
# Sets the business's clock in a rehearsal, where every outside service is a stand-in on this machine.
AtOption = Annotated[str | None, typer.Option("--at", hidden=True, metavar="INSTANT")]
# What the run's record says of who began it; the worker is no person at a terminal.
TriggerOption = Annotated[Literal["cli", "mail", "api", "button", "dashboard"], typer.Option("--trigger", hidden=True)]
# The id under which a worker was asked for these runs.
CycleOption = Annotated[str | None, typer.Option("--cycle", hidden=True, metavar="ID")]


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a cycle as they were typed."""

    only: tuple[str, ...]
    dry_run: bool
    at: str | None
    cycle: str | None = None


def run(
    env: EnvOption,
    only: OnlyOption = None,
    dry_run: DryRunOption = False,
    at: AtOption = None,
    trigger: TriggerOption = "cli",
    cycle: CycleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one cycle now: read the calendars, plan, write to Airtable."""
    raise typer.Exit(_run(env, trigger, Asked(tuple(only or ()), dry_run, at, cycle), as_json=as_json))


def main(env: str) -> int:
    """What the runner files call: `run` without `--env`, so that nothing can change their environment (C-1)."""
    from changeover.cli.main import call

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

    @app.command(help=f"Run one cycle of the {env} environment.")
    def cycle(
        only: OnlyOption = None, dry_run: DryRunOption = False, at: AtOption = None, as_json: JsonOption = False
    ) -> None:
        raise typer.Exit(_run(env, "cron", Asked(tuple(only or ()), dry_run, at), as_json=as_json))

    return call(app, sys.argv[1:], f"run_automation_{env}")


def show_cycle(result: CycleResult) -> None:
    """A line per automation, as the control table says it, and what stood in the way."""
    for each in result.automations:
        show(f"{each.name:<20} {each.state:<15} {each.text}")
    if result.problem:
        complain(result.problem)


def _run(env: str, trigger: str, asked: Asked, *, as_json: bool) -> int:
    """Listens to signals before anything else, so that one during the start ends it in order as well (C-33)."""
    stopping = Stopping()
    with stopping.on_signals():
        return _listening(env, trigger, asked, stopping, as_json=as_json)


def _listening(env: str, trigger: str, asked: Asked, stopping: Stopping, *, as_json: bool) -> int:
    settings = cycle_settings(env, stopping, as_json=as_json)
    from changeover import controller

    request = controller.RunRequest(
        only=asked.only,
        dry_run=asked.dry_run,
        trigger=trigger,
        who=who() if trigger == "cli" else None,
        at=_instant(asked.at, settings, as_json=as_json),
        cycle=asked.cycle,
    )
    result = controller.run(settings, request, stopping)
    tidy_logs(settings)
    if as_json:
        show_json(cycle_json(result))
    else:
        if result.plan is not None and asked.dry_run:
            _show_plan(result.plan, settings)
        show_cycle(result)
    return result.exit_code


def cycle_settings(env: str, stopping: Stopping, *, as_json: bool) -> Settings:
    """The settings; who ends this process may have ended the child that compares them, which is no wrong setting."""
    try:
        return open_settings(env, as_json=as_json, process="cycle")
    except (typer.Exit, RuntimeError):
        if stopping.reason is None:
            raise
        raise refuse(f"ended early: {stopping.reason}", as_json=as_json, code=Exit.STOPPED) from None


def tidy_logs(settings: Settings) -> None:
    """Compresses and deletes old day files (L-3); a full disk does not turn a good run into a failed one."""
    from changeover.ops import logfiles, logging

    try:
        logfiles.tidy(settings.folder / "logs", datetime.now(UTC), settings.zone)
    except OSError as error:
        logging.get(__name__).warning("logs.not_tidied", reason=error.strerror)


def _instant(text: str | None, settings: Settings, *, as_json: bool) -> datetime | None:
    """The rehearsal's clock, refused wherever a real service is configured: only stand-ins may live on another day."""
    if text is None:
        return None
    from changeover.settings import is_loopback

    if not all(is_loopback(url) for url in settings.outside_urls):
        raise refuse("--at works only where every configured address is on this machine.", as_json=as_json)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise refuse("--at needs an ISO instant with its offset, such as 2026-03-04T08:00:00-07:00.", as_json=as_json)
    return instant


def _show_plan(plan: Plan, settings: Settings) -> None:
    """A line per change, homes by their names where the mirror knows them."""
    names: dict[str, str] = {}
    store = open_store(settings)
    if store is not None:
        from changeover.airtable import mirror

        with store.read() as connection:
            names = {each.record_id: each.name for each in mirror.properties(connection)}
        store.close()
    for line in plan.lines(names):
        show(line)


def cycle_json(result: CycleResult) -> dict[str, object]:
    answer: dict[str, object] = {
        "id": result.id,
        "state": str(result.state),
        "exit_code": result.exit_code,
        "problem": result.problem,
        "automations": [
            {
                "id": each.id,
                "name": each.name,
                "state": str(each.state),
                "text": each.text,
                "counters": each.counters,
                "error": {"code": each.error_code, "message": each.error_text} if each.error_code else None,
                "started_at": each.started_at.isoformat(),
                "seconds": each.seconds,
            }
            for each in result.automations
        ],
    }
    if result.plan is not None:
        answer["plan"] = result.plan.to_json()
    return answer
