"""Refusals word for word, in their four shapes (airtable.md §2.4)."""

import pytest
import requests

INVALID = "Invalid request: parameter validation failed. Check your request data."
GHOST = "rec" + "x" * 14


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer patWrong"}, {"Authorization": "patDev.secret"}])
def test_without_a_known_token_nothing_is_told(sandbox, headers: dict[str, str]) -> None:
    for path in ("/Stays", "/Nowhere"):
        answer = sandbox.call("GET", path, headers=headers)
        assert answer.status_code == 401
        assert answer.json() == {"error": {"type": "AUTHENTICATION_REQUIRED", "message": "Authentication required"}}


def test_an_unknown_table_and_a_foreign_base_look_alike(sandbox) -> None:
    foreign = sandbox.call("GET", "/Stays", headers={"Authorization": "Bearer prdKey.secret"})
    unknown = sandbox.call("GET", "/Nowhere")
    headers = {"Authorization": f"Bearer {sandbox.key}"}
    nobody = requests.get(f"{sandbox.url}/v0/appNobody00000001/Stays", headers=headers, timeout=5)
    assert foreign.status_code == unknown.status_code == nobody.status_code == 403
    assert foreign.json() == unknown.json() == nobody.json()
    assert foreign.json()["error"]["type"] == "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/Stays/{GHOST}"),
        ("PATCH", f"/Stays/{GHOST}"),
        ("PUT", f"/Stays/{GHOST}"),
        ("DELETE", f"/Stays/{GHOST}"),
        ("GET", f"/Stays/{GHOST}/comments"),
        ("GET", "/Stays/a/b/c"),
        ("DELETE", "/Stays/listRecords/x"),
    ],
)
def test_a_missing_record_or_route_is_one_word(sandbox, method: str, path: str) -> None:
    answer = sandbox.call(method, path, {"fields": {}} if method[0] == "P" else None)
    assert (answer.status_code, answer.json()) == (404, {"error": "NOT_FOUND"})


@pytest.mark.parametrize("body", ["{nope", '{"fields": {"Count": NaN}}', "\xff"])
def test_a_body_that_is_not_json_is_a_bad_request(sandbox, body: str) -> None:
    headers = {"Authorization": f"Bearer {sandbox.key}", "Content-Type": "application/json"}
    answer = requests.post(
        f"{sandbox.url}/v0/{sandbox.base_id}/Stays", data=body.encode("latin-1"), headers=headers, timeout=5
    )
    assert answer.status_code == 400


def test_a_body_that_is_too_large_is_refused(sandbox) -> None:
    answer = sandbox.call("POST", "/Stays", {"fields": {"Info": "x" * (9 * 1024 * 1024)}})
    assert answer.status_code == 413


def test_a_url_of_16000_characters_is_too_long_and_a_shorter_one_is_not(sandbox) -> None:
    assert sandbox.call("GET", f"/Stays?filterByFormula=OR({'1,' * 6000}1)").status_code == 200
    assert sandbox.call("GET", f"/Stays?filterByFormula=OR({'1,' * 8000}1)").status_code == 414


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/Stays?pageSize=101", None),
        ("GET", "/Stays?pageSize=0", None),
        ("GET", "/Stays?pageSize=ten", None),
        ("GET", "/Stays?maxRecords=0", None),
        ("GET", "/Stays?cellFormat=string", None),
        ("GET", "/Stays?cellFormat=string&timeZone=UTC", None),
        ("GET", "/Stays?cellFormat=string&timeZone=Mars&userLocale=en", None),
        ("GET", "/Stays?cellFormat=html", None),
        ("GET", "/Stays?returnFieldsByFieldId=perhaps", None),
        ("GET", "/Stays?recordMetadata[]=reactionCount", None),
        ("GET", "/Stays?sort[0][field]=UID&sort[0][direction]=up", None),
        ("GET", "/Stays?sort[0][direction]=asc", None),
        ("GET", "/Stays?unheard=of", None),
        ("GET", f"/Stays/{GHOST}?unheard=of", None),
        ("POST", "/Stays/listRecords", {"timeZone": "UTC"}),
        ("POST", "/Stays/listRecords", {"recordMetadata": ["commentCount", "reactionCount"]}),
        ("POST", "/Stays/listRecords", {"fields": "UID"}),
        ("POST", "/Stays/listRecords", {"sort": "UID"}),
        ("POST", "/Stays/listRecords", {"sort": ["UID"]}),
        ("POST", "/Stays/listRecords", {"view": 7}),
        ("POST", "/Stays/listRecords", {"pageSize": True}),
        ("POST", "/Stays/listRecords", []),
        ("POST", "/Stays", {"records": [{"fields": {}}] * 11}),
        ("POST", "/Stays", {"records": []}),
        ("POST", "/Stays", {"records": {}}),
        ("POST", "/Stays", {"records": [{"id": GHOST, "fields": {}}]}),
        ("POST", "/Stays", {"records": [{"UID": "a"}]}),
        ("POST", "/Stays", {"records": ["a"]}),
        ("POST", "/Stays", {"fields": {}, "records": []}),
        ("POST", "/Stays", {"fields": "UID"}),
        ("POST", "/Stays", {"fields": {}, "typecast": "perhaps"}),
        ("POST", "/Stays", {}),
        ("POST", "/Stays", {"fields": {}, "unheard": 1}),
        ("POST", "/Stays", None),
        ("PATCH", "/Stays", {"records": [{"id": GHOST, "fields": {}}] * 11}),
        ("PATCH", "/Stays", {"records": [{"fields": {}}]}),
        ("PATCH", "/Stays", {"records": [{"id": 7, "fields": {}}]}),
        ("PATCH", "/Stays", {"fields": {}}),
        ("DELETE", "/Stays", None),
        ("DELETE", "/Stays?" + "&".join(["records[]=" + GHOST] * 11), None),
    ],
)
def test_parameters_that_make_no_sense_are_refused_alike(sandbox, method: str, path: str, body: object) -> None:
    answer = sandbox.call(method, path, body)
    assert answer.status_code == 422, answer.text
    assert answer.json() == {"error": {"type": "INVALID_REQUEST_UNKNOWN", "message": INVALID}}


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "message"),
    [
        ("GET", "/Stays?fields[]=Zed", None, "UNKNOWN_FIELD_NAME", 'Unknown field name: "Zed"'),
        ("GET", "/Stays?sort[0][field]=Zed", None, "UNKNOWN_FIELD_NAME", 'Unknown field name: "Zed"'),
        ("POST", "/Stays", {"fields": {"uid": "a"}}, "UNKNOWN_FIELD_NAME", 'Unknown field name: "uid"'),
        (
            "POST",
            "/Stays",
            {"fields": {"Status": "Fresh"}},
            "INVALID_MULTIPLE_CHOICE_OPTIONS",
            'Insufficient permissions to create new select option ""Fresh""',
        ),
        (
            "POST",
            "/Stays",
            {"fields": {"Home": [GHOST]}},
            "ROW_DOES_NOT_EXIST",
            f"Record ID {GHOST} does not exist in this table",
        ),
        (
            "PATCH",
            "/Stays",
            {"records": [{"id": GHOST, "fields": {}}]},
            "ROW_DOES_NOT_EXIST",
            f"Record ID {GHOST} does not exist in this table",
        ),
        (
            "GET",
            "/Stays?filterByFormula={Zed}=1",
            None,
            "INVALID_FILTER_BY_FORMULA",
            "The formula for filtering records is invalid: Unknown field names: zed",
        ),
        (
            "GET",
            "/Stays?filterByFormula=CHOOSE(1,1)",
            None,
            "INVALID_FILTER_BY_FORMULA",
            "The formula for filtering records is invalid: Unknown function names: CHOOSE",
        ),
        ("GET", "/Stays?view=Nobody", None, "VIEW_NAME_NOT_FOUND", "View Nobody not found"),
    ],
)
def test_what_the_table_does_not_know_is_named(sandbox, method, path, body, kind: str, message: str) -> None:
    answer = sandbox.call(method, path, body)
    assert answer.status_code == 422
    assert answer.json() == {"error": {"type": kind, "message": message}}


@pytest.mark.parametrize("offset", ["itrGone/recGone", "nonsense"])
def test_an_offset_nobody_gave_has_no_message(sandbox, offset: str) -> None:
    answer = sandbox.call("GET", f"/Stays?offset={offset}")
    assert answer.status_code == 422
    assert answer.json() == {"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}


def test_every_answer_carries_a_date(sandbox) -> None:
    assert sandbox.call("GET", "/Stays").headers["Date"].endswith("GMT")
    assert sandbox.call("GET", "/Nowhere").headers["Date"].endswith("GMT")
