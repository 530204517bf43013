"""Two attempts, the second at what failed, none after a refusal, none after the time is up (R-79)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from changeover.sources.evolve.attempts import Attempt, fetch
from changeover.sources.evolve.visit import Limits, Login, PortalFailure, SignInRefused, Tab, Visit

LOST = PortalFailure("portal_step", "the table of bookings did not show within 30 s")


class Portal:
    """Sittings as they are told to go; remembers which tabs were asked for and how long was waited between."""

    def __init__(self, *sittings: dict[Tab, bytes | PortalFailure], limits: Limits = Limits()) -> None:
        self.sittings, self.asked, self.waits = list(sittings), [], []
        login = Login("https://portal.example.test", "partner", "made-up-pass")
        self.visit = Visit(login, Path("nowhere"), "America/Phoenix", (), self.waits.append, lambda: False, limits)

    def sit(self, _visit: Visit, tabs: Iterable[Tab], _ends_at: float) -> Attempt:
        self.asked.append(list(tabs))
        found = self.sittings.pop(0)
        exports = {tab: each for tab, each in found.items() if isinstance(each, bytes)}
        return Attempt(exports, {tab: each for tab, each in found.items() if isinstance(each, PortalFailure)})


def test_when_both_tabs_come_at_once_there_is_no_second_attempt():
    portal = Portal({Tab.ONE: b"1", Tab.TWO: b"2"})
    brought = fetch(portal.visit, portal.sit)
    assert (brought.exports, brought.failures, brought.attempts) == ({Tab.ONE: b"1", Tab.TWO: b"2"}, {}, 1)
    assert portal.waits == []


def test_the_second_attempt_repeats_only_what_failed_half_a_minute_later():
    portal = Portal({Tab.ONE: b"1", Tab.TWO: LOST}, {Tab.TWO: b"2"})
    brought = fetch(portal.visit, portal.sit)
    assert portal.asked == [[Tab.ONE, Tab.TWO], [Tab.TWO]]
    assert portal.waits == [30]
    assert (brought.exports, brought.failures) == ({Tab.ONE: b"1", Tab.TWO: b"2"}, {})


def test_what_fails_twice_is_told_with_its_last_cause_and_the_other_tab_counts():
    """V-44: one tab lost, shown green (R-82)."""
    later = PortalFailure("bad_download", "no file came within 60 s")
    portal = Portal({Tab.ONE: LOST, Tab.TWO: b"2"}, {Tab.ONE: later})
    brought = fetch(portal.visit, portal.sit)
    assert (brought.exports, brought.failures, brought.attempts) == ({Tab.TWO: b"2"}, {Tab.ONE: later}, 2)


def test_a_refused_sign_in_is_never_repeated():
    refused = SignInRefused()
    portal = Portal({Tab.ONE: refused, Tab.TWO: refused})
    assert fetch(portal.visit, portal.sit).attempts == 1
    assert portal.waits == []


def test_a_refusal_in_the_second_attempt_leaves_what_the_first_one_brought():
    refused = SignInRefused()
    portal = Portal({Tab.ONE: b"1", Tab.TWO: LOST}, {Tab.TWO: refused})
    brought = fetch(portal.visit, portal.sit)
    assert (brought.exports, brought.failures) == ({Tab.ONE: b"1"}, {Tab.TWO: refused})


def test_no_second_attempt_begins_when_the_time_is_nearly_up():
    portal = Portal({Tab.ONE: LOST, Tab.TWO: b"2"}, limits=Limits(whole=20))
    assert fetch(portal.visit, portal.sit).attempts == 1


def test_a_run_that_is_to_end_is_not_kept_from_it_by_the_wait_between():
    portal = Portal({Tab.ONE: LOST, Tab.TWO: LOST})

    class Ended(Exception):
        pass

    def ended(_seconds: float) -> None:
        raise Ended

    with pytest.raises(Ended):
        fetch(Visit(portal.visit.login, Path("x"), "UTC", (), ended, lambda: True), portal.sit)
    assert portal.asked == [[Tab.ONE, Tab.TWO]]


def test_without_a_browser_both_tabs_fail_and_it_is_said_what_lacks(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    portal = Portal(limits=Limits(pause=0))
    brought = fetch(portal.visit)
    lacking = "not installed on this machine: chromium, chromedriver"
    assert {each.text for each in brought.failures.values()} == {lacking}
    assert [(tab.title, each.code) for tab, each in brought.failures.items()] == [
        ("Tab 1", "no_browser"),
        ("Tab 2", "no_browser"),
    ]


def test_nothing_that_is_said_of_a_visit_holds_its_password():
    portal = Portal()
    assert "made-up-pass" not in repr(portal.visit)
