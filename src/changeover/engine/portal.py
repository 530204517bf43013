"""The automation Evolve: the portal's two tables are fetched by a browser and imported in the same step (R-80)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from changeover.core.plan import Alert, Level, Plan, counts_json
from changeover.engine import report_files, report_import
from changeover.engine.outcome import Failure, Outcome, changes_text, state_of
from changeover.engine.report_import import Read
from changeover.engine.work import Delivered, Done, Work
from changeover.ops import logging
from changeover.settings import Settings
from changeover.sources.csv.inbox import InboxFile
from changeover.sources.evolve.attempts import fetch
from changeover.sources.evolve.leftovers import prune
from changeover.sources.evolve.visit import Brought, Limits, Login, PortalFailure, Tab, Visit
from changeover.store import alerts, facts
from changeover.store.facts import Json
from changeover.store.runs import RunState

NAME = "Evolve"
LIMITS = Limits()
log = logging.get(__name__)

_WARNINGS = "portal_warning"
_DOWN, _SUBJECT = "portal_down", "evolve"
_TOLD_AT = 2  # failing runs in a row
_FAILED_RUNS = "evolve_failed_runs"


@dataclass(frozen=True, slots=True)
class Tabs:
    """The tabs of one run: what was brought, the file each was kept as, and how reading them went."""

    brought: Brought
    names: Mapping[str, Tab]
    read: Read

    @property
    def failing(self) -> dict[Tab, PortalFailure]:
        """Tabs that count for nothing: not brought, or wholly unusable when read (R-82)."""
        unusable = {
            self.names[each.file.name]: PortalFailure("bad_download", f"the file cannot be used: {each.cause}")
            for each in self.read.rejected
        }
        return dict(sorted((dict(self.brought.failures) | unusable).items()))

    @property
    def unfiltered(self) -> list[Tab]:
        """Tabs that show more than they were asked for: applied, but their silence proves nothing (R-81)."""
        return [self.names[each.files[-1].file.name] for each in self.read.results if each.unfiltered]

    @property
    def set_aside(self) -> int:
        return self.read.set_aside

    @property
    def first_failure(self) -> Failure | None:
        for tab, failure in self.failing.items():
            return Failure(failure.code, f"{tab.title}: {failure.text}", failure.unreachable)
        for tab in self.unfiltered:
            return Failure("portal_unfiltered", f"{tab.title}: the portal did not apply the filter")
        return self.read.first_failure


def run(work: Work) -> Done:
    """One run of the automation. Raises nothing for a portal, browser, file or row that fails (C-16)."""
    if not work.observe:
        return Done(Outcome(RunState.SUCCEEDED, "the portal was not asked"))
    login = _login(work.settings)
    if isinstance(login, Failure):
        return Done(Outcome.failed("the portal is not set up", login, work.run_id))
    _tidy(work)
    brought = fetch(_visit(work, login))
    _note(work, brought)
    if not brought.exports:
        return Done(_both_failed(work, brought))
    files = _kept(work, brought)
    stands_in_the_way = report_import.hindrance(work)
    if stands_in_the_way is not None:
        return Done(Outcome.failed("the portal's tables wait", stands_in_the_way, work.run_id))
    read = report_import.read(work, list(files))
    if isinstance(read, Failure):
        return Done(Outcome.failed("Airtable cannot be read", read, work.run_id))
    tabs = Tabs(brought, {each.name: tab for each, tab in files.items()}, read)
    plan = report_import.planned(work, read)
    delivered = Delivered() if work.dry_run else report_import.carried_out(work, read, plan, warnings=_WARNINGS)
    return Done(_outcome(work, tabs, plan, delivered), plan)


def _login(settings: Settings) -> Login | Failure:
    """Who we are in the portal. Switched on and not set up is a failure, and it names the settings that lack."""
    url, username, password = settings.evolve_portal_url, settings.evolve_username, settings.evolve_password
    given = {"EVOLVE_PORTAL_URL": url, "EVOLVE_USERNAME": username, "EVOLVE_PASSWORD": password}
    if not (url and username and password):
        missing = [name for name, value in given.items() if not value]
        return Failure("portal_not_set_up", f"not set: {', '.join(missing)}", configuration=True)
    return Login(url, username, password.get_secret_value())


def _visit(work: Work, login: Login) -> Visit:
    return Visit(
        login=login,
        folder=work.settings.folder / "browser" / work.run_id,
        zone=work.settings.timezone,
        suppliers=work.suppliers,
        sleep=work.sleep,
        asked_to_end=work.asked_to_end,
        limits=LIMITS,
    )


def _tidy(work: Work) -> None:
    """Before a visit: what a killed run has left is taken away or brought to its end."""
    if not work.dry_run:
        prune(work.settings.folder / "browser", work.now)
        report_files.move(work)
        report_files.prune_downloads(work)


def _kept(work: Work, brought: Brought) -> dict[InboxFile, Tab]:
    """Both exports under their names, Tab 1 before Tab 2 (R-80)."""
    stamp = f"{work.now.astimezone(work.rules.zone):%Y%m%d_%H%M%S}"
    return {
        report_files.keep(work, f"{stamp}_evolve_tab{tab.value}.csv", raw): tab
        for tab, raw in sorted(brought.exports.items())
    }


def _note(work: Work, brought: Brought) -> None:
    """Counts failing runs in a row; at the second the portal is said to be down, until one brings something (A-11)."""
    if work.dry_run:
        return
    with work.db.begin() as connection:
        work.still_ours(connection)
        if brought.exports:
            facts.forget(connection, _FAILED_RUNS)
            alerts.resolve(connection, alerts.key_of(work.env, _DOWN, _SUBJECT), work.now)
            return
        before = facts.read(connection, _FAILED_RUNS)
        number = 1 + (before.value if before is not None and isinstance(before.value, int) else 0)
        facts.put(connection, _FAILED_RUNS, number, work.now)
        if number >= _TOLD_AT:
            text = f"the Evolve portal gave nothing in {number} runs in a row: {_first(brought).text}; its stays stand"
            down = Alert(_DOWN, _SUBJECT, Level.ERROR, text)
            alerts.open_or_repeat(connection, work.env, down, work.now, work.run_id)


def _both_failed(work: Work, brought: Brought) -> Outcome:
    failure = _first(brought)
    whole = Outcome.failed("both tabs failed", failure, work.run_id)
    counters: dict[str, Json] = {"tabs": len(Tab), "tabs_failing": len(Tab), "attempts": brought.attempts}
    return Outcome(whole.state, whole.text, counters, failure)


def _first(brought: Brought) -> Failure:
    """What stood in the way of the first tab, as a run's failure."""
    cause = brought.failures[min(brought.failures)]
    return Failure(cause.code, cause.text, cause.unreachable)


def _outcome(work: Work, tabs: Tabs, plan: Plan, delivered: Delivered) -> Outcome:
    failing = tabs.failing
    undelivered = delivered.waiting + delivered.refused
    flawed = bool(undelivered or tabs.set_aside or tabs.unfiltered or plan.counts.of("held"))
    state = state_of(len(Tab) - len(failing), len(failing), flawed=flawed)
    counters = _counters(work, tabs, plan, delivered)
    failure = delivered.failure or tabs.first_failure
    if state is RunState.FAILED:
        cause = failure or Failure("bad_download", "unusable")
        whole = Outcome.failed("both tabs failed", cause, work.run_id)
        return Outcome(whole.state, whole.text, counters, cause)
    text = f"{len(Tab) - len(failing)}/{len(Tab)} tabs — {changes_text(plan.counts)}"
    for what, told in (
        ("failing:", ", ".join(tab.title for tab in failing)),
        ("filter not applied:", ", ".join(tab.title for tab in tabs.unfiltered)),
        ("rows set aside", str(tabs.set_aside or "")),
        ("not delivered", str(undelivered or "")),
    ):
        text += f" — {what} {told}" if told else ""
    return Outcome(state, text, counters, failure)


def _counters(work: Work, tabs: Tabs, plan: Plan, delivered: Delivered) -> dict[str, Json]:
    """The run's own numbers (R-89, R-90), for its record and for `--json`."""
    return {
        "tabs": len(Tab),
        "tabs_failing": len(tabs.failing),
        "attempts": tabs.brought.attempts,
        "rows": sum(each.rows for each in tabs.read.files),
        "rows_set_aside": tabs.set_aside,
        **counts_json(plan.counts),
        "not_delivered": delivered.waiting + delivered.refused,
        "airtable_calls": work.calls(),
    }
