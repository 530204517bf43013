"""Services that do not answer, and webhooks that do not come: what is left alone, asked, told and made up for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from changeover.airtable import errors as airtable_errors
from changeover.engine import outages
from changeover.engine.jobs import adding, syncing
from changeover.engine.jobs.operations import Action, perform
from changeover.housecallpro import directory, jobs
from changeover.housecallpro import errors as hcp_errors
from changeover.store import events
from changeover.store.events import Event, EventKind, EventState
from changeover.store.gate import Purpose
from plugins.job_house import House, make_desk, with_settings

SILENT = ("webhooks_silent", "housecallpro")


def test_housecall_pro_is_not_asked_while_it_is_left_alone_and_one_question_ends_that(house: House) -> None:
    """C-65."""
    client, other = house.desk.hcp, make_desk(house.desk.settings, house.desk.db).hcp
    assert directory.company(other)
    house.service.fault("drop-before", times=None)
    for _ in range(3):
        with pytest.raises(hcp_errors.Transport):
            directory.company(client)
    mark = house.mark()
    for each in (client, other):
        with pytest.raises(hcp_errors.LeftAlone) as left:
            directory.company(each)
        assert 0 < left.value.after <= 30
        with pytest.raises(hcp_errors.LeftAlone):  # and nobody need look for it
            jobs.add_note(each, f"job_{1:032x}", "x")
    assert house.calls(mark)[1] == []
    assert house.desk.airtable.read("Properties", Purpose.OTHER).records  # the rest goes on
    house.heal()
    assert directory.company(other)
    assert directory.company(client)


def test_a_base_is_not_asked_while_it_is_left_alone(house: House) -> None:
    """C-65: a create that was not sent is no riddle."""
    client = house.desk.airtable
    house.break_airtable(method="", times=None, value=503)
    for _ in range(2):
        with pytest.raises(airtable_errors.Unavailable):
            client.read("Properties", Purpose.OTHER)
    mark = house.mark()
    with pytest.raises(airtable_errors.LeftAlone):
        client.create("Properties", [{"Property Name": "Casa"}], Purpose.OTHER)
    assert house.calls(mark)[0] == []
    house.heal()
    assert client.read("Properties", Purpose.OTHER).records


def test_one_job_that_cannot_be_read_closes_no_door(house: House) -> None:
    """C-65: an error of its own, a 500, is an answer."""
    house.service.fault("status", path="jobs/job_", value="500", times=None)
    for number in range(5):
        with pytest.raises(hcp_errors.Server):
            jobs.read(house.desk.hcp, f"job_{number:032x}")
    assert directory.company(house.desk.hcp)


def test_a_person_who_clicks_meanwhile_is_told_at_once_and_the_next_cycle_makes_up_for_it(house: House) -> None:
    stay = house.stay()
    house.service.fault("status", times=None, value="503")
    for _ in range(3):
        answer = perform(house.desk, Action.CREATE, stay)
        assert (answer.code, answer.http) == ("hcp_error", 502)
    mark = house.mark()
    answer = perform(house.desk, Action.CREATE, stay)
    assert answer.error is not None
    assert answer.error.startswith("Housecall Pro cannot be reached")
    assert house.calls(mark)[1] == []
    house.heal()
    house.cycle()
    assert house.row(stay)["Sync Status"] == "Synced"


def test_a_step_that_finds_the_service_left_alone_ends_at_once_and_its_failure_is_the_services(house: House) -> None:
    """C-26, C-65."""
    house.stay()
    house.service.fault("drop-before", times=None)
    for _ in range(3):
        with pytest.raises(hcp_errors.Transport):
            directory.company(house.desk.hcp)
    mark = house.mark()
    for outcome in house.cycle(adding, syncing):
        assert outcome.failure is None or outcome.failure.code == "hcp_down"
    assert house.calls(mark)[1] == []


def test_a_worker_without_work_finds_out_that_both_services_are_well_again(house: House) -> None:
    """A-11: nobody clicks and no webhook comes, and yet the outage ends by itself."""
    desk = house.desk
    look = outages.of_jobs(desk).look
    house.break_airtable(method="", times=None, value=503)
    house.service.fault("status", times=None, value="503")
    for _ in range(3):
        with pytest.raises(airtable_errors.Unavailable):
            desk.airtable.read("Properties", Purpose.OTHER)
        with pytest.raises(hcp_errors.HcpError):
            directory.company(desk.hcp)
    look()
    assert house.alerts() == []
    outages.of_jobs(replace(desk, clock=lambda: datetime.now(UTC) + timedelta(minutes=5))).look()
    assert sorted(house.alerts()) == [("airtable_down", "airtable"), ("hcp_down", "housecallpro")]
    house.heal()
    look()
    assert house.alerts() == []
    assert directory.company(desk.hcp)


def last_webhook(house: House, ago: timedelta) -> None:
    at = datetime.now(UTC) - ago
    with house.desk.db.begin() as connection:
        events.put(connection, [Event("hcp-1", EventKind.HCP, EventState.DONE, at, "", {}, at)])


@pytest.mark.parametrize("secret", ["hcp_webhook_secret", "servativ_webhook_secret", None])
def test_changes_that_only_polling_finds_say_that_webhooks_do_not_come(house: House, secret: str | None) -> None:
    """A-9: where they have a way in at all."""
    given = {"hcp_webhook_secret": None, "servativ_webhook_secret": None}
    house = with_settings(house, **given | ({secret: SecretStr("a-secret-of-a-house")} if secret else {}))
    stay = house.stay()
    assert perform(house.desk, Action.CREATE, stay).success
    last_webhook(house, timedelta(hours=23))
    house.cycle(syncing)
    assert SILENT not in house.alerts()

    house.service.act(house.job_of(stay), "reschedule", start=f"{house.today + timedelta(days=3)}T20:00:00Z")
    late = replace(house, desk=replace(house.desk, clock=lambda: datetime.now(UTC) + timedelta(hours=2)))
    late.cycle(syncing)
    assert (SILENT in house.alerts()) is (secret is not None)

    last_webhook(house, timedelta(0))
    late.cycle(syncing)
    assert SILENT not in house.alerts()
