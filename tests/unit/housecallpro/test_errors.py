"""What an answer means, and that nothing private gets into an error (housecallpro.md §4, HC-91, HC-92)."""

from __future__ import annotations

import json
import pickle

import pytest
import requests

from changeover.housecallpro import errors
from changeover.housecallpro.errors import read

NOW = 1_772_647_331.0


def response(status: int, body: object = None, **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    answer._content = text.encode()
    answer.headers.update(headers)
    return answer


def refused(status: int, body: object = None, **headers: str) -> errors.HcpError:
    with pytest.raises(errors.HcpError) as refusal:
        read(response(status, body, **headers), NOW)
    return refusal.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "policy"),
    [
        (400, {"message": "Name is too long", "name": "is too long"}, errors.Validation, errors.Rejected),
        (400, {"error": {"message": "Can't schedule an archived job"}}, errors.Gone, errors.Rejected),
        (400, "job was deleted", errors.Gone, errors.Rejected),
        (401, {"error": {"message": "invalid token"}}, errors.Auth, errors.Fatal),
        (401, "This key does not have the necessary permissions", errors.Auth, errors.Fatal),
        (403, None, errors.Auth, errors.Fatal),
        (404, {}, errors.NotFound, errors.Rejected),
        (410, None, errors.Gone, errors.Rejected),
        (409, None, errors.Validation, errors.Rejected),
        (422, {"errors": {"name": ["is missing"]}}, errors.Validation, errors.Rejected),
        (429, None, errors.RateLimited, errors.Retriable),
        (500, "<html>oops deleted</html>", errors.Server, errors.Retriable),
        (503, None, errors.Server, errors.Retriable),
        (302, None, errors.BadPayload, errors.Retriable),
        (200, "<html>Sign in</html>", errors.BadPayload, errors.Retriable),
        (200, None, errors.BadPayload, errors.Retriable),
    ],
)
def test_every_answer_means_one_kind_of_error_and_its_policy(status, body, kind, policy):
    """HC-4, HC-22, HC-23, HC-24, HC-25, HC-26, HC-27, HC-28, HC-29, HC-92."""
    error = refused(status, body)
    assert type(error) is kind
    assert isinstance(error, policy)
    assert error.status == status


def test_a_good_answer_is_its_json_and_may_be_empty_where_that_is_expected():
    assert read(response(201, {"id": "job_1"}), NOW) == {"id": "job_1"}
    assert read(response(200, " "), NOW, empty=True) is None
    assert read(response(200, {"deleted": True}), NOW, empty=True) == {"deleted": True}


@pytest.mark.parametrize(
    ("body", "message", "fields"),
    [
        ({"error": {"message": "job not found"}}, "job not found", {}),
        ({"error": {"code": 7}}, "", {}),
        ({"error": "invalid_request", "error_description": "no such thing"}, "invalid_request: no such thing", {}),
        ({"error": "invalid_request"}, "invalid_request", {}),
        ({"message": "Name is  too\nlong", "name": "is too long"}, "Name is too long", {"name": "is too long"}),
        ({"errors": {"name": ["is missing", "is odd"]}}, "name is missing, is odd", {"name": "is missing, is odd"}),
        ({"message": 7, "errors": []}, "", {}),
        (["nothing"], "", {}),
        ({}, "", {}),
    ],
)
def test_the_message_is_found_in_every_shape_of_a_body(body, message, fields):
    """HC-30."""
    error = refused(422, body)
    assert error.message == message
    assert error.fields == fields


def test_a_page_of_html_is_never_shown_to_anybody():
    error = refused(502, "<html>Casey Example, 602-555-0100</html>")
    assert error.text == "Housecall Pro has a problem of its own (502)"
    assert "Casey" not in repr(error) + str(error)


def test_messages_are_short_and_hold_neither_phones_nor_mails():
    """HC-91."""
    told = "casey@example.com or (602) 555-0100 has job_00000000000000000000000000000001 " + "x" * 600
    error = refused(400, {"message": told})
    assert "example.com" not in error.text
    assert "555" not in error.text
    assert "job_00000000000000000000000000000001" in error.text
    assert len(error.text) == 500


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_was_asked_for_is_kept(status):
    assert refused(status, **{"Retry-After": "7"}).after == 7
    assert refused(status).after == 0


def test_errors_survive_being_stored_with_a_step():
    lost = pickle.loads(pickle.dumps(errors.Transport(sent=False)))  # noqa: S301
    assert (type(lost), lost.sent, lost.text) == (errors.Transport, False, "Housecall Pro cannot be reached")
    limited = pickle.loads(pickle.dumps(refused(429, **{"Retry-After": "7"})))  # noqa: S301
    assert (type(limited), limited.after, limited.status) == (errors.RateLimited, 7, 429)
