"""Who sent a webhook, what it is about, and which ones are repeats (housecallpro.md §11, jobs.md J-72 … J-75)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from changeover.core.job import marked_rows
from changeover.housecallpro.webhooks import Family, dedupe_key, forwarded, is_ping, read, signed
from plugins.job_world import ROW

BODY = (
    b'{"event":"job.started","event_occurred_at":"2026-03-04T18:02:11Z","company_id":"11111111-2222-3333-4444-555555555555",'
    b'"job":{"id":"job_00000000000000000000000000000001"}}'
)
TIMESTAMP = "1772647331"
SIGNATURE = "a3d9b182f54a6938e1b813e99f15c8706c5da4bd79ae0fde130865385fe02c04"
NOW = datetime.fromtimestamp(1772647331, UTC)
SECRETS = ("test-secret",)


def test_the_vector_of_the_rule_book_is_proven():
    """HC-79, HC-80, HC-88."""
    assert len(BODY) == 170
    assert signed(TIMESTAMP, SIGNATURE, BODY, SECRETS, NOW)


@pytest.mark.parametrize(
    ("timestamp", "signature", "secrets"),
    [
        (f" {TIMESTAMP} ", f" {SIGNATURE.upper()} ", SECRETS),
        (TIMESTAMP, f"sha256={SIGNATURE}", SECRETS),
        (TIMESTAMP, SIGNATURE, ("new-secret", "test-secret")),
    ],
)
def test_blanks_case_prefix_and_a_second_secret_do_not_matter(timestamp, signature, secrets):
    """HC-81, J-72."""
    assert signed(timestamp, signature, BODY, secrets, NOW)


@pytest.mark.parametrize(
    ("timestamp", "signature", "body", "secrets", "late"),
    [
        ("", SIGNATURE, BODY, SECRETS, 0),
        ("1772647331.0", SIGNATURE, BODY, SECRETS, 0),
        ("١٧٧٢٦٤٧٣٣١", SIGNATURE, BODY, SECRETS, 0),
        (TIMESTAMP, "", BODY, SECRETS, 0),
        (TIMESTAMP, SIGNATURE[:-1], BODY, SECRETS, 0),
        (TIMESTAMP, SIGNATURE, BODY + b" ", SECRETS, 0),
        (TIMESTAMP, SIGNATURE, BODY, ("other",), 0),
        (TIMESTAMP, SIGNATURE, BODY, (), 0),
        (TIMESTAMP, SIGNATURE, BODY, ("",), 0),
        (TIMESTAMP, SIGNATURE, BODY, SECRETS, 301),
        (TIMESTAMP, SIGNATURE, BODY, SECRETS, -301),
    ],
)
def test_everything_else_is_forged_or_stale(timestamp, signature, body, secrets, late):
    """HC-81, JX-52, JX-53."""
    assert not signed(timestamp, signature, body, secrets, NOW + timedelta(seconds=late))


def test_five_minutes_are_still_in_time():
    assert signed(TIMESTAMP, SIGNATURE, BODY, SECRETS, NOW + timedelta(seconds=300))


def test_a_forwarder_shows_one_of_its_secrets():
    """HC-123."""
    assert forwarded(" shared ", ("old", "shared"))
    assert not forwarded("", ("",))
    assert not forwarded("shared", ())
    assert not forwarded("sharedé", ("shared",))


@pytest.mark.parametrize(("body", "ping"), [(b'{"foo": "bar"}', True), (b"{}", False), (BODY, False), (b"foo", False)])
def test_only_the_ping_is_a_ping(body, ping):
    """HC-76."""
    assert is_ping(body) is ping


def test_a_job_event_names_its_job_and_shows_it():
    """HC-82, HC-84."""
    found = read(BODY)
    assert found is not None
    assert (found.event, found.family, found.action) == ("job.started", Family.JOB, "started")
    assert found.job_id == found.resource_id == "job_00000000000000000000000000000001"
    assert (found.company_id, found.occurred_at) == ("11111111-2222-3333-4444-555555555555", "2026-03-04T18:02:11Z")
    marked = read(
        json.dumps({"event": "job.created", "job": {"id": "job_1", "notes": f"Changeover ref {ROW}"}}).encode()
    )
    assert marked_rows(marked.job()) == {ROW}


def test_an_appointment_names_its_job():
    """HC-83, HC-86."""
    appointment = {"id": "appt_1", "job_id": "job_1"}
    body = {"event": "job.appointment.appointment_discarded", "appointment": appointment}
    found = read(json.dumps(body).encode())
    assert (found.family, found.resource_id, found.job_id) == (Family.APPOINTMENT, "appt_1", "job_1")
    assert found.action == "appointment_discarded"
    assert found.job() is None


@pytest.mark.parametrize("event", ["customer.updated", "estimate.option.created", "invoice.paid", "jobs"])
def test_other_families_lead_to_no_job(event):
    """J-80."""
    found = read(json.dumps({"event": event, event.partition(".")[0]: {"id": "x_1"}}).encode())
    assert (found.family, found.resource_id, found.job_id) == (Family.OTHER, "x_1", "")


@pytest.mark.parametrize(
    ("family", "start", "names"),
    [
        (Family.JOB, "job.", "created updated scheduled on_my_way started completed canceled deleted paid rescheduled"),
        (
            Family.APPOINTMENT,
            "job.appointment.",
            "scheduled rescheduled appointment_discarded appointment_pros_assigned appointment_pros_unassigned",
        ),
        (Family.OTHER, "customer.", "created updated deleted destroyed"),
        (Family.OTHER, "estimate.", "created updated scheduled on_my_way sent completed copy_to_job option.created"),
        (Family.OTHER, "invoice.", "created sent paid voided"),
        (Family.OTHER, "lead.", "created updated converted lost deleted"),
        (Family.OTHER, "employee.", "created"),
    ],
)
def test_every_event_of_the_service_is_of_a_known_family(family, start, names):
    """HC-89, J-80."""
    for name in names.split():
        resource = "appointment" if family is Family.APPOINTMENT else start.partition(".")[0]
        found = read(json.dumps({"event": start + name, resource: {"id": "x_1", "job_id": "job_1"}}).encode())
        assert (found.family, found.resource_id) == (family, "x_1")
        assert found.job_id == {Family.JOB: "x_1", Family.APPOINTMENT: "job_1"}.get(family, "")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event": 7}', b'{"event": ""}', b"\xff", b"[" * 100_000])
def test_what_is_no_event_is_none(body):
    """J-73."""
    assert read(body) is None


@pytest.mark.parametrize("payload", [None, [], {"id": 7}, {"schedule": 1}])
def test_a_job_event_without_a_job_names_none(payload):
    found = read(json.dumps({"event": "job.updated", "job": payload, "company_id": None}).encode())
    assert (found.job_id, found.company_id, found.job()) == ("", "", None)


def test_a_repeat_has_the_same_key_and_nothing_else_has():
    """J-75, HC-114."""
    key = dedupe_key(read(BODY), TIMESTAMP, BODY)
    assert dedupe_key(read(BODY), "1772647999", BODY) == key  # the event's own time counts
    other = BODY.replace(b"18:02:11", b"18:02:12")
    assert dedupe_key(read(other), TIMESTAMP, other) != key
    undated = b'{"event":"job.updated","job":{"id":"job_1"}}'
    keys = {dedupe_key(read(undated), at, undated) for at in ("1", "2", " 2 ")}
    assert len(keys) == 2
    assert dedupe_key(None, "1", b"x") != dedupe_key(None, "2", b"x")
    half = b'{"event":"job.\\ud800"}'
    assert len(dedupe_key(read(half), "1", half)) == 64
