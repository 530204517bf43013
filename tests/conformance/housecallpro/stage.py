"""A stand-in made ready as a person makes an account ready: a customer for tests, and a job in each state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp.typedefs import Middleware

from changeover_sandbox.housecallpro.app import create_app
from conformance.housecallpro.access import Access
from conformance.housecallpro.recording import recording
from plugins.housecallpro import DEV, PLACE, REPEAT_AFTER, Clock, Server, Service

LINES = [{"name": "Turnover", "unit_price": 14500}, {"name": "Linen", "unit_price": 1500, "quantity": 2.5}]
LATER = "2026-03-05T17:15:00Z"


@contextmanager
def stand_in(*changes: Middleware) -> Iterator[Service]:
    """One that is served by a thread of this process, and whose answers may be changed on their way."""
    clock = Clock()
    app = create_app(None, [DEV], clock=clock, repeat_after=REPEAT_AFTER)
    app.middlewares[1:1] = changes  # outside the service itself, inside the journal
    running = Server(app)
    try:
        yield Service(running.url, clock)
    finally:
        running.stop()


def prepared(service: Service) -> dict[str, str]:
    """Makes all that the settings of an account name; these settings."""
    customer = service.customer(first_name="Conformance", last_name="Test", addresses=[PLACE])
    person, kind = service.employee(), service.job_type("Turnover")
    there = {"customer": customer, "job_fields": {"job_type_id": kind["id"]}, "line_items": LINES}
    started, completed, canceled, deleted = (
        service.job(assigned_employee_ids=[person["id"]], notes="Ring twice", **there) for _ in range(4)
    )
    for job, action in ((started, "start"), (completed, "complete"), (canceled, "cancel"), (deleted, "delete")):
        assert service.act(job, action).ok
    return {
        "HCP_API_KEY": service.account.api_key,
        "HCP_BASE_URL": service.url,
        "HCP_WEBHOOK_SECRET": service.account.webhook_secret,
        "CONFORMANCE_CUSTOMER_ID": customer["id"],
        "CONFORMANCE_ADDRESS_ID": customer["addresses"][0]["id"],
        "CONFORMANCE_EMPLOYEE_ID": person["id"],
        "CONFORMANCE_JOB_TYPE_ID": kind["id"],
        "CONFORMANCE_STARTED_JOB_ID": started["id"],
        "CONFORMANCE_COMPLETED_JOB_ID": completed["id"],
        "CONFORMANCE_CANCELED_JOB_ID": canceled["id"],
        "CONFORMANCE_DELETED_JOB_ID": deleted["id"],
    }


def access_to(settings: dict[str, str], webhooks: Path) -> Access:
    """The same as an access that may do everything."""
    needed = {"HCP_API_KEY", "HCP_BASE_URL", "CONFORMANCE_CUSTOMER_ID", "CONFORMANCE_ADDRESS_ID"}
    return Access(
        settings["HCP_BASE_URL"],
        settings["HCP_API_KEY"],
        settings["CONFORMANCE_CUSTOMER_ID"],
        settings["CONFORMANCE_ADDRESS_ID"],
        {name: value for name, value in settings.items() if name not in needed},
        writes=True,
        webhooks=webhooks,
    )


def send_webhooks(service: Service, folder: Path) -> None:
    """Has a day of work told to a recorder, of which every few events are refused at first."""
    service.clock.step = 1.0  # as a repeat of the service comes at another second
    with recording(folder, service.clock) as recorder:
        service.listen(recorder.url)
        first, second = service.employee("Kim"), service.employee("Lou")
        job = service.job(assigned_employee_ids=[first["id"]])
        for action, more in (
            ("reschedule", {"start": LATER}),
            ("assign", {"employee_ids": [second["id"]]}),
            ("unassign", {"employee_ids": [first["id"]]}),
            ("on_my_way", {}),
            ("start", {}),
            ("complete", {}),
        ):
            assert service.act(job, action, **more).ok
        away = service.job()
        assert service.call("DELETE", f"/jobs/{away['id']}/schedule").ok
        assert service.act(away, "cancel").ok
        service.settle()
        service.control("POST", "/webhooks", {"enabled": False})
    service.clock.step = 0.0
