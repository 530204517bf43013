"""The one place where an answer becomes an error."""

import json
import pickle

import pytest
import requests

from changeover.airtable import errors
from changeover.airtable.errors import AirtableError, read


def answer(status: int, body: object, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return response


def typed(kind: str, message: str = "") -> dict[str, dict[str, str]]:
    return {"error": {"type": kind, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, typed("AUTHENTICATION_REQUIRED", "Authentication required"), errors.Unauthorized),
        (403, typed("INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"), errors.Forbidden),
        (404, {"error": "NOT_FOUND"}, errors.NotFound),
        (413, b"too large", errors.RowRejected),
        (422, typed("INVALID_REQUEST_UNKNOWN"), errors.RowRejected),
        (422, typed("UNKNOWN_FIELD_NAME", 'Unknown field name: "Check-out Date"'), errors.SchemaDrift),
        (422, typed("INVALID_FILTER_BY_FORMULA"), errors.BadRequest),
        (422, {"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}, errors.OffsetExpired),
        (429, {"errors": [{"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded."}]}, errors.RateLimited),
        (429, {"errors": [{"error": "PUBLIC_API_BILLING_LIMIT_EXCEEDED"}]}, errors.BillingBlocked),
        (429, b"", errors.RateLimited),
        (400, b"<html>", errors.BadRequest),
        (418, {"error": 7}, errors.BadRequest),
        (500, {"error": {"type": "SERVER_ERROR"}}, errors.Unavailable),
        (503, [], errors.Unavailable),
        (302, b"", errors.BadRequest),
        (200, b"<html>Sign in</html>", errors.Unavailable),
        (200, b"", errors.Unavailable),
        (200, [], errors.Unavailable),
        (200, b'{"records": [', errors.Unavailable),
    ],
)
def test_each_answer_means_one_error(status: int, body: object, expected: type[AirtableError]) -> None:
    with pytest.raises(expected) as caught:
        read(answer(status, body))
    assert type(caught.value) is expected
    assert caught.value.status == status


def test_a_good_answer_comes_with_the_bases_clock() -> None:
    got = read(answer(200, {"records": []}, Date="Wed, 04 Mar 2026 15:00:00 GMT"))
    assert got.body == {"records": []}
    assert got.at is not None
    assert got.at.isoformat() == "2026-03-04T15:00:00+00:00"


@pytest.mark.parametrize("headers", [{}, {"Date": "noon"}])
def test_an_answer_without_a_usable_date_has_none(headers: dict[str, str]) -> None:
    assert read(answer(200, {}, **headers)).at is None


@pytest.mark.parametrize(("value", "expected"), [("30", 30.0), ("9999", 120.0), ("Wed, 04 Mar 2026", 0.0)])
def test_the_wait_a_base_asks_for_is_obeyed_up_to_two_minutes(value: str, expected: float) -> None:
    with pytest.raises(errors.Unavailable) as caught:
        read(answer(503, b"", Retry_After=value))
    assert caught.value.after == expected


def test_an_error_names_field_and_record_and_never_a_value() -> None:
    secret = "https://feeds.example/ics/secret"
    message = f'Insufficient permissions to create new select option ""{secret}""'
    with pytest.raises(errors.RowRejected) as caught:
        read(answer(422, typed("INVALID_MULTIPLE_CHOICE_OPTIONS", message)))
    assert "secret" not in repr(caught.value) + str(vars(caught.value))
    with pytest.raises(errors.RowRejected) as caught:
        read(answer(422, typed("INVALID_VALUE_FOR_COLUMN", 'Field "Status" cannot accept the provided value')))
    assert caught.value.field == "Status"
    with pytest.raises(errors.RowRejected) as caught:
        read(answer(422, typed("ROW_DOES_NOT_EXIST", "Record ID recAbCdEfGh123456 does not exist in this table")))
    assert caught.value.row_is_gone
    assert caught.value.record_id == "recAbCdEfGh123456"


def test_a_locked_field_is_told_from_a_refused_base() -> None:
    with pytest.raises(errors.Forbidden) as caught:
        read(answer(403, typed("INVALID_PERMISSIONS", "You are not permitted to edit this field")))
    assert caught.value.locked


def test_an_error_survives_being_stored_by_the_durable_engine() -> None:
    error = errors.RowRejected(
        "ROW_DOES_NOT_EXIST", status=422, field="Status", record_id="recAbCdEfGh123456", after=2.0
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(again) is errors.RowRejected
    assert vars(again) == vars(error)
    assert str(again) == str(error)
