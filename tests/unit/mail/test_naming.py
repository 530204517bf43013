"""Names in the inbox (CM-22), the time a report counts as received (CM-15), and putting it there once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.sources.csv import inbox
from changeover.sources.mail.attachments import Report
from changeover.sources.mail.naming import inbox_name, received, safe_name
from plugins.mailbag import mail

STORED = datetime(2026, 3, 10, 9, 12, 5, tzinfo=UTC)
PHOENIX = ZoneInfo("America/Phoenix")


def test_a_name_says_time_in_utc_digest_and_what_it_was_sent_as() -> None:
    report = Report("Daily Checkouts.csv", b"a,b")
    digest = hashlib.sha256(b"a,b").hexdigest()[:8]
    assert inbox_name(report, STORED.astimezone(PHOENIX)) == f"20260310_091205_{digest}_Daily_Checkouts.csv"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("day.csv", "day.csv"),
        ("DAY.CSV", "DAY.csv"),
        ("day", "day.csv"),
        ("day.csv.exe", "day.csv.exe.csv"),
        ("../../etc/passwd", "passwd.csv"),
        ("C:\\reports\\day.csv", "day.csv"),
        (".hidden.csv", "hidden.csv"),
        ("...", "report.csv"),
        ("", "report.csv"),
        ("folder/", "report.csv"),
        ("re\u0301sume\u0301 1.csv", "r_sum__1.csv"),
        ("x" * 200 + ".csv", "x" * 76 + ".csv"),
        ("a\0b\nc.csv", "a_b_c.csv"),
    ],
)
def test_what_it_was_sent_as_is_never_a_path(sent, kept) -> None:
    assert safe_name(sent) == kept


@given(sent=st.text(max_size=200))
def test_any_name_is_a_plain_one(sent) -> None:
    name = safe_name(sent)
    assert name.isascii()
    assert len(name) <= 80
    assert name.endswith(".csv")
    assert name[0] != "."
    assert not set(name) & set("/\\ \0\n")


@given(back=st.timedeltas(timedelta(0), timedelta(days=500)), sent=st.text(max_size=20))
def test_the_inbox_reads_the_time_out_of_the_name_as_it_was_written(back, sent) -> None:
    """R-21: all other names are Phoenix time."""
    at = STORED - back
    name = inbox_name(Report(sent, b"x"), at)
    assert inbox.received(name, STORED, STORED, PHOENIX) == at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("", STORED),
        ("nonsense", STORED),
        ("Tue, 10 Mar 2026 09:00:00 +0000", STORED),
        ("Tue, 10 Mar 2026 08:12:05 +0000", STORED),
        ("Tue, 10 Mar 2026 08:12:04 +0000", STORED - timedelta(hours=1, seconds=1)),
        ("Tue, 10 Mar 2026 01:12:04 -0700", STORED - timedelta(hours=1, seconds=1)),
        ("Mon, 09 Mar 2026 09:12:05 -0000", STORED - timedelta(days=1)),
        ("Tue, 03 Mar 2026 09:12:05 +0000", STORED - timedelta(days=7)),
        ("Tue, 03 Mar 2026 09:12:04 +0000", STORED),
        ("Wed, 11 Mar 2026 09:12:05 +0000", STORED),
        ("Mon, 01 Jan 0001 00:00:00 +2359", STORED),
        ("Tue, 10 Mar 99999 09:00:00 +0000", STORED),
    ],
)
def test_a_mail_held_up_on_its_way_counts_by_its_date(date, expected) -> None:
    assert received(mail(headers={"date": (date,)}), STORED) == expected


# -- into the inbox, once ----------------------------------------------------------------------------------------------


@pytest.fixture
def csv(tmp_path):
    for name in (inbox.INBOX, *inbox.FOLDERS):
        (tmp_path / name).mkdir()
    return tmp_path


def test_a_repeated_step_makes_one_file_whatever_was_reached_before(csv) -> None:
    assert inbox.put_once(csv, "a.csv", b"x")
    assert not inbox.put_once(csv, "a.csv", b"x")
    (lies,) = (csv / "inbox").iterdir()
    assert (lies.read_bytes(), lies.stat().st_mode & 0o777) == (b"x", 0o600)


def test_half_a_file_left_by_a_killed_process_is_written_anew(csv) -> None:
    (csv / "inbox" / ".a.csv.part").write_bytes(b"ha")
    assert inbox.put_once(csv, "a.csv", b"half")
    assert [each.name for each in (csv / "inbox").iterdir()] == ["a.csv"]


@pytest.mark.parametrize("folder", inbox.FOLDERS)
@pytest.mark.parametrize("name", ["a.csv", "a-2.csv"])
def test_what_was_imported_is_not_put_in_again(csv, folder, name) -> None:
    (csv / folder / "a.csv").write_bytes(b"x")
    (csv / folder / name).write_bytes(b"x")
    assert not inbox.put_once(csv, "a.csv", b"x")
    assert list((csv / "inbox").iterdir()) == []


def test_asked_for_again_it_is_put_in_once_more(csv) -> None:
    lies = csv / "done" / "a.csv"
    lies.write_bytes(b"x")
    moved = datetime.fromtimestamp(lies.stat().st_ctime, UTC)
    assert not inbox.put_once(csv, "a.csv", b"x", since=moved - timedelta(seconds=1))
    assert inbox.put_once(csv, "a.csv", b"x", since=moved + timedelta(seconds=1))
    (csv / "inbox" / "a.csv").rename(csv / "done" / "a-2.csv")
    assert not inbox.put_once(csv, "a.csv", b"x", since=moved)
