"""One mail's work: state, files in the inbox, alerts, copies, tries (CM-11 … CM-23, C-64)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from changeover.engine import mail_replay, mails
from changeover.engine.mail_fetch import NotFetched
from changeover.engine.mails import OVER, WAITS
from changeover.engine.stop import Stop, StopLevel, Stopped
from changeover.sources.csv import inbox
from changeover.sources.ics.fetch import Retriable
from changeover.store.database import Database
from changeover.store.events import EventState
from plugins.mailbag import File, Letter, itrip_report, itrip_row, zipped

DAY = date(2026, 3, 12)
REPORT = itrip_report(itrip_row(1, DAY))
DAILY = Letter([File(REPORT)])
STRANGER = replace(DAILY, sender="new@elsewhere.example")
FORGED = replace(DAILY, spf="fail")


def test_a_suppliers_mail_becomes_a_file_in_the_inbox(bureau) -> None:
    event = bureau.worked(DAILY)
    assert event.state is EventState.DONE
    assert event.summary == f"{event.payload['size']} bytes — iTrip — done — 1 file"
    (name,) = bureau.names()
    assert (bureau.folder / "csv/inbox" / name).read_bytes() == REPORT
    assert name.startswith(f"{event.received_at:%Y%m%d_%H%M%S}_")
    assert event.payload["files"] == [name]
    assert (bureau.arrivals, bureau.alerts()) == (1, {})
    assert event.ended_at is not None


def test_a_worked_mail_is_not_worked_again(office) -> None:
    event = office.worked(DAILY)
    office.import_all()
    assert office.work(event.id) is OVER
    assert office.work("mail-of-nobody") is OVER
    assert office.names() == []


def test_every_csv_of_a_mail_is_put_there_those_in_a_zip_too(office) -> None:
    two = itrip_report(itrip_row(2, DAY))
    event = office.worked(replace(DAILY, attachments=[File(REPORT), File(zipped({"x/two.csv": two}), "all.zip", "")]))
    assert len(office.names()) == 2
    assert event.summary.endswith("2 files")


def test_a_mail_held_up_on_its_way_is_as_old_as_its_date(office) -> None:
    """CM-15: it must not win over a later report."""
    sent = office.now() - timedelta(hours=20)
    office.worked(replace(DAILY, headers={"date": f"{sent:%a, %d %b %Y %H:%M:%S} +0000"}))
    (name,) = office.names()
    assert name.startswith(f"{sent:%Y%m%d_%H%M%S}_")


# -- not accepted ------------------------------------------------------------------------------------------------------


def test_a_strangers_mail_is_ignored(office) -> None:
    event = office.worked(Letter([File(b"a,b\n1,2\n")], sender="x@elsewhere.example"))
    assert (event.state, event.payload["reason"]) == (EventState.IGNORED, "no supplier's address")
    assert (office.names(), office.arrivals, office.alerts()) == ([], 0, {})


def test_a_strangers_mail_with_a_known_report_is_told_until_the_next_accepted_one(office) -> None:
    """CM-17: a supplier changed its address."""
    event = office.worked(STRANGER)
    office.worked(replace(STRANGER, message_id="<m2@elsewhere.example>"))
    alert = office.alerts()["mail_not_accepted"]
    assert (event.state, alert.subject, alert.count) == (EventState.IGNORED, "iTrip", 2)
    assert "elsewhere" not in alert.text + event.summary + str(event.payload)
    office.worked(replace(DAILY, message_id="<m3@itrip.example>"))
    assert office.alerts() == {}


def test_a_doubtful_mail_is_held_and_told(office) -> None:
    """CM-18."""
    event = office.worked(FORGED)
    assert (event.state, event.payload["reason"], office.names()) == (EventState.HELD, "SPF fail", [])
    alert = office.alerts()["mail_held"]
    assert alert.subject == f"mail:{event.id}"
    assert "SPF fail" in alert.text


def test_nothing_of_a_mail_that_is_not_accepted_is_fetched(office) -> None:
    far = File(None, more={"url": "https://store.example/1"})
    assert office.worked(replace(STRANGER, attachments=[far])).state is EventState.IGNORED
    assert office.worked(replace(FORGED, attachments=[far])).state is EventState.HELD


# -- copies ------------------------------------------------------------------------------------------------------------


def copy_of(letter: Letter, **more: object) -> Letter:
    """The same report by another way (CM-13)."""
    return replace(letter, envelope={"remote_ip": "192.0.2.99"}, headers={"received": "another"}, **more)


def test_a_copy_is_a_duplicate_and_makes_no_second_file(bureau) -> None:
    first = bureau.worked(DAILY)
    bureau.import_all()
    second = bureau.worked(copy_of(DAILY))
    assert (second.state, second.payload["reason"]) == (EventState.DUPLICATE, f"a copy of {first.id}")
    assert bureau.names() == []


def test_the_same_id_with_another_report_is_no_copy(office) -> None:
    office.worked(DAILY)
    other = replace(DAILY, attachments=[File(itrip_report(itrip_row(9, DAY)))])
    assert office.worked(other).state is EventState.DONE
    assert len(office.names()) == 2


def test_a_copy_of_an_ignored_mail_is_a_duplicate(office) -> None:
    office.worked(STRANGER)
    assert office.worked(copy_of(STRANGER)).state is EventState.DUPLICATE


def test_a_doubtful_copy_of_an_applied_mail_is_a_duplicate_and_told_to_nobody(office) -> None:
    """CM-5: forwarded mail normally fails SPF."""
    office.worked(DAILY)
    assert office.worked(copy_of(FORGED)).state is EventState.DUPLICATE
    assert office.alerts() == {}


def test_an_undoubted_copy_of_a_held_mail_is_applied_and_the_held_one_is_over(bureau) -> None:
    held = bureau.worked(FORGED)
    applied = bureau.worked(copy_of(DAILY))
    assert (applied.state, len(bureau.names())) == (EventState.DONE, 1)
    held = bureau.event(held.id)
    assert (held.state, held.payload["reason"]) == (EventState.DUPLICATE, f"a copy of {applied.id}")
    assert bureau.alerts() == {}


def test_the_accepted_copy_of_an_ignored_mail_is_applied(office) -> None:
    ignored = office.worked(replace(DAILY, sender="desk@house.example"))
    assert office.worked(copy_of(DAILY)).state is EventState.DONE
    assert office.event(ignored.id).state is EventState.IGNORED


# -- for a person ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "reason"),
    [
        (replace(DAILY, attachments=[]), "no CSV attached"),
        (replace(DAILY, attachments=[], html="<a href='https://x.example'>"), "a link in place of a CSV"),
        (replace(DAILY, attachments=[File(b"\xd0\xcf\x11\xe0", "a.xls", "")]), "a spreadsheet in place of a CSV"),
    ],
)
def test_an_accepted_mail_without_csv_needs_attention(office, letter, reason) -> None:
    event = office.worked(letter)
    assert (event.state, event.payload["reason"]) == (EventState.NEEDS_ATTENTION, reason)
    assert reason in office.alerts()["mail_needs_attention"].text


def test_the_csv_beside_a_spreadsheet_is_imported_all_the_same(office) -> None:
    event = office.worked(replace(DAILY, attachments=[File(REPORT), File(b"\xd0\xcf\x11\xe0", "a.xls", "")]))
    assert (event.state, len(office.names()), office.arrivals) == (EventState.NEEDS_ATTENTION, 1, 1)


def test_a_stored_mail_that_is_damaged_or_gone_needs_attention(office) -> None:
    damaged, gone = office.take(DAILY), office.take(STRANGER)
    (office.folder / str(office.event(damaged).payload["path"])).write_bytes(b"{")
    (office.folder / str(office.event(gone).payload["path"])).unlink()
    office.work(damaged)
    office.work(gone)
    assert office.event(damaged).payload["reason"] == "broken document"
    assert office.event(gone).payload["reason"] == "the stored mail is gone"
    assert {office.event(each).state for each in (damaged, gone)} == {EventState.NEEDS_ATTENTION}


# -- attachments in a store --------------------------------------------------------------------------------------------

FAR = replace(DAILY, attachments=[File(None, more={"url": "https://store.example/1", "size": len(REPORT)})])


def test_a_stored_attachment_is_fetched_at_once(office) -> None:
    office.stored["https://store.example/1"] = REPORT
    assert office.worked(FAR).state is EventState.DONE
    assert len(office.names()) == 1


def test_one_that_cannot_be_had_any_more_needs_attention(office) -> None:
    office.stored["https://store.example/1"] = NotFetched("a stored attachment cannot be fetched: HTTP 404")
    event = office.worked(FAR)
    assert (event.state, event.payload["supplier"]) == (EventState.NEEDS_ATTENTION, "iTrip")
    assert "HTTP 404" in str(event.payload["reason"])


def test_one_that_cannot_be_had_now_is_tried_eight_times_over_six_hours(office) -> None:
    """C-64: then it is a dead letter with an alert."""
    office.stored["https://store.example/1"] = Retriable("HTTP 503")
    event_id = office.take(FAR)
    tries = [office.work(event_id) for _ in range(7)]
    assert [each.attempt for each in tries] == [2, 3, 4, 5, 6, 7, 8]
    assert sum(each.seconds for each in tries) == 6 * 3600
    assert [each.seconds for each in tries] == [each.total_seconds() for each in WAITS]
    waiting = office.event(event_id)
    assert waiting.state is EventState.RECEIVED
    assert waiting.summary.endswith("try 7 failed: a stored attachment: HTTP 503")
    assert office.work(event_id) is OVER
    failed = office.event(event_id)
    assert (failed.state, failed.payload["reason"]) == (
        EventState.FAILED,
        "gave up after 8 tries: a stored attachment: HTTP 503",
    )
    assert office.alerts()["dead_letter"].subject == f"mail:{event_id}"


def test_while_everything_is_stopped_nothing_is_fetched_and_no_try_is_lost(office) -> None:
    """E-6, E-8."""
    office.stored["https://store.example/1"] = Stopped(Stop(StopLevel.FULL))
    event_id = office.take(FAR)
    assert [office.work(event_id) for _ in range(9)] == [(attempt, 60) for attempt in range(2, 11)]
    office.stored["https://store.example/1"] = REPORT
    office.work(event_id)
    assert office.event(event_id).state is EventState.DONE


def test_a_copy_of_a_mail_that_was_given_up_is_applied(office) -> None:
    office.stored["https://store.example/1"] = REPORT
    event_id = office.take(FAR)
    office.alter(event_id, tries=7)
    (office.folder / "csv/inbox").rename(office.folder / "csv/away")
    office.work(event_id)
    (office.folder / "csv/away").rename(office.folder / "csv/inbox")
    assert office.event(event_id).state is EventState.FAILED
    assert office.worked(copy_of(FAR)).state is EventState.DONE


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_full_disk_is_waited_for(office) -> None:
    (office.folder / "csv/inbox").rmdir()
    event_id = office.take(DAILY)
    assert office.work(event_id).attempt == 2
    assert office.event(event_id).payload["reason"] == "FileNotFoundError"
    (office.folder / "csv/inbox").mkdir()
    assert office.work(event_id) is OVER
    assert len(office.names()) == 1


def test_without_a_database_nothing_is_decided(office, tmp_path) -> None:
    broken = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(OperationalError):
        mails.work(replace(office.desk, database=broken), office.take(DAILY))
    broken.close()


class Killed(BaseException):
    """The process ends here."""


def killed_at(monkeypatch, step: int) -> None:
    """The process dies at its so many-th touch of disk or database: even numbers before it, odd ones after it."""
    touched = count()

    def deadly(act):
        def acting(*args, **more):
            if next(touched) == step:
                raise Killed
            result = act(*args, **more)
            if next(touched) == step:
                raise Killed
            return result

        return acting

    monkeypatch.setattr(inbox, "_write", deadly(inbox._write))
    monkeypatch.setattr(inbox, "_sync", deadly(inbox._sync))
    monkeypatch.setattr(Path, "rename", deadly(Path.rename))
    monkeypatch.setattr(mails.mail_claims, "claim", deadly(mails.mail_claims.claim))
    monkeypatch.setattr(mails, "_end", deadly(mails._end))


@pytest.mark.parametrize("imported_meanwhile", [False, True])
def test_killed_at_any_point_a_mail_is_imported_once(office, imported_meanwhile) -> None:
    """CM-9, F-2: never twice, never not at all."""
    two = replace(DAILY, attachments=[File(REPORT), File(itrip_report(itrip_row(2, DAY)), "two.csv")])
    deaths = 0
    for step in range(100):
        event_id = office.take(replace(two, message_id=f"<m{step}@itrip.example>", plain=f"{step}"))
        with pytest.MonkeyPatch.context() as patch:
            killed_at(patch, step)
            try:
                office.work(event_id)
            except Killed:
                deaths += 1
            else:
                break
        if imported_meanwhile:
            office.import_all()
        office.work(event_id)
        event = office.event(event_id)
        assert event.state is EventState.DONE
        office.import_all()
        assert office.names("done") == sorted(event.payload["files"])
        for name in office.names("done"):
            (office.folder / "csv/done" / name).unlink()
    assert deaths > 10


# -- worked again ------------------------------------------------------------------------------------------------------


def replayed(office, *ids: str) -> mail_replay.Asked:
    events = [office.event(each) for each in ids]
    return mail_replay.replay("dev", office.database, events, office.now())


def test_a_held_mail_is_accepted_by_working_it_again(bureau) -> None:
    held = bureau.worked(FORGED)
    assert replayed(bureau, held.id).again == (held.id,)
    waiting = bureau.event(held.id)
    assert (waiting.state, waiting.ended_at, waiting.payload["attempt"]) == (EventState.RECEIVED, None, 2)
    bureau.work(held.id)
    assert (bureau.event(held.id).state, len(bureau.names()), bureau.alerts()) == (EventState.DONE, 1, {})


def test_an_ignored_mail_is_judged_anew(office) -> None:
    ignored = office.worked(STRANGER)
    replayed(office, ignored.id)
    office.work(ignored.id)
    assert office.event(ignored.id).state is EventState.IGNORED


def test_a_mail_that_was_done_is_imported_once_more(office) -> None:
    done = office.worked(DAILY)
    office.import_all()
    replayed(office, done.id)
    office.work(done.id)
    assert len(office.names()) == 1
    office.import_all()
    office.alter(done.id)
    assert len(office.names("done")) == 2


def test_a_mail_that_waits_anyway_is_left_to_its_next_try(office) -> None:
    event_id = office.take(DAILY)
    assert replayed(office, event_id) == mail_replay.Asked((), (event_id,))


def test_a_mail_that_was_given_up_has_all_its_tries_again(office) -> None:
    event_id = office.take(DAILY)
    office.alter(event_id, tries=7)
    (office.folder / "csv/inbox").rmdir()
    office.work(event_id)
    assert office.event(event_id).state is EventState.FAILED
    replayed(office, event_id)
    assert office.work(event_id).seconds == 60
    (office.folder / "csv/inbox").mkdir()
    office.work(event_id)
    assert (office.event(event_id).state, office.alerts()) == (EventState.DONE, {})
