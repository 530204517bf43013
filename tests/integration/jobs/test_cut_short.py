"""Work on a job that was cut off before its row knew of it: what people did meanwhile stays, ours goes on (§7, §12)."""

from __future__ import annotations

import pytest

from changeover.engine.jobs import making
from changeover.engine.jobs.operations import Action, perform
from changeover.housecallpro import line_items
from changeover.housecallpro.errors import Validation
from plugins.job_house import House, with_settings

PLAIN = "Turnover STR Next Guest Unknown"


def begun(house: House) -> str:
    """A stay whose job has its lines, but nobody heard of that."""
    stay = house.stay()
    house.service.fault("drop-after-commit", method="PUT", path="bulk_update", times=2)
    assert not perform(house.desk, Action.CREATE, stay).success
    return stay


def made(house: House) -> str:
    stay = house.stay()
    assert perform(house.desk, Action.CREATE, stay).success
    return stay


def unheard(house: House, stay: str, words: str) -> None:
    """The line is renamed, and the row does not hear of it."""
    house.edit(stay, Custom_Service_Line_Instructions=words)
    house.break_airtable(times=5, value=503)
    assert not perform(house.desk, Action.LINE, stay).success
    house.heal()
    assert name_of(house, stay) == f"{words} - {PLAIN}"


def name_of(house: House, stay: str) -> str:
    return house.service.lines(house.job_of(stay))[0]["name"]


def rename(house: House, stay: str, name: str) -> None:
    house.service.act(house.job_of(stay), "rename_line_item", name=name)


def test_words_written_into_a_line_before_its_creation_was_gone_on_with_stay(house: House) -> None:
    """J-55, J-98, J-102: the lines are whole; that the first one is called otherwise is a person's doing."""
    stay = begun(house)
    rename(house, stay, f"{PLAIN} (gate 4711)")

    house.cycle()

    row = house.row(stay)
    assert name_of(house, stay) == row["HCP Service Line Current"] == f"{PLAIN} (gate 4711)"
    assert row["Last Synced Service Line"] == row["Service Line Description"] == PLAIN
    assert [line["unit_price"] for line in house.service.lines(house.job_of(stay))] == [14500, 2500]
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")
    house.cycle()
    assert name_of(house, stay) == f"Check hot tub - {PLAIN} (gate 4711)"


def test_a_line_of_a_persons_own_made_before_its_creation_was_gone_on_with_stays(house: House) -> None:
    """J-100."""
    stay = begun(house)
    rename(house, stay, "Ask Sam")

    house.cycle()

    assert name_of(house, stay) == "Ask Sam"
    assert house.row(stay)["HCP Service Line Current"] == "Ask Sam"


def test_a_job_that_somebody_made_while_ours_was_sought_is_taken_and_its_lines_are_left_alone(house: House) -> None:
    """J-53, J-47: it bears no marker, so it need not be ours."""
    stay = house.stay()
    house.service.fault("status", method="POST", path="^/jobs$", value=503, times=2)
    assert not perform(house.desk, Action.CREATE, stay).success
    job = house.hand_made(line_items=[{"name": "Sam cleans"}])

    house.cycle()

    row = house.row(stay)
    assert [each["id"] for each in house.jobs()] == [row["Service Job ID"]] == [job["id"]]
    assert name_of(house, stay) == row["HCP Service Line Current"] == "Sam cleans"
    assert row["Sync Status"] == "Matched"
    assert "Service Line Description" not in row


def test_a_job_of_ours_that_lost_its_marker_gets_its_lines(house: House) -> None:
    """J-53, J-55."""
    stay = house.stay()
    house.service.fault("status", method="POST", path="^/jobs$", value=503, times=2)
    assert not perform(house.desk, Action.CREATE, stay).success
    job = house.hand_made()

    house.cycle()

    assert house.row(stay)["Service Job ID"] == job["id"]
    assert [line["unit_price"] for line in house.service.lines(job)] == [14500, 2500]
    assert name_of(house, stay) == house.row(stay)["Last Synced Service Line"] == PLAIN


def test_a_line_that_was_fitted_once_more_before_its_creation_was_gone_on_with_is_ours(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J-51: what the service found too long was shortened by us, not by a person."""
    stay = house.stay(Custom_Service_Line_Instructions="é" * 190)
    house = with_settings(house, service_line_limit=240)
    replace_all = line_items.replace_all

    def strict(client: object, job_id: str, lines: tuple) -> object:
        if len(lines[0].name) > 200:
            raise Validation("name is too long", fields={"name": "is too long"})
        return replace_all(client, job_id, lines)

    monkeypatch.setattr(making.line_items, "replace_all", strict)
    house.service.fault("drop-after-commit", method="PUT", path="bulk_update", times=2)
    assert not perform(house.desk, Action.CREATE, stay).success

    house.cycle()

    row = house.row(stay)
    assert len(name_of(house, stay)) <= 200
    assert name_of(house, stay) == row["Last Synced Service Line"] == row["HCP Service Line Current"]


def test_a_line_that_the_row_did_not_hear_of_is_no_persons_when_ours_changes_again(house: House) -> None:
    """J-97, J-102: else cleaners would read yesterday's words for ever, as if a person had wanted that."""
    stay = made(house)
    unheard(house, stay, "Check hot tub")
    house.edit(stay, Custom_Service_Line_Instructions="Check oven")

    house.cycle()

    assert name_of(house, stay) == f"Check oven - {PLAIN}"
    assert house.row(stay)["Last Synced Service Line"] == f"Check oven - {PLAIN}"


def test_words_around_a_line_that_the_row_did_not_hear_of_stay(house: House) -> None:
    """J-98."""
    stay = made(house)
    rename(house, stay, f"Sam: {PLAIN}")
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")
    house.break_airtable(times=5, value=503)
    assert not perform(house.desk, Action.LINE, stay).success
    house.heal()
    rename(house, stay, f"Sam: Check hot tub - {PLAIN} (gate 4711)")
    house.edit(stay, Custom_Service_Line_Instructions="Check oven")

    house.cycle()

    assert name_of(house, stay) == f"Sam: Check oven - {PLAIN} (gate 4711)"


def test_an_id_that_a_person_has_emptied_before_its_creation_was_gone_on_with_is_written_again(house: House) -> None:
    """J-54, J-58: success is said only when the id is in the row."""
    stay = house.stay()
    house.service.fault("status", method="GET", path="^/jobs/job_[0-9a-f]+$", value=503, times=2)
    assert not perform(house.desk, Action.CREATE, stay).success
    made = house.row(stay)["Service Job ID"]
    house.edit(stay, Service_Job_ID=None)

    answer = perform(house.desk, Action.CREATE, stay)

    assert (answer.success, answer.job_id) == (True, made)
    assert house.row(stay)["Service Job ID"] == made
    assert [each["id"] for each in house.jobs()] == [made]
