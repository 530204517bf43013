"""Whatever a client sends, the stand-in refuses it in its own words and goes on."""

import sqlite3

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LEAVES = st.none() | st.booleans() | st.integers(-5, 200) | st.sampled_from(["", "UID", "a", "Name", "New", "number"])
NAMES = st.sampled_from(
    [
        "fields",
        "records",
        "id",
        "UID",
        "Home",
        "Tags",
        "Files",
        "Check-in",
        "name",
        "type",
        "options",
        "choices",
        "sort",
        "field",
        "direction",
        "performUpsert",
        "fieldsToMergeOn",
        "specification",
        "filters",
        "dataTypes",
        "text",
        "tables",
        "table",
        "url",
        "typecast",
    ]
)
BODIES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
BASE = "appDevBase0000001"
ROUTES = [
    ("POST", f"/v0/{BASE}/Stays"),
    ("PATCH", f"/v0/{BASE}/Stays"),
    ("PUT", f"/v0/{BASE}/Stays"),
    ("POST", f"/v0/{BASE}/Stays/listRecords"),
    ("POST", f"/v0/meta/bases/{BASE}/tables"),
    ("PATCH", f"/v0/meta/bases/{BASE}/tables/Stays"),
    ("POST", f"/v0/meta/bases/{BASE}/tables/Stays/fields"),
    ("PATCH", f"/v0/meta/bases/{BASE}/tables/Stays/fields/UID"),
    ("POST", f"/v0/bases/{BASE}/webhooks"),
    ("POST", "/_sandbox/faults"),
    ("POST", "/_sandbox/limits"),
    ("POST", "/_sandbox/records"),
    ("POST", "/_sandbox/views"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_no_body_breaks_the_server(sandbox, method: str, path: str, body: object) -> None:
    headers = {"Authorization": f"Bearer {sandbox.key}"}
    answer = requests.request(method, sandbox.url + path, json=body, headers=headers, timeout=5)
    assert answer.status_code < 500, (body, answer.text)
    sandbox.control("DELETE", "/faults")
    sandbox.control("POST", "/limits", {"enforce": False})


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sort[0][field]", "sort[0]", "sort[]", "sort", "fields[]", "fields", "fields[x]", "view"])
            | st.sampled_from(["offset", "pageSize", "filterByFormula", "cellFormat", "timeZone", "userLocale", "["]),
            st.sampled_from(["", "UID", "asc", "1", "-1", "string", "UTC", "{UID}", "LEFT(UID,", "1/0", "[x]"]),
        ),
        max_size=5,
    )
)
def test_no_query_breaks_the_server(sandbox, query: list[tuple[str, str]]) -> None:
    sandbox.seed("Stays", {"UID": "a"})
    answer = sandbox.call("GET", "/Stays", params=query)
    assert answer.status_code in {200, 422}, (query, answer.text)


def test_a_base_id_that_is_none_is_forbidden(sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.key}"}
    answer = requests.get(f"{sandbox.url}/v0/meta/bases/nonsense/tables", headers=headers, timeout=5)
    assert answer.status_code == 403


def test_what_could_not_be_saved_is_not_acknowledged(start, tables, tmp_path) -> None:
    sandbox = start(tmp_path)
    sandbox.control("POST", "/schema", {"base_id": sandbox.base_id, "tables": tables})
    with sqlite3.connect(tmp_path / "airtable.db") as database:
        database.execute("DROP TABLE item")
    answer = sandbox.call("POST", "/Stays", {"fields": {"UID": "a"}})
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "SERVER_ERROR")
    with sqlite3.connect(tmp_path / "airtable.db") as database:
        database.execute("CREATE TABLE item (kind, base, id, body, PRIMARY KEY (kind, base, id))")


def test_a_fields_type_that_the_stand_in_does_not_know_refuses_every_value(empty) -> None:
    fields = [{"name": "Name", "type": "singleLineText"}, {"name": "Odd", "type": "hologram"}]
    empty.control("POST", "/schema", {"base_id": empty.base_id, "tables": [{"name": "T", "fields": fields}]})
    assert empty.call("POST", "/T", {"fields": {"Odd": "x"}}).json()["error"]["type"] == "INVALID_VALUE_FOR_COLUMN"
