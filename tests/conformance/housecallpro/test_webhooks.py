"""What the program relies on in webhooks: checked on requests that were recorded as they came."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from changeover.housecallpro import directory
from changeover.housecallpro.webhooks import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Family,
    dedupe_key,
    is_ping,
    read,
    signed,
)
from conformance.housecallpro.questions import Question
from conformance.housecallpro.recording import AT, Recorded

JOB = {"created", "updated", "scheduled", "on_my_way", "started", "completed", "canceled", "deleted", "paid"}
VISIT = {
    "scheduled",
    "rescheduled",
    "appointment_discarded",
    "appointment_pros_assigned",
    "appointment_pros_unassigned",
}
OTHER = ("customer.", "estimate.", "invoice.", "lead.", "employee.")
NOTHING = "not among the recorded"


@pytest.fixture(scope="session")
def secret(access) -> str:
    return access.given["HCP_WEBHOOK_SECRET"]


@pytest.fixture(scope="session")
def events(webhooks) -> list[Recorded]:
    """All but the pings."""
    return [each for each in webhooks if not is_ping(each.body)]


def proof(each: Recorded) -> tuple[str, str, datetime]:
    """Timestamp, signature, and when it came; by its own word where nobody wrote that down."""
    stamp = each.header(TIMESTAMP_HEADER)
    came = each.header(AT) or stamp or "0"
    return stamp, each.header(SIGNATURE_HEADER), datetime.fromtimestamp(float(came), UTC)


def test_every_event_is_proven_and_none_that_was_changed(events, secret):
    """HC-79, HC-80, HC-81."""
    unproven, believed = [], []
    for each in events:
        stamp, signature, came = proof(each)
        if not signed(stamp, signature, each.body, [secret], came):
            unproven.append(each.name)
        if signed(stamp, signature, each.body + b" ", [secret], came):
            believed.append(each.name)
    assert (unproven, believed) == ([], [])
    assert len(events) > 0, "the folder holds no event"


def test_only_the_ping_is_unsigned(webhooks):
    """HC-76."""
    unsigned = [each.name for each in webhooks if not each.header(SIGNATURE_HEADER)]
    assert unsigned == [each.name for each in webhooks if is_ping(each.body)]


def test_every_event_is_read_and_names_its_job(events, observe):
    """HC-82, HC-83, HC-85, HC-86, HC-89: those of jobs and appointments; the rest leads to no work."""
    read_ones = [read(each.body) for each in events]
    assert [each.name for each, found in zip(events, read_ones, strict=True) if found is None] == []
    named = [found for found in read_ones if found is not None]
    nameless = {found.event for found in named if found.family is not Family.OTHER and not found.job_id}
    assert nameless == set()
    strange = {found.event for found in named if not _known(found.family, found.event, found.action)}
    observe(Question.EVENT_NAMES, ", ".join(sorted(strange)) or "none")


def _known(family: Family, event: str, action: str) -> bool:
    if family is Family.OTHER:
        return event.startswith(OTHER)
    return action in (JOB | {"rescheduled", "destroyed"} if family is Family.JOB else VISIT)


def test_a_job_event_shows_the_job(events, observe):
    """HC-84, J-82."""
    shown = [found for each in events if (found := read(each.body)) and found.family is Family.JOB]
    hidden = {found.event for found in shown if (job := found.job()) is None or job.absent}
    observe(Question.EVENT_JOBS, ", ".join(sorted(hidden)) or "none")
    unread = {found.event for found in shown if found.job() is None}
    assert unread == set()


def test_the_company_of_events(events, company, observe):
    """HC-82, HC-97, HC-122."""
    named = {found.company_id for each in events if (found := read(each.body))}
    same = named == {directory.company(company.client).id}
    observe(Question.COMPANY_ID, "yes" if same else "no")
    assert len(named) == 1


def test_a_repeat_has_the_key_of_what_it_repeats(events, observe):
    """HC-78, HC-114, J-75."""
    stamps, keys = defaultdict(list), defaultdict(set)
    for each in events:
        stamp, _, _ = proof(each)
        stamps[each.body].append(stamp)
        keys[each.body].add(dedupe_key(read(each.body), stamp, each.body))
    repeated = [seen for seen in stamps.values() if len(seen) > 1]
    same = any(len(set(seen)) < len(seen) for seen in repeated)
    observe(Question.REPEATS, f"same body, {'the same' if same else 'another'} timestamp" if repeated else NOTHING)
    assert max(len(found) for found in keys.values()) == 1
    assert len({key for found in keys.values() for key in found}) == len(keys)


def test_whom_an_unassignment_lists(events, observe):
    """HC-86: nothing is made of it; the job is read."""
    found = [webhook for each in events if (webhook := read(each.body))]
    seen = set()
    jobs = sorted((each for each in found if each.family is Family.JOB), key=lambda each: each.occurred_at)
    for webhook in found:
        if webhook.action != "appointment_pros_unassigned":
            continue
        listed = {each["id"] for each in webhook.payload["dispatched_employees"]}
        since = (each for each in jobs if each.job_id == webhook.job_id and each.occurred_at >= webhook.occurred_at)
        after = next((job for each in since if (job := each.job()) is not None), None)  # whatever came first
        if after is not None:
            seen.add("who stays" if listed & set(after.employee_ids) else "who left")
    observe(Question.UNASSIGNED, " and ".join(sorted(seen)) or NOTHING)
    assert seen <= {"who left", "who stays"}
