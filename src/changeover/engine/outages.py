"""Asks a service that is left alone how it is, and tells people when that lasts (C-65, A-11); it works nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from changeover.airtable.errors import AirtableError
from changeover.core.plan import Alert, Level
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.stop import StopSwitch
from changeover.housecallpro import directory
from changeover.housecallpro.errors import HcpError
from changeover.store import alerts
from changeover.store.circuit import Circuit
from changeover.store.database import Database
from changeover.store.gate import Purpose
from changeover.store.hcp_gate import Purpose as HcpPurpose

LONG: Final = timedelta(minutes=5)
_SECONDS: Final = 30.0  # of a question to Housecall Pro at most


@dataclass(frozen=True, slots=True)
class Service:
    """An outside service: the alert's rule and subject, its name for people, its circuit, a small question to it."""

    rule: str
    subject: str
    called: str
    circuit: Circuit
    ask: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Outages:
    """What a worker looks after while it waits for work."""

    env: str
    database: Database
    switch: StopSwitch
    services: Sequence[Service]
    now: Callable[[], datetime]

    def look(self) -> None:
        """Asks each service that is left alone, if a question is due; opens its alert, or closes the one of ours."""
        for service in self.services:
            if service.circuit.state().opened_at is not None and self.switch.state().reads:
                with suppress(HcpError, AirtableError):
                    service.ask()
            self._tell(service)

    def _tell(self, service: Service) -> None:
        opened, now = service.circuit.state().opened_at, self.now()
        with self.database.read() as connection:
            found = alerts.show(connection, alerts.key_of(self.env, service.rule, service.subject))
        is_open = found is not None and found.resolved_at is None
        if opened is not None and now - opened >= LONG and not is_open:
            text = (
                f"{service.called} has not answered since {opened:%Y-%m-%d %H:%M} UTC: what needs it waits, "
                "and goes on by itself when it answers"
            )
            with self.database.begin() as connection:
                alerts.open_once(connection, self.env, Alert(service.rule, service.subject, Level.ERROR, text), now)
        elif opened is None and found is not None and is_open and found.run_id is None:
            # What a run has said only a run takes back: it may have been something else.
            with self.database.begin() as connection:
                alerts.resolve(connection, found.key, now)


def of_jobs(desk: JobDesk) -> Outages:
    """Both services that work on jobs needs."""
    base, hcp = desk.airtable, desk.hcp
    return Outages(
        desk.env,
        desk.db,
        desk.switch,
        (
            Service(
                "airtable_down",
                "airtable",
                "Airtable",
                base.gate.circuit,
                lambda: base.read("Environment", Purpose.CHECK),
            ),
            Service(
                "hcp_down",
                "housecallpro",
                "Housecall Pro",
                hcp.wiring.gate.circuit,
                lambda: directory.company(hcp.under(HcpPurpose.CHECK, _SECONDS)),
            ),
        ),
        desk.clock,
    )
