"""The client against a base over HTTP: shapes, retries, limits, secrets."""

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from pyairtable.formulas import Field

from changeover.airtable import errors
from changeover.airtable.client import AirtableClient, Tries
from changeover.store.database import Database
from changeover.store.gate import Gate, Pacing, Purpose

TABLE = "Properties"


def names(records: Any) -> list[str]:
    return sorted(each.fields["Property Name"] for each in records)


def test_a_listing_is_read_to_its_last_page_and_has_the_bases_clock(base: Any, client: AirtableClient) -> None:
    base.add(TABLE, *({"Property Name": f"Casa {number:03}"} for number in range(250)))
    since = base.mark()
    reading = client.read(TABLE, Purpose.REFRESH, fields=["Property Name"])
    assert names(reading.records) == [f"Casa {number:03}" for number in range(250)]
    assert reading.at is not None
    assert len(base.calls(since)) == 3


def test_rows_are_made_changed_and_read_by_id(base: Any, client: AirtableClient) -> None:
    one, two = client.create(TABLE, [{"Property Name": "One"}, {"Property Name": "Two"}], Purpose.DELIVER)
    assert (one.fields["Property Name"], two.fields["Property Name"]) == ("One", "Two")
    changed = client.update(TABLE, [(two.id, {"HCP Address": "b"}), (one.id, {"HCP Address": "a"})], Purpose.DELIVER)
    assert [each.id for each in changed] == [two.id, one.id]
    assert client.get(TABLE, one.id, Purpose.CLICK).fields == {"Property Name": "One", "HCP Address": "a"}
    assert set(client.read_ids(TABLE, [one.id, "recNOBODY00000000"], Purpose.OTHER)) == {one.id}


def test_many_ids_are_read_in_as_few_calls_as_their_formula_allows(base: Any, client: AirtableClient) -> None:
    ids = base.add(TABLE, *({"Property Name": f"Casa {number}"} for number in range(450)))
    since = base.mark()
    assert set(client.read_ids(TABLE, ids, Purpose.OTHER, fields=["Property Name"])) == set(ids)
    calls = base.calls(since)
    assert len(calls) == 5  # two formulas of at most 12,000 characters, pages of a hundred
    assert client.read_ids(TABLE, [], Purpose.OTHER) == {}
    assert len(base.calls(since)) == 5


def test_a_formula_too_long_for_a_url_goes_by_post_and_may_be_repeated(base: Any, client: AirtableClient) -> None:
    names_ = ["Casa " + "é" * 300 + str(number) for number in range(30)]
    base.add(TABLE, *({"Property Name": name} for name in names_))
    base.fault("status", "POST", 1, value=503)
    since = base.mark()
    assert len(client.read_any(TABLE, [Field("Property Name").eq(name) for name in names_], Purpose.OTHER)) == 30
    assert [(call["method"], call["status"]) for call in base.calls(since)] == [("POST", 503), ("POST", 200)]


def test_a_formula_is_escaped_by_the_library(base: Any, client: AirtableClient) -> None:
    """JX-54."""
    odd = "O'Malley's \\ {x}\" place"
    base.add(TABLE, {"Property Name": odd}, {"Property Name": "other"})
    assert names(client.read(TABLE, Purpose.OTHER, formula=Field("Property Name").eq(odd)).records) == [odd]


def test_an_expired_listing_starts_again_at_its_first_page(base: Any, client: AirtableClient) -> None:
    base.add(TABLE, *({"Property Name": f"Casa {number:03}"} for number in range(150)))
    client.gate.answered(client.gate.admit(Purpose.OTHER))
    real = client._once
    cut: list[bool] = []

    def expire_once(call: Any) -> Any:
        if "offset" in call.options and not cut:
            cut.append(True)
            call.options["offset"] = "itrNOLONGERTHERE0/recNOLONGERTHERE0"
        return real(call)

    client._once = expire_once  # type: ignore[method-assign]
    assert len(client.read(TABLE, Purpose.REFRESH).records) == 150
    assert cut == [True]


def test_a_listing_that_always_expires_is_unavailable_and_never_short(base: Any, client: AirtableClient) -> None:
    base.add(TABLE, *({"Property Name": f"Casa {number:03}"} for number in range(150)))
    real = client._once

    def expire(call: Any) -> Any:
        if "offset" in call.options:
            call.options["offset"] = "itrNOLONGERTHERE0/recNOLONGERTHERE0"
        return real(call)

    client._once = expire  # type: ignore[method-assign]
    with pytest.raises(errors.Unavailable, match="offset_expired"):
        client.read(TABLE, Purpose.REFRESH)


@pytest.mark.parametrize(
    ("mode", "value"),
    [("status", 500), ("status", 502), ("status", 503), ("html", None), ("drop-before", None), ("truncate", None)],
)
def test_a_read_is_tried_five_times(base: Any, client: AirtableClient, mode: str, value: object) -> None:
    base.add(TABLE, {"Property Name": "Casa"})
    base.fault(mode, "GET", 4, value=value)
    since = base.mark()
    assert names(client.read(TABLE, Purpose.REFRESH).records) == ["Casa"]
    assert len(base.calls(since)) == 5
    base.fault(mode, "GET", None, value=value)
    with pytest.raises(errors.Unavailable):
        client.read(TABLE, Purpose.REFRESH)


def test_an_update_by_id_is_repeated_because_that_does_no_harm(base: Any, client: AirtableClient) -> None:
    (record_id,) = base.add(TABLE, {"Property Name": "Casa"})
    base.fault("drop-after-commit", "PATCH", 2)
    client.update(TABLE, [(record_id, {"HCP Address": "a"})], Purpose.DELIVER)
    assert base.rows(TABLE)[record_id]["HCP Address"] == "a"


@pytest.mark.parametrize(
    ("mode", "value"),
    [("drop-after-commit", None), ("drop-before", None), ("status", 500), ("html", None), ("truncate", None)],
)
def test_a_create_of_unclear_end_is_never_repeated(base: Any, client: AirtableClient, mode: str, value: object) -> None:
    base.fault(mode, "POST", 1, value=value)
    since = base.mark()
    with pytest.raises(errors.Ambiguous):
        client.create(TABLE, [{"Property Name": "Casa"}], Purpose.DELIVER)
    assert len(base.calls(since)) == 1


def test_a_create_that_never_left_is_no_riddle(base: Any, client: AirtableClient, connect: Any) -> None:
    away = AirtableClient("appX", "patX", "http://127.0.0.1:9", client.gate, tries=Tries((0.0,), 0.0))
    with pytest.raises(errors.Unavailable, match="no_connection"):
        away.create(TABLE, [{"Property Name": "Casa"}], Purpose.DELIVER)


def test_a_slow_answer_is_a_timeout(base: Any, connect: Any) -> None:
    client = connect(tries=Tries((), 0.0, timeout=(1, 0.1)))
    base.fault("latency", "GET", 1, value=0.2)
    with pytest.raises(errors.Unavailable, match="timeout"):
        client.read(TABLE, Purpose.REFRESH)


def test_an_empty_object_is_no_empty_table(base: Any, client: AirtableClient) -> None:
    real = client._request
    client._request = lambda call: errors.Answer({}, None) if call.method == "GET" else real(call)  # type: ignore[method-assign]
    with pytest.raises(errors.Unavailable, match="unexpected_answer"):
        client.read(TABLE, Purpose.REFRESH)


@pytest.mark.parametrize(
    "body",
    [
        {"records": "none"},
        {"records": [7]},
        {"records": [{"id": "rec1", "fields": {}}]},
        {"records": [{"id": "rec1", "createdTime": "noon", "fields": {}}]},
        {"records": []},
    ],
)
def test_an_answer_of_another_shape_counts_for_nothing(base: Any, client: AirtableClient, body: Any) -> None:
    client._request = lambda _: errors.Answer(body, None)  # type: ignore[method-assign]
    with pytest.raises(errors.Ambiguous):
        client.create(TABLE, [{"Property Name": "Casa"}], Purpose.DELIVER)
    with pytest.raises(errors.Unavailable):
        client.update(TABLE, [("rec1", {"HCP Address": "a"})], Purpose.DELIVER)
    with pytest.raises(errors.Ambiguous):
        client.create_table({"name": "T"})


def test_a_rate_refusal_pauses_the_base_and_the_same_request_goes_again(base: Any, connect: Any) -> None:
    client = connect(Pacing(requests=1_000, slow_requests=1, window=0.05, penalty=0.1))
    base.fault("rate-limit", "POST", 2)
    client.create(TABLE, [{"Property Name": "Casa"}], Purpose.DELIVER)
    assert len(base.rows(TABLE)) == 1
    state = client.gate.state()
    assert state.paused_until is not None
    assert state.slow_until is not None


def test_three_rate_refusals_in_a_row_are_enough(base: Any, connect: Any) -> None:
    client = connect(Pacing(requests=1_000, penalty=0.0))
    base.fault("rate-limit", "GET", 3)
    since = base.mark()
    with pytest.raises(errors.RateLimited):
        client.read(TABLE, Purpose.REFRESH)
    assert len(base.calls(since)) == 3


def test_a_billing_refusal_stops_all_data_calls_at_once(base: Any, client: AirtableClient, connect: Any) -> None:
    base.fault("rate-limit", "GET", 1, value="billing")
    with pytest.raises(errors.BillingBlocked):
        client.read(TABLE, Purpose.REFRESH)
    since = base.mark()
    with pytest.raises(errors.BillingBlocked):
        connect().create(TABLE, [{"Property Name": "Casa"}], Purpose.CLICK)
    assert base.calls(since) == []
    client.meta_tables()
    assert client.gate.state().blocked_at is not None


def test_a_probe_that_is_answered_opens_the_base_again(base: Any, connect: Any) -> None:
    client = connect(Pacing(requests=1_000, probe_every=timedelta(0)))
    base.fault("rate-limit", "GET", 1, value="billing")
    with pytest.raises(errors.BillingBlocked):
        client.read(TABLE, Purpose.REFRESH)
    client.read(TABLE, Purpose.REFRESH)
    assert client.gate.state().blocked_at is None


def test_a_revoked_key_and_a_foreign_base_are_told_apart(base: Any, connect: Any) -> None:
    with pytest.raises(errors.Unauthorized):
        connect(key="patREVOKED.x").read(TABLE, Purpose.REFRESH)
    with pytest.raises(errors.Forbidden) as caught:
        connect(base_id="appPROD0000000001").read(TABLE, Purpose.REFRESH)
    assert not caught.value.locked


def test_no_secret_is_in_an_error_or_a_log(
    base: Any, client: AirtableClient, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    secret = "https://feeds.example/ics/secret-token.ics"
    seen: list[BaseException] = []
    base.fault("drop-before", "GET", None)
    for attempt in (
        lambda: client.read("ICS Feeds", Purpose.REFRESH, formula=Field("ICS URL").eq(secret)),
        lambda: client.create("ICS Feeds", [{"ICS URL": secret, "Feed Status": secret}], Purpose.DELIVER),
        lambda: connect(key="patSECRET.x").create("ICS Feeds", [{"ICS URL": secret}], Purpose.DELIVER),
    ):
        with pytest.raises(errors.AirtableError) as caught:
            attempt()
        seen.append(caught.value)
    text = "".join(f"{each!r}{each}{vars(each)}{each.__cause__!r}" for each in seen) + caplog.text + repr(client)
    assert "secret" not in text
    assert "SECRET" not in text


def test_the_guard_is_asked_before_every_writing_request_and_no_other(base: Any, connect: Any) -> None:
    asked: list[str] = []

    def guard() -> None:
        asked.append("asked")
        if len(asked) > 1:
            raise PermissionError("the stop switch is set")

    client = connect(guard=guard)
    client.read(TABLE, Purpose.REFRESH)
    assert asked == []
    client.create(TABLE, [{"Property Name": "One"}], Purpose.DELIVER)
    since = base.mark()
    with pytest.raises(errors.Halted):
        client.create(TABLE, [{"Property Name": "Two"}], Purpose.DELIVER)
    assert base.calls(since) == []


def test_a_guard_may_speak_in_the_bases_own_errors(base: Any, connect: Any) -> None:
    def guard() -> None:
        raise errors.WrongBase("wrong_base")

    with pytest.raises(errors.WrongBase):
        connect(guard=guard).create(TABLE, [{"Property Name": "One"}], Purpose.DELIVER)


def test_every_request_is_counted_with_what_it_was_for(base: Any, client: AirtableClient, now: Any) -> None:
    month = f"{now:%Y-%m}"
    before, since = sum(client.gate.calls(month).values()), base.mark()
    base.fault("status", "GET", 2, value=500)
    client.read(TABLE, Purpose.REFRESH)
    client.read(TABLE, Purpose.CLICK)
    client.meta_tables()
    assert sum(client.gate.calls(month).values()) - before == len(base.calls(since)) == 5
    assert client.gate.calls(month)["refresh"] == 3


def test_an_endpoint_may_be_given_with_its_version(base: Any, client: AirtableClient) -> None:
    again = AirtableClient(client.base_id, base.key, base.url + "/v0/", client.gate)
    assert again.read("Automation", Purpose.OTHER).records
    assert again.fingerprint("1") == client.fingerprint("1") != client.fingerprint("2")
    assert base.key not in again.fingerprint("1")


def test_several_processes_together_stay_within_the_allowed_requests(base: Any, db: Database) -> None:
    base.limits(enforce=True, requests_per_second=20, penalty_seconds=30)
    since = base.mark()

    def run() -> None:
        own = Database(db.url)
        client = AirtableClient(base.base_id, base.key, base.url, Gate(own, base.base_id, pacing=Pacing(requests=20)))
        for _ in range(15):
            client.read("Environment", Purpose.REFRESH)
        own.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [call["status"] for call in base.calls(since)] == [200] * 60


@pytest.mark.parametrize(("rate", "number"), [(5, 11), (20, 50)])
def test_never_more_than_the_allowed_requests_in_any_second(base: Any, connect: Any, rate: int, number: int) -> None:
    base.limits(enforce=True, requests_per_second=rate, penalty_seconds=30)
    client = connect(Pacing(requests=rate))
    since = base.mark()
    for _ in range(number):
        client.read("Environment", Purpose.REFRESH)
    assert [call["status"] for call in base.calls(since)] == [200] * number


def test_a_redirect_is_no_answer_and_is_not_followed(base: Any, client: AirtableClient) -> None:
    base.fault("status", "GET", None, value=302)
    with pytest.raises(errors.AirtableError):
        client.read(TABLE, Purpose.REFRESH)
