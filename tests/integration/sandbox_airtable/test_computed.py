"""A dump of a real base loads with its lookups, counts and formulas alive (airtable.md §6.2)."""

import pytest

HOMES, STAYS = "tblHomes000000001", "tblStays000000001"


def formula(name: str, text: str, result: str | None = None) -> dict[str, object]:
    options: dict[str, object] = {"isValid": True, "formula": text, "referencedFieldIds": []}
    if result:
        options["result"] = {"type": result, "options": {}}
    return {"name": name, "type": "formula", "options": options}


def lookup(name: str, link: str, looked_up: str) -> dict[str, object]:
    options = {"isValid": True, "recordLinkFieldId": link, "fieldIdInLinkedTable": looked_up}
    return {"name": name, "type": "multipleLookupValues", "options": options}


DUMP = [
    {
        "id": HOMES,
        "name": "Homes",
        "primaryFieldId": "fldHomeName000001",
        "fields": [
            {"id": "fldHomeName000001", "name": "Name", "type": "singleLineText"},
            {"id": "fldHomeDoor000001", "name": "Door", "type": "number", "options": {"precision": 0}},
            {
                "id": "fldHomeKeys000001",
                "name": "Keys",
                "type": "multipleSelects",
                "options": {"choices": [{"name": "a"}, {"name": "b"}]},
            },
            {
                "id": "fldHomeStays00001",
                "name": "Stays",
                "type": "multipleRecordLinks",
                "options": {
                    "linkedTableId": STAYS,
                    "isReversed": False,
                    "prefersSingleRecordLink": False,
                    "inverseLinkFieldId": "fldStayHome000001",
                },
            },
            {
                "name": "Number of stays",
                "type": "count",
                "options": {"isValid": True, "recordLinkFieldId": "fldHomeStays00001"},
            },
            {"name": "Broken count", "type": "count", "options": {"isValid": False}},
            lookup("Stay days", "fldHomeStays00001", "fldStayDay0000001"),
            lookup("Broken lookup", "fldGone0000000001", "fldGone0000000002"),
        ],
        "views": [{"id": "viwGrid0000000001", "name": "All homes", "type": "grid"}],
    },
    {
        "id": STAYS,
        "name": "Stays",
        "primaryFieldId": "fldStayTitle00001",
        "fields": [
            {"id": "fldStayUID0000001", "name": "UID", "type": "singleLineText"},
            {"id": "fldStayTitle00001", **formula("Title", "{fldStayUID0000001} & ' at ' & {Home}")},
            {"id": "fldStayDay0000001", "name": "Day", "type": "date", "options": {"dateFormat": {"name": "iso"}}},
            {
                "id": "fldStayHome000001",
                "name": "Home",
                "type": "multipleRecordLinks",
                "options": {"linkedTableId": HOMES, "inverseLinkFieldId": "fldHomeStays00001"},
            },
            lookup("Door", "fldStayHome000001", "fldHomeDoor000001"),
            lookup("Keys", "fldStayHome000001", "fldHomeKeys000001"),
            lookup("Home stays", "fldStayHome000001", "fldHomeStays00001"),
            formula("Next day", "DATEADD({Day}, 1, 'days')", "date"),
            formula("Noon", "DATEADD({Day}, 12, 'hours')", "dateTime"),
            formula("Plain noon", "DATEADD({Day}, 12, 'hours')"),
            formula("Same day", "{Day}"),
            formula("Is set", "NOT({Day}=BLANK())"),
            formula("Ratio", "1/0"),
            formula("Number", "VALUE({UID})"),
            formula("Beyond", "CHOOSE(1.5, 0)"),
            formula("Itself", "{Itself} & 'x'"),
            formula("Doors", "{Door}+1"),
            {"name": "ID", "type": "autoNumber"},
            {"name": "Made", "type": "createdTime", "options": {}},
            {"name": "Touched", "type": "lastModifiedTime", "options": {"referencedFieldIds": ["fldStayUID0000001"]}},
            {
                "name": "Changed",
                "type": "lastModifiedTime",
                "options": {"referencedFieldIds": ["fldStayUID0000001", "fldStayDay0000001", "fldStayHome000001"]},
            },
            {"name": "By", "type": "createdBy"},
            {"name": "Last by", "type": "lastModifiedBy"},
            {"name": "Total", "type": "rollup", "options": {"isValid": True}},
            {"name": "Push", "type": "button"},
        ],
    },
]


@pytest.fixture
def real(empty):
    """A base with computed fields, as a dump of a real one gives it."""
    answer = empty.control("POST", "/schema", {"base_id": empty.base_id, "tables": DUMP})
    assert answer.status_code == 200, answer.text
    return empty


def test_a_dump_comes_back_as_it_was_loaded(real) -> None:
    schema = real.base.schema()
    assert [table.id for table in schema.tables] == [HOMES, STAYS]
    assert schema.table("Stays").primary_field_id == "fldStayTitle00001"
    assert schema.table("Homes").views[0].id == "viwGrid0000000001"
    assert schema.table("Stays").field("Next day").options.result.type == "date"


def test_computed_cells_are_told_as_the_service_tells_them(real) -> None:
    home = real.table("Homes").create({"Name": "Casa", "Door": 7, "Keys": ["a", "b"]})["id"]
    made = real.table("Stays").create({"UID": "5", "Day": "2026-03-04", "Home": [home]})
    fields = made["fields"]
    assert fields["Title"] == "5 at Casa"
    assert (fields["Door"], fields["Keys"], fields["Home stays"]) == ([7], ["a", "b"], [made["id"]])
    assert (fields["Next day"], fields["Same day"]) == ("2026-03-05", "2026-03-04")
    assert fields["Noon"] == fields["Plain noon"] == "2026-03-04T12:00:00.000Z"
    assert (fields["Is set"], fields["Number"], fields["Doors"], fields["ID"]) == (True, 5, 8, 1)
    assert fields["Ratio"] == {"specialValue": "Infinity"}
    assert fields["Beyond"] == fields["Itself"] == {"error": "#ERROR!"}
    assert fields["Made"] == fields["Touched"] == fields["Changed"] == made["createdTime"]
    assert fields["By"]["email"] == fields["Last by"]["email"] == real.api.whoami()["email"]
    assert "Total" not in fields
    assert fields["Push"] == {"label": "Push", "url": None}
    home_fields = real.table("Homes").get(home)["fields"]
    assert (home_fields["Number of stays"], home_fields["Stay days"]) == (1, ["2026-03-04"])
    assert home_fields["Broken count"] == 0
    assert "Broken lookup" not in home_fields


def test_empty_computed_cells_are_absent_and_errors_are_objects(real) -> None:
    fields = real.table("Stays").create({"UID": "none"})["fields"]
    assert fields["Number"] == {"error": "#ERROR!"}
    assert not {"Door", "Is set", "Same day", "Home stays"} & set(fields)
    assert fields["Doors"] == {"error": "#ERROR!"}


def test_computed_fields_filter_sort_and_link_by_their_value(real) -> None:
    home = real.table("Homes").create({"Name": "Casa", "Door": 7})["id"]
    stays = real.table("Stays")
    stays.batch_create([{"UID": "2", "Home": [home]}, {"UID": "1"}, {"UID": "none"}])
    assert [one["fields"]["UID"] for one in stays.all(formula="{Door}=7")] == ["2"]
    assert [one["fields"]["UID"] for one in stays.all(formula="{Title}='2 at Casa'")] == ["2"]
    assert [one["fields"]["UID"] for one in stays.all(sort=["Number"])] == ["none", "1", "2"]
    assert len(stays.all(formula="{By}='Sandbox Owner'")) == 3
    assert [one["fields"]["Name"] for one in real.table("Homes").all(formula="{Stays}='2 at Casa'")] == ["Casa"]
    assert stays.all(formula="OR({Push}, {Total})") == []


def test_computed_fields_refuse_every_write(real) -> None:
    for name in ("Title", "Door", "ID", "Made", "By", "Total", "Push"):
        answer = real.call("POST", "/Stays", {"fields": {name: "x"}, "typecast": True})
        assert answer.status_code == 422
        assert answer.json()["error"] == {
            "type": "INVALID_VALUE_FOR_COLUMN",
            "message": f'Field "{name}" cannot accept a value because the field is computed',
        }
    assert real.call("POST", "/Homes", {"fields": {"Number of stays": None}}).status_code == 422


def test_replacing_a_record_leaves_its_computed_cells(real) -> None:
    made = real.table("Stays").create({"UID": "5"})
    assert real.table("Stays").update(made["id"], {"Day": "2026-03-04"}, replace=True)["fields"]["ID"] == 1


def test_the_last_modified_time_of_some_fields_moves_only_with_them(real) -> None:
    made = real.table("Stays").create({"UID": "5"})
    real.clock.ahead += 60
    changed = real.table("Stays").update(made["id"], {"Day": "2026-03-04"})["fields"]
    assert changed["Touched"] == made["createdTime"]
    assert changed["Changed"] > made["createdTime"]


def test_computed_cells_have_a_text(real) -> None:
    home = real.table("Homes").create({"Name": "Casa", "Door": 7})["id"]
    real.table("Stays").create({"UID": "none", "Home": [home], "Day": "2026-03-04"})
    shown = real.table("Stays").first(cell_format="string", time_zone="UTC", user_locale="en-us")["fields"]
    assert (shown["Title"], shown["Door"], shown["By"]) == ("none at Casa", "7", "Sandbox Owner")
    assert shown["Number"] == "#ERROR!"
