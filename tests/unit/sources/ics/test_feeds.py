"""Rows of ICS Feeds become feeds, and what is wrong with one is named by its record (R-70 … R-73)."""

from __future__ import annotations

import pytest

from changeover.sources.ics.feeds import FeedRow, FeedStatus, feed_configs, fetch_url, host_of

URL = "https://calendar.example/a.ics"


def row(record_id: str = "recA", url: str = URL, *homes: str, status: str = "Active", **more: str) -> FeedRow:
    return FeedRow(record_id, url, status, homes or ("recH",), **more)


def problems(*rows: FeedRow) -> dict[str, str]:
    return {feed.record_id: feed.problem or feed.duplicate_of for feed in feed_configs(rows, {})}


def test_cells_become_a_row_and_a_row_a_feed() -> None:
    cells = {
        "ICS URL": f" {URL} ",
        "Feed Status": "Active",
        "Property Name": ["recH"],
        "Entry Source": "VRBO",
        "Closed Means": "Reservation",
    }
    (feed,) = feed_configs([FeedRow.of("recA", cells)], {"recH": "Quill"})
    assert (feed.url, feed.property_id, feed.name, feed.entry_source) == (URL, "recH", "Quill", "VRBO")
    assert feed.closed_is_reservation
    assert feed.host == "calendar.example"
    assert not feed.problem


@pytest.mark.parametrize("cells", [{}, {"ICS URL": 7, "Property Name": "recH", "Feed Status": None}])
def test_absent_and_odd_cells_are_empty(cells: dict[str, object]) -> None:
    assert FeedRow.of("recA", cells) == FeedRow("recA")


@pytest.mark.parametrize(("status", "expected"), [("Active", "Active"), ("Remove", "Remove"), ("", "Inactive")])
def test_an_empty_status_is_inactive(status: str, expected: str) -> None:
    assert [feed.status for feed in feed_configs([row(status=status)], {})] == [FeedStatus(expected)]


@pytest.mark.parametrize("url", ["csv_itrip", "csv_evolve", "csv_evolve_blocks"])
def test_labels_of_other_sources_are_no_feeds(url: str) -> None:
    assert feed_configs([row(url=url)], {}) == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "no URL"),
        ("ftp://calendar.example/a", "not a web address"),
        ("calendar.example/a.ics", "not a web address"),
        ("https://", "malformed URL"),
        ("https:///a.ics", "malformed URL"),
        ("https://calendar.example/a b", "malformed URL"),
        ("https://calendar.example:port/", "malformed URL"),
        ("http://[::1/", "malformed URL"),
    ],
)
def test_an_active_feed_with_an_unusable_url_is_misconfigured(url: str, problem: str) -> None:
    assert problems(row(url=url)) == {"recA": problem}


def test_an_active_feed_needs_exactly_one_property() -> None:
    assert problems(FeedRow("recA", URL, "Active")) == {"recA": "no property"}
    assert problems(row("recA", URL, "recH", "recI")) == {"recA": "several properties"}


@pytest.mark.parametrize("status", ["Inactive", "Remove"])
def test_v48_what_is_not_to_be_fetched_has_no_problem(status: str) -> None:
    assert problems(FeedRow("recA", "https://", status)) == {"recA": ""}


def test_one_url_on_two_records_of_a_home_is_fetched_for_the_lower_id() -> None:
    assert problems(row("recB"), row("recA"), row("recC", "webcal://CALENDAR.example/a.ics#x")) == {
        "recA": "",
        "recB": "recA",
        "recC": "recA",
    }


def test_one_url_on_records_of_different_homes_is_misconfigured_on_both() -> None:
    assert problems(row("recA"), row("recB", URL, "recI"), row("recC", "https://other.example/")) == {
        "recA": "same URL as recB of another property",
        "recB": "same URL as recA of another property",
        "recC": "",
    }


def test_a_record_that_is_not_fetched_is_nobodys_double() -> None:
    assert problems(row("recA", status="Remove"), row("recB"), FeedRow("recC", URL, "Active")) == {
        "recA": "",
        "recB": "",
        "recC": "no property",
    }


def test_webcal_means_https() -> None:
    assert str(fetch_url("webcal://calendar.example/a?t=1")) == "https://calendar.example/a?t=1"
    assert host_of("nonsense") == ""
