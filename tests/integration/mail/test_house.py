"""What mails leave behind: alerts about missing reports (CM-23), files and rows that outlive their time (F-3)."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from changeover.engine import mail_alerts, mail_house
from changeover.store import mail_claims
from changeover.store.events import EventState
from plugins.mailbag import File, Letter, itrip_report, itrip_row

DAY = date(2026, 3, 12)
DAILY = Letter([File(itrip_report(itrip_row(1, DAY)))])
HOUR, MONTH = timedelta(hours=1), timedelta(days=30)


def look(office) -> tuple[str, ...]:
    desk = office.desk
    with desk.database.begin() as connection:
        return mail_alerts.look_for_missing(connection, desk.env, desk.suppliers, desk.now())


def test_a_report_is_missing_after_26_hours_until_the_next_one_comes(office) -> None:
    office.worked(DAILY)
    office.late = 25 * HOUR
    assert (look(office), office.alerts()) == ((), {})
    office.late = 27 * HOUR
    assert look(office) == look(office) == ("iTrip",)
    alert = office.alerts()["report_missing"]
    assert (alert.subject, alert.count, "26 hours" in alert.text) == ("iTrip", 1, True)
    office.late = timedelta(0)
    office.worked(replace(DAILY, message_id="<m2@itrip.example>"))
    assert office.alerts() == {}


def test_where_none_has_ever_come_the_time_counts_from_the_first_look(office) -> None:
    assert look(office) == ()
    office.late = 25 * HOUR
    assert look(office) == ()
    office.late = 27 * HOUR
    assert look(office) == ("iTrip",)


def test_it_is_missed_again_after_it_came(office) -> None:
    look(office)
    office.late = 27 * HOUR
    look(office)
    office.late = timedelta(0)
    office.worked(DAILY)
    office.late = 60 * HOUR
    look(office)
    assert office.alerts()["report_missing"].count == 1


def test_a_copy_and_a_held_mail_are_no_sign_of_life(office) -> None:
    look(office)
    office.worked(replace(DAILY, spf="fail"))
    office.late = 27 * HOUR
    assert look(office) == ("iTrip",)


@pytest.fixture
def four(office) -> dict[EventState, str]:
    """A mail that is done, its copy, one that was ignored, and one that is held."""
    done = office.worked(DAILY)
    copy = office.worked(replace(DAILY, headers={"received": "another"}))
    ignored = office.worked(Letter(sender="x@elsewhere.example", message_id="<m2@elsewhere.example>"))
    held = office.worked(replace(DAILY, spf="fail", message_id="<m3@itrip.example>"))
    return {each.state: each.id for each in (done, copy, ignored, held)}


def test_mails_that_are_over_go_after_thirty_days_and_no_other(office, four) -> None:
    raw = office.folder / "raw/mail"
    (raw / "unreadable").mkdir(parents=True, exist_ok=True)
    old, new = raw / "unreadable/old", raw / "unreadable/new"
    for path, back in ((old, MONTH + HOUR), (new, HOUR)):
        path.write_bytes(b"x")
        at = (office.now() + MONTH + HOUR - back).timestamp()
        os.utime(path, (at, at))
    assert mail_house.keep_mails(office.database, office.folder, office.now() + MONTH + HOUR)
    assert not old.exists()
    assert new.exists()
    assert [state for state, event_id in four.items() if is_there(office, event_id)] == [EventState.HELD]
    assert len([path for path in raw.rglob("*") if path.is_file() and len(path.name) == 64]) == 1


def is_there(office, event_id: str) -> bool:
    with office.database.read() as connection:
        return bool(mail_house.events.find(connection, [event_id]))


def test_within_thirty_days_nothing_goes(office, four) -> None:
    mail_house.keep_mails(office.database, office.folder, office.now() + MONTH - HOUR)
    assert all(is_there(office, event_id) for event_id in four.values())


def test_a_day_without_mails_leaves_no_folder(office) -> None:
    event = office.worked(DAILY)
    mail_house.keep_mails(office.database, office.folder, office.now() + MONTH + HOUR)
    assert not (office.folder / str(event.payload["path"])).parent.exists()


def test_a_file_that_is_gone_already_is_no_obstacle(office) -> None:
    event = office.worked(DAILY)
    path = office.folder / str(event.payload["path"])
    path.unlink()
    path.parent.rmdir()
    mail_house.keep_mails(office.database, office.folder, office.now() + MONTH + HOUR)
    assert not is_there(office, event.id)


def test_it_is_done_once_a_day(office) -> None:
    now = office.now()
    done = [mail_house.keep_mails(office.database, office.folder, now + hours * HOUR) for hours in (0, 1, 23, 24)]
    assert done == [True, False, False, True]


def test_a_copy_is_known_as_such_for_ninety_days(bureau) -> None:
    first = bureau.worked(DAILY)
    mail_house.keep_mails(bureau.database, bureau.folder, bureau.now() + timedelta(days=89))
    assert bureau.worked(replace(DAILY, headers={"received": "another"})).state is EventState.DUPLICATE
    mail_house.keep_mails(bureau.database, bureau.folder, bureau.now() + timedelta(days=91))
    with bureau.database.begin() as connection:
        assert mail_claims.claim(connection, "k", first.id, datetime.fromisoformat("2026-03-04T00:00:00Z")) == first.id
        assert mail_claims.claim(connection, "k", "mail-other", bureau.now()) == first.id
