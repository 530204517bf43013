"""Which download is accepted (R-78): one CSV, nothing half, stable, and of the tab that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.sources.csv import suppliers
from changeover.sources.csv.read import MAX_BYTES
from changeover.sources.evolve import downloads
from changeover.sources.evolve.downloads import BadDownload, collect, finished, sizes, verified
from changeover.sources.evolve.visit import Tab

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden" / "csv"
SUPPLIERS = suppliers.load(ROOT / "config" / name for name in suppliers.FILES)
TAB1 = b"\xef\xbb\xbfGuest Name,Booking #,Listing #,Check-In,Check-Out\n"
TAB2 = b"\xef\xbb\xbfReservation,Property Address,Property Owner,Status,Check-In ,Check-Out,Guest Name\n"
ITRIP = b"Checkin,Checkout,Tenant Name,Property Name,Property Owner,Reservation ID\n"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(downloads, "_LOOK_SECONDS", 0.01)


@pytest.mark.parametrize(
    ("before", "now", "name"),
    [
        ({}, {}, None),
        ({}, {"a.csv": 10}, None),
        ({"a.csv": 9}, {"a.csv": 10}, None),
        ({"a.csv": 10}, {"a.csv": 10}, "a.csv"),
        ({"A.CSV": 10}, {"A.CSV": 10}, "A.CSV"),
        ({"a.csv": 0}, {"a.csv": 0}, None),
        ({"a.csv": 10}, {"a.csv": 10, "a (1).csv.crdownload": 3}, None),
        ({"a.csv": 10}, {"a.csv": 10, ".com.example.Xy": 3}, None),
        ({"a.csv.part": 10}, {"a.csv.part": 10}, None),
        ({"a.html": 10}, {"a.html": 10}, None),
        ({"a.csv": 10, "readme.txt": 1}, {"a.csv": 10, "readme.txt": 1}, "a.csv"),
    ],
)
def test_a_file_counts_once_it_is_whole_alone_and_of_the_same_size_twice(before, now, name):
    """R-78."""
    assert finished(before, now) == name


def test_of_two_files_nobody_can_say_which_is_meant():
    with pytest.raises(BadDownload, match="2 files came in place of one"):
        finished({}, {"a.csv": 10, "b.csv": 10})


@pytest.mark.parametrize(
    ("raw", "tab", "text"),
    [
        (TAB1, Tab.TWO, "the file is Tab 1"),
        (TAB2, Tab.ONE, "the file is Tab 2"),
        (ITRIP, Tab.ONE, "the file is iTrip's report"),
        (b"<html><form>Sign in</form></html>", Tab.ONE, "a header that is not known"),
        (b"x" * (MAX_BYTES + 1), Tab.ONE, "too large"),
    ],
)
def test_a_file_that_is_not_of_the_asked_tab_is_refused_whatever_its_name(raw, tab, text):
    """V-43."""
    with pytest.raises(BadDownload, match=text):
        verified(raw, tab, SUPPLIERS)


@pytest.mark.parametrize("tab", Tab)
def test_the_samples_of_both_tabs_are_accepted_as_they_are(tab):
    raw = (GOLDEN / f"evolve_tab{tab.value}.csv").read_bytes()
    assert verified(raw, tab, SUPPLIERS) == raw


def test_a_file_is_collected_once_it_has_stopped_growing(tmp_path):
    grows = iter([b"Gue", b"Guest Na", b"Guest Name"])

    def wait(_seconds: float) -> None:
        if (more := next(grows, None)) is not None:
            (tmp_path / "export.csv").write_bytes(more)

    assert collect(tmp_path, 5, wait) == b"Guest Name"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ((), "no file came within"),
        (("export.csv.crdownload",), "the download did not end within"),
        (("export.html",), "no finished CSV file came within"),
    ],
)
def test_after_the_limit_it_is_said_what_there_was(tmp_path, names, text):
    for name in names:
        (tmp_path / name).write_bytes(b"half")
    with pytest.raises(BadDownload, match=text):
        collect(tmp_path, 0.05, lambda _: None)


def test_a_file_that_vanishes_while_it_is_looked_at_is_left_out(tmp_path):
    (tmp_path / "here.csv").write_bytes(b"12")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    assert sizes(tmp_path) == {"here.csv": 2}
