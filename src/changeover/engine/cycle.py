"""A cycle that holds the lease: base, automations under gate and deadline, report; it knows no stay."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version

from changeover import rulefiles
from changeover.airtable import budget, controls
from changeover.airtable.client import AirtableClient
from changeover.airtable.deliver import enqueue
from changeover.airtable.errors import WrongBase
from changeover.core.plan import Alert, Level, Plan
from changeover.core.stay import Rules
from changeover.engine import watch
from changeover.engine.automations import Automation, carry_out
from changeover.engine.base import Base, Reader
from changeover.engine.delivering import Deliveries
from changeover.engine.housekeeping import keep_house
from changeover.engine.jobs.office import CycleTools, Office
from changeover.engine.lease import Lease, LeaseLost
from changeover.engine.outcome import Failure, Outcome, sync_details
from changeover.engine.process import host_name
from changeover.engine.results import AutomationResult, CycleResult, Refused, RunRequest, exit_code, overall
from changeover.engine.rules import RuleBook
from changeover.engine.stop import Stopped, StopSwitch
from changeover.engine.stopping import Interrupted, Reason, Stopping
from changeover.engine.work import Done, Work
from changeover.ops import logging
from changeover.settings import Settings
from changeover.store import alerts, runs
from changeover.store.database import Database
from changeover.store.gate import Gate
from changeover.store.run_ids import new_run_id
from changeover.store.runs import Ending, Run, RunState, Trigger

log = logging.get(__name__)

_CYCLE_DEADLINE = timedelta(minutes=60)


class Cycle:
    """One cycle. `run` raises Refused when the base is not ours to touch; all else is in its result."""

    def __init__(
        self,
        settings: Settings,
        book: RuleBook,
        request: RunRequest,
        db: Database,
        lease: Lease,
        stopping: Stopping,
        cycle_id: str,
        started: datetime,
    ) -> None:
        self._settings, self._request, self._db, self._lease = settings, request, db, lease
        self._stopping, self._id, self._started = stopping, cycle_id, started
        self._now = request.at or started
        self._switch = StopSwitch(settings.folder, db)
        self._rules, self._book = book.rules, book
        self._client = self._make_client()
        self._calls_before = self._calls_of_the_month()
        self._deliveries = Deliveries(settings, db, self._client, lease, stopping)
        self._results: list[AutomationResult] = []
        self._orphans: list[Alert] = []
        self._plan: Plan | None = None
        self._queued = self._asked_for()
        self._office: Office | None = None

    # -- the way of a cycle ------------------------------------------------------------------------------------------

    def run(self, chosen: Iterable[Automation]) -> CycleResult:
        self._end_orphans()
        base, chosen = self._read_base(), tuple(chosen)
        with self._stopping.within(_CYCLE_DEADLINE.total_seconds()):
            for automation in chosen:
                if self._ended_early() is not None:
                    break
                try:
                    self._results.append(self._automation(automation, base))
                except LeaseLost:
                    break
        self._report(base)
        result = self._result(base, whole=len(self._results) == len(chosen))
        self._keep_alerts(base, result.exit_code)
        if self._deliveries.durable is not None:
            zone, folder = self._rules.zone, self._settings.folder
            keep_house(self._db, self._deliveries.durable, self._started, zone, folder)
        return result

    @property
    def _gated(self) -> bool:
        """Whether the switches decide and are told: not for a decision carried out, nor for links looked for (C-15)."""
        return self._request.observe and self._request.gated

    def _asked_for(self) -> dict[str, str]:
        """The ids of the runs that were queued under this cycle, by automation (C-52)."""
        if self._request.cycle is None:
            return {}
        with self._db.read() as connection:
            return {each.automation: each.id for each in runs.queued(connection, self._id)}

    def close(self) -> None:
        self._deliveries.close()

    def _make_client(self) -> AirtableClient:
        settings = self._settings
        return AirtableClient(
            settings.airtable_base_id,
            settings.airtable_api_key.get_secret_value(),
            settings.airtable_endpoint_url,
            Gate(self._db, settings.airtable_base_id, sleep=self._stopping.sleep),
            guard=self._may_write,
            sleep=self._stopping.sleep,
        )

    def _may_write(self) -> None:
        """Asked before every outside write: nothing follows a stop, a signal or a lost lease (AT-29, C-33, E-1)."""
        self._stopping.check()
        try:
            self._switch.check_writes()
        except Stopped:
            self._stopping.ask(Reason.STOP_SWITCH)
            raise
        if not self._lease.held():
            self._stopping.ask(Reason.LEASE_LOST)
            self._stopping.check()

    def _ended_early(self) -> Reason | None:
        if not self._lease.held():
            self._stopping.ask(Reason.LEASE_LOST)
        return self._stopping.reason

    # -- before the automations --------------------------------------------------------------------------------------

    def _end_orphans(self) -> None:
        """Runs that died with their process are interrupted, said once (C-31)."""
        with self._db.begin() as connection:
            orphans = runs.interrupt_orphans(connection, self._lease.token, self._now)
            self._orphans = [watch.orphan_alert(each) for each in orphans]
            for alert in self._orphans:
                alerts.open_or_repeat(connection, self._settings.environment, alert, self._now, self._id)

    def _read_base(self) -> Base:
        """Marker, schema and switches; then what earlier runs left is delivered; then feeds and rows (C-3)."""
        reader, base = self._reader, Base()
        try:
            base = reader.verify_and_switches()
            if base.failure is None and base.facts is not None and not self._request.dry_run:
                base = replace(base, failure=self._deliveries.settle(base.facts))
            return reader.rows(base)
        except WrongBase as wrong:
            self._raise_alert(Alert("wrong_base", "base", Level.CRITICAL, _WRONG_BASE))
            raise Refused(RunState.FAILED, 4, f"{_WRONG_BASE} ({self._settings.environment} was asked for)") from wrong
        except (Interrupted, LeaseLost):
            return replace(base, failure=Failure("stopped", "the run was asked to end"))

    @property
    def _reader(self) -> Reader:
        env, spec = self._settings.environment, self._book.spec
        return Reader(self._client, self._db, spec, env, self._now, version("changeover"), self._rules)

    # -- one automation ----------------------------------------------------------------------------------------------

    def _automation(self, automation: Automation, base: Base) -> AutomationResult:
        started, clock = datetime.now(UTC), time.monotonic()
        run_id = self._queued.get(automation.name) or new_run_id(started)
        state = base.gate(automation.name) if self._gated else None
        self._record(automation, run_id, started, RunState.RUNNING)
        with logging.about(run_id=run_id, automation=automation.name):
            log.info("automation.started")
            done = self._done(automation, base, run_id, state)
            seconds = time.monotonic() - clock
            result = self._finish(automation, run_id, started, seconds, done)
            log.info("automation.ended", state=result.state, ms=round(seconds * 1000), text=result.text)
        return result

    def _done(self, automation: Automation, base: Base, run_id: str, state: RunState | None) -> Done:
        if state is RunState.CONTROL_UNAVAILABLE:
            cause = base.failure or Failure("control_unavailable", "the control table cannot be read")
            return Done(Outcome.failed("control table unreadable", cause, run_id, state))
        if state is not None:
            return Done(Outcome(state, _NOT_RUN[state]))
        drift = base.drift(automation.name)
        if drift is not None:
            return Done(Outcome.failed("the base lacks what this step needs", drift, run_id))
        return carry_out(automation, self._work(base, run_id), self._stopping)

    def _work(self, base: Base, run_id: str) -> Work:
        return Work(
            settings=self._settings,
            db=self._db,
            rules=self._rules_for(base),
            platforms=self._book.platforms,
            suppliers=self._book.suppliers,
            base=base,
            run_id=run_id,
            now=self._now,
            dry_run=self._request.dry_run,
            observe=self._request.observe,
            read_again=partial(self._reader.again, base),
            still_ours=self._lease.check,
            deliver=self._deliveries.deliver,
            calls=self._calls,
            sleep=self._stopping.sleep,
            jobs=partial(self._jobs, base),
            limit=self._request.limit,
            asked_to_end=lambda: self._stopping.reason is not None,
        )

    def _jobs(self, base: Base) -> Office:
        """What the steps of jobs share, opened by the first of them (J-71). Raises NotSetUp."""
        if self._office is None:
            tools = CycleTools(self._settings, self._db, self._book, self._client, self._may_write, self._stopping)
            read_again = partial(self._reader.again, base)
            self._office = tools.open(base, read_again, self._request.at, dry_run=self._request.dry_run)
        return self._office

    # -- after the automations ---------------------------------------------------------------------------------------

    def _finish(
        self, automation: Automation, run_id: str, started: datetime, seconds: float, done: Done
    ) -> AutomationResult:
        outcome = done.outcome
        state = RunState.STOPPED if self._was_stopped(outcome) else outcome.state
        failure = outcome.failure
        result = AutomationResult(
            id=run_id,
            name=automation.name,
            state=state,
            text=sync_details(outcome, started, seconds, self._rules.zone),
            counters=outcome.counters,
            error_code=failure.code if failure else None,
            error_text=failure.text if failure else None,
            started_at=started,
            seconds=seconds,
            unreachable=failure.unreachable if failure else False,
            configuration=failure.configuration if failure else False,
        )
        self._plan = self._plan.then(done.plan) if self._plan and done.plan else done.plan or self._plan
        with self._db.begin() as connection:
            ending = Ending(state, datetime.now(UTC), result.counters, result.error_code, result.error_text)
            runs.finish(connection, run_id, ending)
        return result

    def _was_stopped(self, outcome: Outcome) -> bool:
        unfinished = outcome.state not in (RunState.SUCCEEDED, RunState.DISABLED, RunState.NOT_CONFIGURED)
        return unfinished and self._ended_early() in (Reason.SIGNAL, Reason.STOP_SWITCH, Reason.LEASE_LOST)

    def _record(self, automation: Automation, run_id: str, started: datetime, state: RunState) -> None:
        run = Run(
            id=run_id,
            cycle=self._id,
            env=self._settings.environment,
            automation=automation.name,
            trigger=Trigger(self._request.trigger),
            state=state,
            started_at=started,
            version=version("changeover"),
            host=host_name(),
            pid=os.getpid(),
            token=self._lease.token,
            who=self._request.who,
            dry_run=self._request.dry_run,
            config_hash=rulefiles.digest(self._settings.config),
        )
        with self._db.begin() as connection:
            self._lease.check(connection)
            runs.begin(connection, run)

    def _report(self, base: Base) -> None:
        """Last Ran Time and Sync Details of all rows in one request; with the base down it waits (C-40, C-41)."""
        told = [each for each in self._results if each.state.carried_out] if self._gated else []
        if not told or self._request.dry_run or base.facts is None:
            return
        results = [controls.Result(each.name, each.text, each.started_at) for each in told]
        try:
            with self._db.begin() as connection:
                self._lease.check(connection)
                enqueue(
                    connection,
                    self._id,
                    Plan(self._now),
                    controls.result_writes(connection, results),
                    schema=base.facts,
                )
            self._deliveries.deliver(self._id)
        except LeaseLost:
            log.warning("report.not_sent", reason="lease lost")

    def _keep_alerts(self, base: Base, code: int) -> None:
        if self._request.dry_run:
            return
        spent = budget.budget_alert(self._calls_of_the_month(), self._settings.airtable_monthly_limit, self._started)
        env = self._settings.environment
        ended = watch.Ended(env, self._id, self._now, base, self._results, code, spent, self._orphans)
        with self._db.begin() as connection:
            watch.keep(connection, ended)

    def _raise_alert(self, alert: Alert) -> None:
        with self._db.begin() as connection:
            alerts.open_or_repeat(connection, self._settings.environment, alert, self._now, self._id)

    def _result(self, base: Base, *, whole: bool) -> CycleResult:
        reason = self._ended_early()
        finished = whole and not any(each.state is RunState.STOPPED for each in self._results)
        code = exit_code(self._results, stopped=reason is not None and not finished)
        problem = base.failure.text if base.failure else (f"ended early: {reason}" if code == _STOPPED else None)
        state = overall(code, self._results)
        return CycleResult(self._id, state, code, tuple(self._results), self._plan, problem)

    def _calls(self) -> int:
        """Requests to the base since this cycle began, by every process that shares its gate (AT-38)."""
        return self._calls_of_the_month() - self._calls_before

    def _calls_of_the_month(self) -> int:
        return sum(self._client.gate.calls(f"{self._started:%Y-%m}").values())

    def _rules_for(self, base: Base) -> Rules:
        writes = base.facts is None or base.facts.final_service_time
        return replace(self._rules, writes_service_time=writes)


_STOPPED = 6
_NOT_RUN = {
    RunState.DISABLED: "not run: its row in the table Automation is not ticked",
    RunState.NOT_CONFIGURED: "not run: the table Automation has no row of this name",
}
_WRONG_BASE = "the base of AIRTABLE_BASE_ID belongs to another environment, or its Environment table has two rows"
