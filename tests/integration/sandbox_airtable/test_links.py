"""Links have two ends, and both always tell the same (airtable.md §6.2)."""

import pytest


@pytest.fixture
def homes(sandbox) -> list[str]:
    return sandbox.seed("Homes", {"Name": "Casa"}, {"Name": "Villa"})


def stays_of(sandbox, home: str) -> list[str]:
    return sandbox.table("Homes").get(home)["fields"].get("Stays", [])


def test_linking_moving_and_clearing_shows_at_the_other_end(sandbox, homes) -> None:
    casa, villa = homes
    stays = sandbox.table("Stays")
    stay = stays.create({"Home": [casa]})["id"]
    assert (stays_of(sandbox, casa), stays_of(sandbox, villa)) == ([stay], [])
    stays.update(stay, {"Home": [villa]})
    assert (stays_of(sandbox, casa), stays_of(sandbox, villa)) == ([], [stay])
    stays.update(stay, {"Home": [casa, villa, casa]})
    assert stays.get(stay)["fields"]["Home"] == [casa, villa]
    assert (stays_of(sandbox, casa), stays_of(sandbox, villa)) == ([stay], [stay])
    stays.update(stay, {"Home": None})
    assert (stays_of(sandbox, casa), stays_of(sandbox, villa)) == ([], [])


def test_the_inverse_end_is_writable_too(sandbox, homes) -> None:
    stay = sandbox.table("Stays").create({"UID": "a"})["id"]
    sandbox.table("Homes").update(homes[0], {"Stays": [stay]})
    assert sandbox.table("Stays").get(stay)["fields"]["Home"] == [homes[0]]
    sandbox.table("Homes").update(homes[0], {"Name": "Casa"}, replace=True)
    assert "Home" not in sandbox.table("Stays").get(stay)["fields"]


def test_a_deleted_row_leaves_every_link(sandbox, homes) -> None:
    stay = sandbox.table("Stays").create({"Home": homes})["id"]
    sandbox.table("Homes").delete(homes[0])
    assert sandbox.table("Stays").get(stay)["fields"]["Home"] == [homes[1]]
    sandbox.table("Stays").delete(stay)
    assert stays_of(sandbox, homes[1]) == []


def test_a_refused_write_leaves_both_ends_alone(sandbox, homes) -> None:
    stay = sandbox.table("Stays").create({"Home": [homes[0]]})["id"]
    body = {"fields": {"Home": [homes[1]], "Count": "x"}}
    assert sandbox.call("PATCH", f"/Stays/{stay}", body).status_code == 422
    assert stays_of(sandbox, homes[0]) == [stay]


def test_a_link_without_inverse_is_cleaned_when_its_row_goes(empty) -> None:
    tables = [
        {
            "id": "tblPeople00000001",
            "name": "People",
            "fields": [
                {"name": "Name", "type": "singleLineText"},
                {
                    "id": "fldBoss0000000001",
                    "name": "Boss",
                    "type": "multipleRecordLinks",
                    "options": {"linkedTableId": "tblPeople00000001"},
                },
            ],
        }
    ]
    assert empty.control("POST", "/schema", {"base_id": empty.base_id, "tables": tables}).status_code == 200
    boss = empty.table("People").create({"Name": "Ada"})["id"]
    clerk = empty.table("People").create({"Name": "Bob", "Boss": [boss]})["id"]
    other = empty.table("People").create({"Name": "Cleo"})["id"]
    empty.table("People").delete(other)
    assert empty.table("People").get(clerk)["fields"]["Boss"] == [boss]
    empty.table("People").delete(boss)
    assert empty.table("People").get(clerk)["fields"] == {"Name": "Bob"}


def test_a_link_may_be_written_as_objects_with_ids(sandbox, homes) -> None:
    made = sandbox.table("Stays").create({"Home": [{"id": homes[0]}]})
    assert made["fields"]["Home"] == [homes[0]]
