"""What a program that uses pyairtable's Api, Workspace, Base and schema models may expect."""

import importlib
import inspect

import pytest
import requests
from pyairtable import Api, Base
from pyairtable.models import schema as s
from pyairtable.orm.generate import ModelFileBuilder

NAME = {"name": "Name", "type": "singleLineText"}
WORKSPACE = "wspAny00000000001"
ISO_DATE = {"dateFormat": {"name": "iso", "format": "YYYY-MM-DD"}}
CREATABLE = {
    "barcode": None,
    "checkbox": {"icon": "check", "color": "greenBright"},
    "currency": {"precision": 2, "symbol": "€"},
    "date": ISO_DATE,
    "dateTime": {**ISO_DATE, "timeFormat": {"name": "24hour", "format": "HH:mm"}, "timeZone": "client"},
    "duration": {"durationFormat": "h:mm:ss.SSS"},
    "email": None,
    "multilineText": None,
    "multipleAttachments": {"isReversed": True},
    "multipleCollaborators": None,
    "multipleRecordLinks": {"linkedTableId": "Homes"},
    "multipleSelects": {"choices": [{"name": "a", "color": "blueDark1"}, {"name": "b", "color": "grayLight2"}]},
    "number": {"precision": 8},
    "percent": {"precision": 0},
    "phoneNumber": None,
    "rating": {"icon": "heart", "max": 10, "color": "redBright"},
    "richText": None,
    "singleCollaborator": None,
    "singleLineText": None,
    "singleSelect": {"choices": [{"name": "a", "color": "tealBright"}]},
    "url": None,
}


def refused(status: int, words: str):
    return pytest.raises(requests.HTTPError, match=f"{status}.*{words}")


def test_no_public_method_of_a_base_or_of_the_api_is_without_a_test_here() -> None:
    base = {name for name, _ in inspect.getmembers(Base, callable) if not name.startswith("_")}
    assert base - {"shares", "delete"} == {
        *("table", "tables", "create_table", "schema", "collaborators", "webhooks", "webhook", "add_webhook"),
    }
    api = {name for name, _ in inspect.getmembers(Api, callable) if not name.startswith("_")}
    plumbing = {"build_url", "request", "get", "post", "patch", "delete", "iterate_requests", "chunked"}
    assert api - plumbing - {"enterprise"} == {"whoami", "workspace", "base", "bases", "create_base", "table"}


def test_a_token_tells_who_owns_it_and_which_bases_it_opens(sandbox) -> None:
    me = sandbox.api.whoami()
    assert (me["id"][:3], "data.records:write" in me["scopes"]) == ("usr", True)
    assert [(one.id, one.name, one.permission_level) for one in sandbox.api.bases()] == [
        (sandbox.base_id, "Dev", "create")
    ]
    assert sandbox.api.base(sandbox.base_id, validate=True).name == "Dev"
    assert sandbox.api.table(sandbox.base_id, "Stays", validate=True).id[:3] == "tbl"
    with pytest.raises(KeyError):
        sandbox.api.base("app" + "x" * 14, validate=True)
    with pytest.raises(KeyError):
        sandbox.base.table("Nowhere", validate=True)


def test_a_base_tells_its_tables_and_the_people_in_it(sandbox) -> None:
    assert [one.name for one in sandbox.base.tables()] == ["Homes", "Stays"]
    people = sandbox.base.collaborators()
    assert (people.id, people.name, people.workspace_id[:3]) == (sandbox.base_id, "Dev", "wsp")
    assert [one.user_id for one in people.individual_collaborators.via_workspace] == [sandbox.api.whoami()["id"]]
    bare = sandbox.api.get(sandbox.base.urls.meta)
    assert set(bare) == {"id", "name", "createdTime", "permissionLevel", "workspaceId"}


def test_what_only_an_enterprise_may_do_is_not_found(sandbox) -> None:
    with refused(404, "NOT_FOUND"):
        sandbox.base.shares()
    with refused(404, "NOT_FOUND"):
        sandbox.base.delete()


def test_a_new_base_has_its_tables_and_outlives_a_restart(start, tmp_path) -> None:
    first = start(tmp_path)
    made = first.api.create_base(WORKSPACE, "Fresh", [{"name": "Things", "fields": [NAME]}])
    assert (made.name, made.id[:3]) == ("Fresh", "app")
    record = made.table("Things").create({"Name": "one"})
    assert made.collaborators().workspace_id == WORKSPACE
    second = start(tmp_path)
    assert sorted(one.name for one in second.api.bases()) == ["Dev", "Fresh"]
    assert second.api.table(made.id, "Things").get(record["id"]) == record
    other = Api("prdKey.secret", endpoint_url=second.url, retry_strategy=None)
    with refused(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"):
        other.table(made.id, "Things").all()
    second.control("POST", "/reset")
    assert [one.name for one in second.api.bases(force=True)] == ["Dev"]
    third = start(tmp_path)
    assert [one.name for one in third.api.bases()] == ["Dev"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "B", "workspaceId": WORKSPACE}, 422),
        ({"name": "", "workspaceId": WORKSPACE, "tables": [{"name": "T", "fields": [NAME]}]}, 422),
        ({"name": "B", "workspaceId": WORKSPACE, "tables": []}, 422),
        ({"name": "B", "workspaceId": "home", "tables": [{"name": "T", "fields": [NAME]}]}, 403),
        ({"name": "B", "workspaceId": WORKSPACE, "tables": [{"name": "T"}]}, 422),
    ],
)
def test_a_base_that_makes_no_sense_is_not_made(sandbox, body: dict, status: int) -> None:
    with pytest.raises(requests.HTTPError) as refusal:
        sandbox.api.post(sandbox.api.urls.bases, json=body)
    assert refusal.value.response.status_code == status
    assert len(sandbox.api.bases()) == 1


@pytest.mark.parametrize("kind", CREATABLE)
def test_every_creatable_field_comes_back_as_it_was_asked_for(sandbox, kind: str) -> None:
    options = CREATABLE[kind]
    if options and "linkedTableId" in options:
        options = {"linkedTableId": sandbox.table("Homes").id}
    made = sandbox.table("Stays").create_field("Fresh", kind, description="what it is for", options=options)
    assert (made.id[:3], made.name, made.type, made.description) == ("fld", "Fresh", kind, "what it is for")
    assert not isinstance(made, s.UnknownFieldSchema)
    told = sandbox.api.get(sandbox.base.urls.tables)["tables"][1]["fields"][-1]
    assert without_ids(told.get("options")) | (options or {}) == without_ids(told.get("options"))
    made.description = "something else"
    made.save()
    assert sandbox.table("Stays").schema(force=True).field("Fresh").description == "something else"


def without_ids(options: dict | None) -> dict:
    choices = [{key: one[key] for key in ("name", "color")} for one in (options or {}).get("choices", [])]
    return (options or {}) | ({"choices": choices} if choices else {})


@pytest.mark.parametrize("kind", sorted(set(s.FieldType) - {s.FieldType(one) for one in CREATABLE}))
def test_every_other_type_of_field_cannot_be_created(sandbox, kind: s.FieldType) -> None:
    with refused(422, "UNSUPPORTED_FIELD_TYPE_FOR_CREATE"):
        sandbox.table("Stays").create_field("Fresh", kind.value)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("checkbox", {"icon": "smile", "color": "greenBright"}),
        ("checkbox", {"icon": "check", "color": "greenLight2"}),
        ("rating", {"icon": "check", "max": 5, "color": "redBright"}),
        ("rating", {"icon": "star", "max": 5, "color": "mauve"}),
        ("duration", {"durationFormat": "mm:ss"}),
        ("date", {"dateFormat": {"name": "iso", "format": "LL"}}),
        ("date", {"dateFormat": {"name": "iso"}, "timeZone": "utc"}),
        ("number", {"precision": 1, "symbol": "$"}),
        ("singleSelect", {"choices": [{"name": "a", "color": "mauve"}]}),
        ("singleSelect", {"choices": [{"name": "a", "size": 1}]}),
        ("multipleAttachments", {"isReversed": True, "max": 1}),
    ],
)
def test_options_that_the_service_does_not_know_are_refused(sandbox, kind: str, options: dict) -> None:
    with refused(422, "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE"):
        sandbox.table("Stays").create_field("Fresh", kind, options=options)


def test_a_link_may_name_a_view_of_its_own_table_only(sandbox) -> None:
    homes, stays = sandbox.table("Homes"), sandbox.table("Stays")
    good = {"linkedTableId": homes.id, "viewIdForRecordSelection": homes.schema().views[0].id}
    made = stays.create_field("Second home", "multipleRecordLinks", options=good)
    assert made.options.view_id_for_record_selection == good["viewIdForRecordSelection"]
    with refused(422, "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE"):
        bad = {**good, "viewIdForRecordSelection": stays.schema().views[0].id}
        stays.create_field("Third home", "multipleRecordLinks", options=bad)


def test_tables_and_fields_are_renamed_described_and_scheduled(sandbox) -> None:
    stays = sandbox.table("Stays")
    stays.create_field("End", "date", options={"dateFormat": {"name": "iso"}})
    stays.create_field("After", "multipleRecordLinks", options={"linkedTableId": stays.id})
    schema = stays.schema(force=True)
    schema.name, schema.description = "Visits", "who comes when"
    schema.set_date_dependency("Check-in", "End", "Count", "flexible", "After", True, ["2026-12-25"])
    schema.save()
    told = sandbox.base.schema(force=True).table("Visits")
    assert (told.description, told.date_dependency.rescheduling_mode) == ("who comes when", "flexible")
    assert told.date_dependency.predecessor_field_id == told.field("After").id
    assert told.date_dependency.holidays == ["2026-12-25"]
    settings = {"dateDependencySettings": told._raw["dateDependencySettings"]}
    for wrong in (
        {"startDateFieldId": told.field("Count").id},
        {"reschedulingMode": "wild"},
        {"holidays": ["Christmas"]},
        {"isEnabled": "yes"},
        {"colour": "red"},
    ):
        body = {"dateDependencySettings": settings["dateDependencySettings"] | wrong}
        with refused(422, "INVALID_REQUEST"):
            sandbox.api.patch(f"{sandbox.base.urls.tables}/{told.id}", json=body)
    with refused(422, "INVALID_REQUEST"):
        sandbox.api.patch(f"{sandbox.base.urls.tables}/{told.id}", json={"dateDependencySettings": None})
    told.description = "x" * 20_001
    with refused(422, "INVALID_REQUEST"):
        told.save()


def test_a_date_dependency_outlives_a_restart(start, tables, tmp_path) -> None:
    first = start(tmp_path)
    first.control("POST", "/limits", {"enforce": False})
    first.control("POST", "/schema", {"base_id": first.base_id, "tables": tables})
    schema = first.table("Stays").schema()
    schema.set_date_dependency("Check-in", "Seen", "Count", "none")
    schema.save()
    second = start(tmp_path)
    assert second.table("Stays").schema().date_dependency == schema.date_dependency


def test_a_view_is_deleted_but_never_the_last(sandbox) -> None:
    order = {"base_id": sandbox.base_id, "table": "Stays", "name": "Some"}
    assert sandbox.control("POST", "/views", order).status_code == 201
    schema = sandbox.table("Stays").schema()
    schema.view("Some").delete()
    assert [one.name for one in sandbox.table("Stays").schema(force=True).views] == ["Grid view"]
    with refused(422, "INVALID_REQUEST"):
        schema.view("Grid view").delete()
    with refused(404, "NOT_FOUND"):
        sandbox.api.delete(f"{sandbox.base.urls.meta}/views/viw{'x' * 14}")


def test_models_generated_from_the_schema_read_the_base(sandbox, tmp_path, monkeypatch) -> None:
    home = sandbox.seed("Homes", {"Name": "Casa"})[0]
    sandbox.seed("Stays", {"UID": "a", "Home": [home]})
    (tmp_path / "generated_models.py").write_text(str(ModelFileBuilder(sandbox.base)))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("AIRTABLE_API_KEY", sandbox.key)
    models = importlib.import_module("generated_models")
    for model in (models.Home, models.Stay):
        model.meta.api = sandbox.api
    stay = models.Stay.first()
    assert (stay.uid, [one.name for one in stay.home]) == ("a", ["Casa"])


def spec(*kinds: str, includes: dict | None = None, **filters: object) -> dict:
    options: dict = {"filters": {"dataTypes": list(kinds), **filters}}
    return {"options": options | ({"includes": includes} if includes else {})}


def told_by(base: Base, hook_id: str) -> list:
    return list(base.webhook(hook_id).payloads())


def test_webhooks_are_listed_paused_prolonged_and_deleted(sandbox) -> None:
    base = sandbox.base
    made = base.add_webhook("http://127.0.0.1:9/", spec("tableData"))
    assert made.mac_secret_base64
    hook = base.webhooks()[0]
    assert (hook.id, hook.are_notifications_enabled, hook.cursor_for_next_payload) == (made.id, True, 1)
    hook.disable_notifications()
    assert base.webhook(made.id).are_notifications_enabled is False
    hook.enable_notifications()
    sandbox.clock.ahead += 3600
    hook.extend_expiration()
    assert base.webhook(made.id).expiration_time > made.expiration_time
    hook.delete()
    assert base.webhooks() == []


def test_payloads_are_resumed_at_a_cursor_and_cut_at_a_limit(sandbox) -> None:
    hook = sandbox.base.webhook(sandbox.base.add_webhook("http://127.0.0.1:9/", spec("tableData")).id)
    hook.disable_notifications()
    for number in range(60):
        sandbox.table("Stays").create({"UID": str(number)})
    assert [one.cursor for one in hook.payloads()] == list(range(1, 61))
    assert [one.cursor for one in hook.payloads(cursor=59)] == [59, 60]
    assert [one.cursor for one in hook.payloads(cursor=3, limit=2)] == [3, 4]


def test_a_webhook_tells_of_new_and_changed_tables_and_fields(sandbox) -> None:
    base = sandbox.base
    both = spec("tableFields", "tableMetadata", includes={"includePreviousFieldDefinitions": True})
    hook = base.add_webhook("http://127.0.0.1:9/", both).id
    plain = base.add_webhook("http://127.0.0.1:9/", spec("tableFields", changeTypes=["update"])).id
    base.create_table("Keys", [NAME, {"name": "Note", "type": "multilineText"}], "what opens what")
    stays = sandbox.table("Stays")
    link = stays.create_field("Key", "multipleRecordLinks", options={"linkedTableId": base.table("Keys").id})
    column = stays.schema(force=True).field("Info")
    column.name = "Remark"
    column.save()
    table = stays.schema(force=True)
    table.name = "Visits"
    table.save()
    made, linked, renamed, retitled = told_by(base, hook)
    (keys,) = made.created_tables_by_id.values()
    assert (keys.metadata.name, keys.metadata.description) == ("Keys", "what opens what")
    assert sorted(one.name for one in keys.fields_by_id.values()) == ["Name", "Note"]
    assert linked.changed_tables_by_id[stays.id].created_fields_by_id[link.id].type == "multipleRecordLinks"
    assert len(linked.changed_tables_by_id) == 2
    change = renamed.changed_tables_by_id[stays.id].changed_fields_by_id[column.id]
    assert (change.current.name, change.previous.name) == ("Remark", "Info")
    titles = retitled.changed_tables_by_id[stays.id].changed_metadata
    assert (titles.current.name, titles.previous.name) == ("Visits", "Stays")
    (only,) = told_by(base, plain)
    assert only.changed_tables_by_id[stays.id].changed_fields_by_id[column.id].previous is None


def test_a_webhook_may_watch_one_table_or_one_fields_definition(sandbox) -> None:
    base, stays = sandbox.base, sandbox.table("Stays")
    info, count = (stays.schema().field(name) for name in ("Info", "Count"))
    scoped = base.add_webhook(
        "http://127.0.0.1:9/", spec("tableFields", recordChangeScope=sandbox.table("Homes").id)
    ).id
    watching = base.add_webhook("http://127.0.0.1:9/", spec("tableFields", watchSchemasOfFieldIds=[count.id])).id
    elsewhere = base.add_webhook("http://127.0.0.1:9/", spec("tableFields", fromSources=["client"])).id
    for field in (info, count):
        field.description = "changed"
        field.save()
    assert (told_by(base, scoped), told_by(base, elsewhere)) == ([], [])
    (one,) = told_by(base, watching)
    assert list(one.changed_tables_by_id[stays.id].changed_fields_by_id) == [count.id]


def test_a_webhook_tells_of_an_upload(sandbox) -> None:
    stay = sandbox.seed("Stays", {"UID": "a"})[0]
    hook = sandbox.base.add_webhook("http://127.0.0.1:9/", spec("tableData")).id
    body = {"contentType": "image/png", "filename": "a.png", "file": "iVBORw=="}
    for _ in range(2):
        assert sandbox.call("POST", f"/{stay}/Files/uploadAttachment", body).status_code == 200
    payloads = told_by(sandbox.base, hook)
    assert [list(one.changed_tables_by_id[sandbox.table("Stays").id].changed_records_by_id) for one in payloads] == [
        [stay],
        [stay],
    ]
