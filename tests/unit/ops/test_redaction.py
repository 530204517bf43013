"""Nothing of L-5 is ever shown, and what people need to read still is."""

from __future__ import annotations

import pytest

from changeover.ops.redaction import Redactor

SECRET = "s3cr3t-Value_42"


@pytest.fixture
def redactor():
    return Redactor([SECRET, "short", "abc"])


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (f"the key is {SECRET}.", SECRET),
        ("Authorization: Bearer patAbCdEfGhIjKl01.0123456789abcdef", "patAbCdEfGhIjKl01"),
        ("authorization=Basic dXNlcjp3b3Jk", "dXNlcjp3b3Jk"),
        ("a token patAbCdEfGhIjKl01.0123456789abcdef alone", "patAbCdEfGhIjKl01"),
        ("Bearer abcdef0123456789", "abcdef0123456789"),
        ("Cookie: session=abcd1234", "abcd1234"),
        ("X-API-Key: k-12345", "k-12345"),
        ('{"api_key": "k-12345"}', "k-12345"),
        ("Api-Signature=deadbeef99", "deadbeef99"),
        ("password: hunter22", "hunter22"),
        ("the password is hunter22", "hunter22"),
        ("https://me:hunter22@example.com/path", "hunter22"),
        ("https://me@example.com/path", "me@"),
        ("GET https://example.com/path?token=abc123&x=1 failed", "abc123"),
        ("https://example.com/path#frag99", "frag99"),
        ("fetch https://rentals.example.com/ical/98765/abcdef.ics failed", "abcdef"),
        ("webcal://rentals.example.com/calendar/abcdef", "abcdef"),
        ("http://127.0.0.1:8000/ics/loft-abcdef.ics", "abcdef"),
        ("postgresql+psycopg://me:hunter22@db.example.com/state", "hunter22"),
        ("broken http://[::1/abcdef", "abcdef"),
        ("mail guest.name+x@mail.example.com now", "guest.name"),
        ("call 602-555-0100", "555"),
        ("call (602) 555-0100.", "555"),
        ("call +1 602 555 0100", "555"),
        ("call 6025550100", "6025550100"),
        ("call +44 20 7946 0958", "7946"),
        ("Door code: 4711#", "4711"),
        ("the gate code is *9921", "9921"),
        ("code 12345", "12345"),
        ("lockbox #3344", "3344"),
        ("Gate: 8890", "8890"),
        ("PIN=0042", "0042"),
        ("codes for the house 5512", "5512"),
    ],
)
def test_it_is_gone(redactor, text, gone):
    shown = redactor.text(text)
    assert gone not in shown
    assert redactor.text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04 08:00:00 MST INFO    feed.fetched feed=recABCDEFGHIJKLMN ms=1200",
        "status code 404, exit code 75, error code 422",
        "run-3623ra47rqfkqdrn048r ended",
        "2026-03-04T15:00:00.123Z",
        "246/246 feeds — new 2059 (1593 res, 466 block)",
        "job_0123456789abcdef and adr_9876543210",
        "https://example.com:8443/health",
        "http://[::1]:9/health",
        "app0123456789abcd",
        "zip code 85001",
        "Check-out 2026-03-12 → 2026-03-13",
        "the garage of 12 E Palo Verde Ln",
    ],
)
def test_it_stays(redactor, text):
    assert redactor.text(text) == text


def test_a_known_feed_is_named_by_its_record(redactor):
    url = "https://rentals.example.com/ical/1/abcdef.ics?s=99"
    redactor.add_feeds({url: "recABCDEFGHIJKLMN"})
    assert redactor.text(f"feed {url} failed") == "feed feed:recABCDEFGHIJKLMN failed"
    assert redactor.text("https://rentals.example.com/ical/2/x.ics.") == "feed:?."


def test_a_longer_secret_is_hidden_before_one_it_contains():
    redactor = Redactor(["inner-part", "outer-inner-part-outer"])
    assert redactor.text("outer-inner-part-outer") == "***"


def test_a_value_too_short_to_be_a_secret_does_not_blank_every_line(redactor):
    assert redactor.text("abc abcd") == "abc abcd"


def test_fields_are_hidden_by_their_name_whatever_they_hold(redactor):
    shown = redactor.value(
        {
            "api_key": "plain words",
            "Authorization": ["a", "b"],
            "door_code": 4711,
            "body": "a whole mail",
            "token": 7,
            "count": 12,
            "share": 0.5,
            "ok": True,
            "nothing": None,
            "nested": [{"password": "x"}, ("call 602-555-0100",), {SECRET}],
            "why": ValueError(f"bad {SECRET}"),
        }
    )
    assert shown == {
        "api_key": "***",
        "Authorization": "***",
        "door_code": "***",
        "body": "***",
        "token": 7,
        "count": 12,
        "share": 0.5,
        "ok": True,
        "nothing": None,
        "nested": [{"password": "***"}, ["call [phone]"], ["***"]],
        "why": "bad ***",
    }


def test_an_empty_redactor_still_knows_what_secrets_look_like():
    assert Redactor().text("guest@mail.example.com") == "[email]"
