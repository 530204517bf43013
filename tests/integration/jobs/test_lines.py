"""The line cleaners read follows the row, and people's own words in it stay (§12)."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from changeover.engine.jobs import lines as service_lines
from changeover.engine.jobs import lining, syncing
from changeover.engine.jobs.operations import Action, Answer, perform
from changeover.housecallpro.errors import Validation
from changeover.store.runs import RunState
from plugins.job_house import House, with_settings

PLAIN = "Turnover STR Next Guest Unknown"


def press(house: House, record_id: str, action: Action = Action.LINE) -> Answer:
    return perform(house.desk, action, record_id)


def made(house: House, **cells: object) -> str:
    stay = house.stay(**cells)
    assert press(house, stay, Action.CREATE).success
    return stay


def first_line(house: House, stay: str) -> dict:
    return house.service.lines(house.job_of(stay))[0]


def rename(house: House, stay: str, name: str) -> None:
    house.service.act(house.job_of(stay), "rename_line_item", name=name)


def test_a_changed_row_changes_the_name_and_nothing_else(house: House) -> None:
    """J-97, J-101, J-102, JX-24, JX-26: prices stay, and the row says what the lines' own address says."""
    stay = made(house)
    before = first_line(house, stay)
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")

    calls = house.hcp_calls(lambda: press(house, stay))

    after = first_line(house, stay)
    assert len(calls) == 2
    assert after["name"] == f"Check hot tub - {PLAIN}"
    assert {**after, "name": ""} == {**before, "name": ""}
    assert "line_items" not in house.job_of(stay)
    row = house.row(stay)
    written = ("Service Line Description", "Last Synced Service Line", "HCP Service Line Current")
    assert {row[name] for name in written} == {after["name"]}
    assert row["Service Sync Details"].startswith("Service line updated - ")


def test_an_unchanged_line_costs_a_button_one_call_and_a_cycle_none(house: House) -> None:
    """J-94, J-109."""
    stay = made(house)
    house.refresh()

    assert len(house.hcp_calls(lambda: press(house, stay))) == 1
    assert house.hcp_calls(lambda: house.cycle(lining)) == []


def test_creation_button_and_cycle_build_one_line_and_nobody_renames_anothers(house: House) -> None:
    """J-94, JX-16: whoever made the line, the others find nothing to do, cycle after cycle."""
    cells = {
        "Custom_Service_Line_Instructions": "Check hot tub 👩‍👧",
        "Owner_Arriving": True,
        "Next_Guest_Date": "2027-03-09",
    }
    clicked, made_by_cycle, renamed = made(house, **cells), house.stay(days=5, **cells), made(house, days=7)
    house.edit(renamed, **cells)
    mark = house.mark()
    house.cycle()

    named = [call for call in house.calls(mark)[1] if call.startswith("PUT") and "bulk_update" not in call]
    assert {call.split("/")[2] for call in named} == {house.row(renamed)["Service Job ID"]}
    lines = {first_line(house, stay)["name"] for stay in (clicked, made_by_cycle, renamed)}

    assert lines == {"Check hot tub 👩‍👧 - OWNER ARRIVING - Turnover STR Next Guest March 9"}
    mark = house.mark()
    for stay in (clicked, made_by_cycle, renamed):
        assert press(house, stay).success
    for _ in range(2):
        house.cycle()
    base, hcp = house.calls(mark)
    assert [call for call in (*base, *hcp) if not call.startswith("GET")] == []


def test_words_that_people_wrote_around_it_stay(house: House) -> None:
    """J-98, JX-25."""
    stay = made(house)
    rename(house, stay, f"Bring ladder! {PLAIN} (call first)")
    house.edit(stay, Next_Guest_Date=(house.today + timedelta(days=9)).isoformat())

    assert house.cycle(lining)[0].text == "1/1 lines updated"
    name = first_line(house, stay)["name"]
    assert name.startswith("Bring ladder! Turnover STR Next Guest ")
    assert name.endswith(" (call first)")
    assert "Unknown" not in name


def test_a_line_rewritten_by_hand_is_kept_and_not_read_again_until_something_changes(house: House) -> None:
    """J-100."""
    stay = made(house)
    rename(house, stay, "Casey does this one")
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")

    first = house.cycle()[3]
    second = house.hcp_calls(lambda: house.cycle(lining))

    assert (first.text, first.state) == ("0/1 lines updated — kept by hand 1", RunState.SUCCEEDED)
    assert second == ["GET /jobs", "GET /jobs"]
    row = house.row(stay)
    assert row["HCP Service Line Current"] == "Casey does this one"
    assert row["Service Sync Details"].startswith("⚠️ Service line edited in HCP; not overwritten")
    house.service.clock.ahead += 2  # the service tells changes apart by the second
    rename(house, stay, PLAIN)
    assert house.cycle(lining)[0].text == "1/1 lines updated"


def test_a_conflict_is_the_buttons_answer_until_a_person_hands_the_line_back(house: House) -> None:
    """J-103, J-99."""
    stay = made(house)
    rename(house, stay, "Casey does this one")
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")
    refused = press(house, stay)
    house.edit(stay, Last_Synced_Service_Line="")

    taken = press(house, stay)

    assert refused.code == "not_eligible"
    assert taken.service_name == f"Check hot tub - {PLAIN}" == first_line(house, stay)["name"]


def test_rows_whose_line_is_nobodys_concern_any_more_are_refused(house: House) -> None:
    none, done = house.stay(), made(house)
    house.service.act(house.job_of(done), "start")
    house.service.act(house.job_of(done), "complete")
    press(house, done, Action.CREATE)

    assert [press(house, each).code for each in (none, done)] == ["not_found", "not_eligible"]


def test_a_locked_job_is_left_alone(house: House) -> None:
    """J-94, HC-106."""
    stay = made(house)
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")
    house.service.ok("POST", f"/jobs/{house.row(stay)['Service Job ID']}/lock")

    assert house.cycle(lining)[0].text == "0/0 lines updated"
    assert press(house, stay).code == "hcp_error"


def test_a_name_that_is_refused_as_too_long_is_fitted_once_more(house: House, monkeypatch) -> None:
    stay = made(house)
    house.edit(stay, Custom_Service_Line_Instructions="é" * 190)
    house = with_settings(house, service_line_limit=240)
    real = service_lines.line_items.rename

    def strict(client: object, job_id: str, line: object, name: str) -> object:
        if len(name) > 200:
            raise Validation("name is too long", fields={"name": "is too long"})
        return real(client, job_id, line, name)

    monkeypatch.setattr(service_lines.line_items, "rename", strict)

    assert press(house, stay).success
    assert len(first_line(house, stay)["name"]) <= 200


def test_a_refused_name_writes_nothing_and_is_tried_again(house: House) -> None:
    """J-102, JX-24: nothing counts as synced that Housecall Pro did not confirm."""
    stay = made(house)
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")
    house.service.fault("status", method="PUT", path="line_items/", value=409)

    outcome = house.cycle(lining)[0]

    assert (outcome.state, outcome.text.split(" — run")[0]) == (RunState.FAILED, outcome.text.split(" — run")[0])
    assert "0/1 lines updated — errors 1" in outcome.text
    assert house.row(stay)["Service Line Description"] == PLAIN
    assert house.cycle(lining)[0].text == "1/1 lines updated"


def test_a_job_without_lines_has_none_to_name(house: House) -> None:
    stay = made(house)
    house.service.ok("PUT", f"/jobs/{house.row(stay)['Service Job ID']}/line_items/bulk_update", {"line_items": []})

    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")

    assert press(house, stay).error == "The job has no line items in Housecall Pro."
    assert house.cycle()[3].text == "0/1 lines updated — kept by hand 1"
    assert len(house.hcp_calls(lambda: house.cycle(lining))) == 2


def test_several_lines_are_updated_by_the_next_to_start_and_a_service_that_is_down_is_left_alone(house: House) -> None:
    stays = [made(house, days=2 + number) for number in range(6)]
    for stay in stays:
        house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")
    house.service.fault("status", method="GET", path="line_items$", value=503, times=None)

    mark = house.mark()
    outcome = house.cycle(lining)[0]

    assert outcome.counters["errors"] == 3  # each row is tried twice here, and five calls in a row are enough (C-65)
    assert sum("line_items" in call for call in house.calls(mark)[1]) == 5


def test_lines_wait_when_the_hourly_budget_is_used_up(house: House) -> None:
    """J-110."""
    stay = made(house)
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")
    house.refresh()
    mark = house.mark()
    assert house.cycle(syncing)[0].state is RunState.SUCCEEDED
    spent = house.desk.hcp.wiring.gate.state().last_hour
    short = with_settings(house, hcp_hourly_limit=ceil((sum(spent.values()) + 3) / 0.8))

    outcome = short.cycle(lining)[0]

    assert outcome.text == "0/1 lines updated — waiting for the hourly budget 1"
    assert outcome.state is RunState.PARTIAL
    assert not any("line_items" in call for call in house.calls(mark)[1])


def test_a_row_that_somebody_is_at_work_on_keeps_its_line_for_now(house: House) -> None:
    from changeover.engine.jobs.claims import claim

    stay = made(house)
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")

    with claim(house.desk.db, stay, 0, house.desk.sleep):
        assert house.cycle(lining)[0].text == "0/0 lines updated"


def test_a_dry_run_says_which_lines_and_writes_none(house: House) -> None:
    """JX-27."""
    stay = made(house)
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")

    assert house.cycle(lining, dry_run=True)[0].text == "1/1 lines would be updated"
    assert first_line(house, stay)["name"] == PLAIN
