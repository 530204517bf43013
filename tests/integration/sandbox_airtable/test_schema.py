"""The schema API (AT-21, airtable.md §6.2)."""

import pytest
import requests

NAME = {"name": "Name", "type": "singleLineText"}


def created(sandbox, name: str, *fields: dict) -> requests.Response:
    body = {"name": name, "fields": [NAME, *fields]}
    url = f"{sandbox.url}/v0/meta/bases/{sandbox.base_id}/tables"
    return requests.post(url, json=body, headers={"Authorization": f"Bearer {sandbox.key}"}, timeout=5)


def meta(sandbox, method: str, path: str, body: object = None) -> requests.Response:
    url = f"{sandbox.url}/v0/meta/bases/{sandbox.base_id}/tables{path}"
    return requests.request(method, url, json=body, headers={"Authorization": f"Bearer {sandbox.key}"}, timeout=5)


def test_an_empty_base_gets_a_table_with_a_grid_view(empty) -> None:
    rooms = {"name": "Rooms", "type": "number", "options": {"precision": 0}}
    table = empty.base.create_table("Homes", [NAME, rooms], "x")
    schema = table.schema()
    assert (schema.name, schema.description, schema.primary_field_id) == ("Homes", "x", schema.field("Name").id)
    assert [view.name for view in schema.views] == ["Grid view"]
    assert schema.views[0].visible_field_ids == [field.id for field in schema.fields]
    assert table.all() == []


def test_options_come_back_as_the_service_tells_them(empty) -> None:
    stamp = {"timeZone": "America/Phoenix", "dateFormat": {"name": "iso"}, "timeFormat": {"name": "12hour"}}
    fields = [
        {"name": "When", "type": "dateTime", "options": stamp},
        {"name": "Day", "type": "date", "options": {"dateFormat": {"name": "us"}}},
        {"name": "Pick", "type": "singleSelect", "options": {"choices": [{"name": "a", "color": "redBright"}]}},
        {"name": "Many", "type": "multipleSelects", "options": {"choices": [{"name": "b"}]}, "description": "some"},
    ]
    schema = empty.base.create_table("T", [NAME, *fields]).schema()
    when = schema.field("When").options
    assert (when.date_format.format, when.time_format.format) == ("YYYY-MM-DD", "h:mma")
    assert schema.field("Day").options.date_format.format == "M/D/YYYY"
    choice = schema.field("Pick").options.choices[0]
    assert (choice.name, choice.color, choice.id[:3]) == ("a", "redBright", "sel")
    assert schema.field("Many").description == "some"


def test_a_link_gets_an_inverse_under_the_name_of_its_table_numbered_if_taken(empty) -> None:
    homes = empty.base.create_table("Homes", [NAME])
    link = {"type": "multipleRecordLinks", "options": {"linkedTableId": homes.id}}
    stays = empty.base.create_table("Stays", [NAME, {"name": "Home", **link}])
    second = stays.create_field("Other home", "multipleRecordLinks", options={"linkedTableId": homes.id})
    schema = empty.base.schema(force=True)
    inverse = schema.table("Homes").field("Stays")
    assert inverse.options.linked_table_id == stays.id
    assert inverse.options.inverse_link_field_id == schema.table("Stays").field("Home").id
    assert schema.table("Homes").field("Stays 2").options.inverse_link_field_id == second.id
    assert second.options.prefers_single_record_link is False


def test_a_link_into_its_own_table_has_no_inverse(empty) -> None:
    people = empty.base.create_table("People", [NAME])
    people.create_field("Boss", "multipleRecordLinks", options={"linkedTableId": people.id})
    assert [field.name for field in people.schema(force=True).fields] == ["Name", "Boss"]


@pytest.mark.parametrize(
    "kind",
    [
        "formula",
        "rollup",
        "count",
        "multipleLookupValues",
        "autoNumber",
        "button",
        "createdTime",
        "lastModifiedTime",
        "createdBy",
        "aiText",
        "unheardOf",
    ],
)
def test_computed_and_unknown_types_cannot_be_created(empty, kind: str) -> None:
    answer = created(empty, "T", {"name": "F", "type": kind})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "UNSUPPORTED_FIELD_TYPE_FOR_CREATE")
    assert empty.base.schema().tables == []


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("number", None),
        ("number", {"precision": 9}),
        ("number", {"precision": True}),
        ("currency", {"precision": 2}),
        ("duration", {}),
        ("rating", {"icon": "star", "max": 11, "color": "redBright"}),
        ("checkbox", {"icon": "check"}),
        ("date", {"dateFormat": {"name": "julian"}}),
        ("dateTime", {"dateFormat": {"name": "iso"}, "timeFormat": {"name": "12hour"}}),
        ("dateTime", {"dateFormat": {"name": "iso"}, "timeFormat": {"name": "12hour"}, "timeZone": "Mars/Base"}),
        ("dateTime", {"dateFormat": {"name": "iso"}, "timeFormat": "12hour", "timeZone": "client"}),
        ("singleSelect", None),
        ("singleSelect", {"choices": [{"name": ""}]}),
        ("singleSelect", {"choices": ["a"]}),
        ("singleSelect", {"choices": [{"name": "a"}, {"name": "a"}]}),
        ("multipleRecordLinks", {"linkedTableId": "tblNobody00000001"}),
        ("multipleRecordLinks", None),
        ("singleLineText", {"precision": 1}),
        ("number", "precision"),
    ],
)
def test_options_that_do_not_fit_are_refused_and_nothing_is_made(empty, kind: str, options: object) -> None:
    answer = created(empty, "T", {"name": "F", "type": kind, "options": options})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE")
    assert empty.base.schema().tables == []


def test_a_link_takes_no_options_that_edits_only_the_interface(empty) -> None:
    homes = empty.base.create_table("Homes", [NAME])
    options = {"linkedTableId": homes.id, "prefersSingleRecordLink": True}
    assert created(empty, "T", {"name": "F", "type": "multipleRecordLinks", "options": options}).status_code == 422
    options = {"linkedTableId": homes.id, "viewIdForRecordSelection": homes.schema().views[0].id}
    answer = created(empty, "T", {"name": "F", "type": "multipleRecordLinks", "options": options}).json()
    assert answer["fields"][1]["options"]["viewIdForRecordSelection"] == options["viewIdForRecordSelection"]


@pytest.mark.parametrize(
    "field",
    [
        {"name": "", "type": "singleLineText"},
        {"name": "F"},
        {"name": "F", "type": "singleLineText", "description": 7},
        {"name": "F", "type": "singleLineText", "extra": 7},
        "F",
        {"name": "name", "type": "singleLineText"},
    ],
)
def test_a_field_without_a_good_name_and_type_is_refused(sandbox, field: object) -> None:
    assert meta(sandbox, "POST", "/Homes/fields", field).status_code == 422
    assert created(sandbox, "T", field).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"name": "T"},
        {"name": "T", "fields": []},
        {"name": "", "fields": [NAME]},
        {"name": "Homes", "fields": [NAME]},
        {"name": "T", "fields": [{"name": "A", "type": "multipleAttachments"}]},
        {"name": "T", "fields": [NAME], "extra": 1},
    ],
)
def test_a_table_without_a_good_name_and_first_field_is_refused(sandbox, body: object) -> None:
    assert meta(sandbox, "POST", "", body).status_code == 422
    assert [table.name for table in sandbox.base.schema().tables] == ["Homes", "Stays"]


def test_names_and_descriptions_can_be_changed_and_nothing_else(sandbox) -> None:
    table = sandbox.table("Homes").schema()
    table.name, table.description = "Houses", "where people stay"
    table.save()
    field = sandbox.table("Houses").schema().field("Note")
    field.name, field.description = "Remark", "free text"
    field.save()
    schema = sandbox.base.schema(force=True).table("Houses")
    assert (schema.description, schema.field("Remark").description) == ("where people stay", "free text")
    choices = {"options": {"choices": [{"name": "Fresh"}]}}
    assert meta(sandbox, "PATCH", "/Stays/fields/Status", choices).status_code == 422
    assert meta(sandbox, "PATCH", "/Stays/fields/Status", {"name": "UID"}).status_code == 422
    assert meta(sandbox, "PATCH", "/Stays/fields/Status", {"name": ""}).status_code == 422
    assert meta(sandbox, "PATCH", "/Stays/fields/Status", {"name": "status"}).status_code == 200
    assert meta(sandbox, "PATCH", "/Stays/fields/Zed", {"name": "a"}).status_code == 404
    assert meta(sandbox, "PATCH", "/Stays", {"name": "Houses"}).status_code == 422
    assert meta(sandbox, "PATCH", "/Stays", {"name": "Stays"}).status_code == 200
    assert meta(sandbox, "PATCH", "/Stays", {}).status_code == 422
    assert meta(sandbox, "PATCH", "/Nowhere", {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    "tables",
    [
        None,
        ["T"],
        [{"name": "T"}],
        [{"name": "T", "fields": ["F"]}],
        [{"name": "T", "fields": [{"name": "F"}]}],
        [{"name": "T", "fields": [NAME], "views": ["V"]}],
        [{"name": "T", "fields": [{"name": "L", "type": "multipleRecordLinks", "options": {"linkedTable": "U"}}]}],
        [{"name": "T", "fields": [NAME, {"name": "L", "type": "multipleRecordLinks"}]}],
        [{"name": "T", "id": "tblSame0000000001", "fields": [NAME]}] * 2,
    ],
)
def test_a_schema_that_cannot_be_loaded_changes_nothing(sandbox, tables: object) -> None:
    order = {"base_id": sandbox.base_id, "tables": tables}
    assert sandbox.control("POST", "/schema", order).status_code == 400
    assert [table.name for table in sandbox.base.schema().tables] == ["Homes", "Stays"]
