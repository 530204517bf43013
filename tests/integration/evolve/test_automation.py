"""The automation Evolve in whole cycles. What the portal brings is given but for a few tests with a real browser."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from changeover import controller
from changeover.engine import portal as automation
from changeover.engine import reports
from changeover.engine.automations import Automation
from changeover.sources.csv import inbox
from changeover.sources.evolve import downloads, leftovers
from changeover.sources.evolve.visit import Brought, PortalFailure, SignInRefused, Tab, Visit
from changeover_sandbox.evolve.bookings import complete, export
from plugins.outsider import Business, Ran
from plugins.portal import BRISK, OWNER, PASSWORD, USER, Portal, tab1, tab2

NAME = automation.NAME
LOST = PortalFailure("portal_step", "the table of bookings did not show within 30 s")
DOWN = PortalFailure("portal_unreachable", "the portal cannot be reached (ERR_NAME_NOT_RESOLVED)", unreachable=True)
LOFT, RETREAT = "Ocotillo House #510020", "Agave Retreat #510021"


class Partner:
    """The business, its homes on the portal, and what a visit there brings when no browser is sent."""

    def __init__(self, business: Business, monkeypatch: pytest.MonkeyPatch) -> None:
        self.business, self._patch = business, monkeypatch
        office = business.office
        office.add("Automation", **{"Name": NAME, "Active": True})
        office.add("Automation", **{"Name": reports.NAME, "Active": True})
        owner = office.add("Customers", **{"Full Name": OWNER})
        for name in (LOFT, RETREAT):
            office.add("Properties", **{"Property Name": name, "HCP Customer ID": [owner]})

    def set_up(self, portal: Portal) -> None:
        self.business.set("dev", EVOLVE_PORTAL_URL=portal.url, EVOLVE_USERNAME=USER, EVOLVE_PASSWORD=PASSWORD)

    def brings(self, one: object, two: object = LOST) -> None:
        """What the next visits bring: rows, bytes or a failure for each tab."""
        given = {Tab.ONE: one, Tab.TWO: two}
        failures = {tab: each for tab, each in given.items() if isinstance(each, PortalFailure)}
        exports = {
            tab: each if isinstance(each, bytes) else export(tab, [complete(tab, row) for row in each])
            for tab, each in given.items()
            if tab not in failures
        }

        def fetch(visit: Visit) -> Brought:
            self.visited = visit
            return Brought(exports, failures, 1)

        self._patch.setattr(automation, "fetch", fetch)

    def run(self, **request: object) -> Ran:
        return self.business.run(only=(NAME,), **request)

    def names(self, folder: str) -> list[str]:
        path = self.business.data() / folder
        return sorted(each.name for each in path.iterdir()) if path.is_dir() else []

    @property
    def nights(self) -> list[tuple[str, str, str]]:
        return [(row["Entry Type"], row["Check-in Date"], row["Check-out Date"]) for row in self.business.office.live]


@pytest.fixture
def partner(business: Business, monkeypatch: pytest.MonkeyPatch, portal: Portal) -> Partner:
    business.now = datetime.fromisoformat("2026-03-10T08:00:00-07:00")
    partner = Partner(business, monkeypatch)
    partner.set_up(portal)
    return partner


DAY = date(2026, 3, 12)
GUESTS = [tab1(30000001, DAY), tab1(30000002, DAY + timedelta(10))]
BOTH = [tab2(30000001, DAY), tab2(30000002, DAY + timedelta(10)), tab2(30000009, DAY + timedelta(20), guest=OWNER)]


def test_both_tabs_become_rows_their_files_are_kept_and_a_second_run_writes_nothing(partner):
    partner.brings(GUESTS, BOTH)
    ran = partner.run()
    assert ran.code == 0, ran.result
    assert ran.text.startswith("✅ 2/2 tabs — new 3 (2 res, 1 block) — modified 0 (0 res, 0 block) — removed 0 (0 res,")
    assert partner.nights == [
        ("Reservation", "2026-03-12", "2026-03-15"),
        ("Reservation", "2026-03-22", "2026-03-25"),
        ("Block", "2026-04-01", "2026-04-04"),
    ]
    assert partner.names("csv/done") == ["20260310_080000_evolve_tab1.csv", "20260310_080000_evolve_tab2.csv"]
    assert (partner.names("csv/inbox"), partner.names("raw/evolve"), partner.names("browser")) == ([], [], [])
    assert partner.visited.zone == "America/Phoenix"
    assert partner.visited.folder.parent == partner.business.data() / "browser"
    again = partner.run()
    assert (again.code, [each for each in again.writes if each[1] != "Automation"]) == (0, [])
    assert "new 0 (0 res, 0 block)" in again.text


def test_when_one_tab_fails_the_other_counts_and_the_run_says_which(partner):
    """V-44: one tab lost, shown green (R-82)."""
    partner.brings(GUESTS, BOTH)
    partner.run()
    before = partner.nights
    partner.brings(LOST, [*BOTH, tab2(30000010, DAY + timedelta(30), guest=OWNER)])
    for _ in range(5):
        ran = partner.run()
    assert ran.code == 2
    assert "1/2 tabs" in ran.text
    assert "failing: Tab 1" in ran.text
    assert ran.only.error_text == f"Tab 1: {LOST.text}"
    assert set(before) < set(partner.nights)
    assert partner.business.misses() == 0


def test_both_tabs_failing_is_a_failure_and_twice_in_a_row_the_portal_is_down(partner):
    """V-45: exports deleted before the new ones came. A-11, R-82."""
    partner.brings(GUESTS, BOTH)
    partner.run()
    kept = partner.names("csv/done")
    partner.brings(DOWN, DOWN)
    first = partner.run()
    assert first.code == 75
    assert first.text.startswith(f"❌ both tabs failed — {DOWN.text} — run run-")
    assert "portal_down" not in partner.business.alerts()
    partner.brings(LOST, LOST)
    assert partner.run().code == 3
    assert "2 runs in a row" in partner.business.alerts()["portal_down"].text
    assert partner.names("csv/done") == kept
    partner.run(dry_run=True)
    assert "2 runs in a row" in partner.business.alerts()["portal_down"].text
    partner.brings(LOST, BOTH)
    partner.run()
    assert "portal_down" not in partner.business.alerts()


def test_a_refused_sign_in_is_told_by_the_names_of_its_settings(partner):
    refused = SignInRefused()
    partner.brings(refused, refused)
    ran = partner.run()
    assert ran.code == 3
    assert "the portal refuses EVOLVE_USERNAME and EVOLVE_PASSWORD" in ran.text
    assert partner.business.office.automation(NAME)["Sync Details"] == ran.text


def test_ticked_and_not_set_up_is_a_failure_that_names_what_lacks(partner):
    partner.business.set("dev", EVOLVE_USERNAME="", EVOLVE_PASSWORD="")
    ran = partner.run()
    assert ran.code == 4
    assert "the portal is not set up — not set: EVOLVE_USERNAME, EVOLVE_PASSWORD — run" in ran.text


def test_a_dry_run_visits_the_portal_and_leaves_no_trace(partner):  # C-34
    partner.brings(GUESTS, BOTH)
    ran = partner.run(dry_run=True)
    assert (ran.code, ran.writes) == (0, [])
    assert ran.plan.counts.of("new") == 3
    assert (partner.names("csv/done"), partner.names("raw/evolve"), partner.nights) == ([], [], [])


def test_an_export_without_its_filter_is_applied_warned_of_and_proves_nothing(partner):
    partner.brings(GUESTS, BOTH)
    partner.run()
    partner.brings([tab1(30000001, DAY), tab1(30000003, DAY + timedelta(70))], BOTH[:1])
    ran = partner.run()
    assert ran.code == 2
    assert "filter not applied: Tab 1" in ran.text
    assert "without its filter" in partner.business.alerts()["portal_warning"].text
    assert ("Reservation", "2026-03-22", "2026-03-25") in partner.nights
    partner.brings(GUESTS, BOTH)
    partner.run()
    assert "portal_warning" not in partner.business.alerts()


def test_a_bad_row_is_set_aside_alone_and_the_run_is_partial(partner):
    partner.brings([*GUESTS, tab1(30000004, DAY, listing="999999")], BOTH)
    ran = partner.run()
    assert ran.code == 2
    assert ran.text.startswith("⚠️ 2/2 tabs — new 3")
    assert "rows set aside 1" in ran.text
    assert ran.only.error_text == "20260310_080000_evolve_tab1.csv line 4: unknown_property"
    assert partner.names("csv/rejected") == ["20260310_080000_evolve_tab1.csv"]
    assert len(partner.names("csv/done")) == 2


def test_a_file_with_the_right_header_that_cannot_be_used_fails_its_tab(partner):
    blank = b"1,1,1,1,1\n" * 20_001
    unusable = b"Guest Name,Booking #,Listing #,Check-In,Check-Out\n" + blank
    partner.brings(unusable, BOTH)
    ran = partner.run()
    assert ran.code == 2
    assert "1/2 tabs" in ran.text
    assert ran.only.error_text == "Tab 1: the file cannot be used: unreadable"
    partner.brings(unusable, LOST)
    assert partner.run().text.startswith("❌ both tabs failed — Tab 1: the file cannot be used: unreadable — run")
    unusable_files = [name for name in partner.names("csv/rejected") if "tab1" in name]
    assert unusable_files == ["20260310_080000_evolve_tab1.csv", "20260310_120000_evolve_tab1.csv"]


def test_without_the_base_the_tables_are_fetched_and_kept_and_not_imported(partner):  # C-5
    partner.brings(GUESTS, BOTH)
    partner.run(dry_run=True)
    partner.business.sandbox.fault("status", 503, method="GET", path="Reservations")
    ran = partner.run()
    assert ran.code == 75
    assert ran.text.startswith("❌ the portal's tables wait — Airtable does not answer")
    assert len(partner.names("raw/evolve")) == 2
    partner.business.sandbox.heal()
    partner.run()
    assert len(partner.nights) == 3
    assert len(partner.names("csv/done")) == 2
    partner.business.now = datetime.now(UTC) + timedelta(days=31)
    partner.run()
    assert partner.names("raw/evolve") == []


def test_when_the_homes_cannot_be_read_nothing_is_imported(partner):
    partner.brings(GUESTS, BOTH)
    partner.run(dry_run=True)
    table, _ = partner.business.office.field_ids("Properties", "Property Name")
    brought = automation.fetch

    def then_down(visit: Visit) -> Brought:
        partner.business.sandbox.fault("status", 503, method="GET", path=f"Properties|{table}")
        return brought(visit)

    partner._patch.setattr(automation, "fetch", then_down)
    ran = partner.run()
    partner.business.sandbox.heal()
    assert ran.text.startswith("❌ Airtable cannot be read — Airtable does not answer")
    assert partner.nights == []


def test_a_run_cut_between_commit_and_move_is_finished_by_the_next(partner, monkeypatch):  # F-2
    partner.brings(GUESTS, BOTH)
    with monkeypatch.context() as patch:
        patch.setattr(inbox, "carry_out", _full_disk)
        assert partner.run().code == 0
    assert len(partner.names("raw/evolve")) == 2
    partner.business.run(only=(reports.NAME,))
    assert (len(partner.names("csv/done")), partner.names("raw/evolve")) == (2, [])
    assert len(partner.nights) == 3


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_home_that_a_killed_run_has_left_goes_although_the_portal_is_switched_off_since(partner):  # F-3, Z-38
    left = partner.business.data() / "browser" / "run-dead" / "profile"
    partner.brings(LOST, LOST)
    partner.run(dry_run=True)
    left.mkdir(parents=True)
    long_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(left.parent, (long_ago, long_ago))
    partner.business.office.tick(False, NAME)
    partner.run()
    assert partner.names("browser") == []


def test_a_run_that_only_carries_out_decisions_does_not_ask_the_portal(partner):
    partner.brings(LOST)
    assert partner.run(observe=False).text.startswith("✅ the portal was not asked")


# -- with a real browser -----------------------------------------------------------------------------------------------


@pytest.fixture
def real(business: Business, monkeypatch: pytest.MonkeyPatch, portal: Portal) -> Partner:
    """The portal with bookings from the real day on, as its filter runs in a browser with the real clock."""
    monkeypatch.setattr(automation, "LIMITS", BRISK)
    monkeypatch.setattr(downloads, "_LOOK_SECONDS", 0.1)
    business.now = datetime.now(UTC)
    portal.control("POST", "reset")
    partner = Partner(business, monkeypatch)
    partner.set_up(portal)
    return partner


@pytest.mark.browser
def test_what_the_portal_shows_is_in_the_base_a_few_seconds_later(real, portal):
    today = real.business.now.astimezone(real.business.settings().zone).date()
    portal.shows(
        [tab1(30000001, today + timedelta(2)), tab1(30000002, today + timedelta(90))],
        [tab2(30000001, today + timedelta(2)), tab2(30000009, today + timedelta(9), guest=OWNER)],
    )
    portal.misbehaves("wrong-tab", tab=2, times=1)
    ran = real.run()
    assert ran.code == 0, ran.result
    assert ran.text.startswith("✅ 2/2 tabs — new 2 (1 res, 1 block)")
    assert ran.only.counters["attempts"] == 2
    assert [each[1] for each in real.nights] == [f"{today + timedelta(2)}", f"{today + timedelta(9)}"]
    assert [name[-8:] for name in real.names("csv/done")] == ["tab1.csv", "tab2.csv"]
    assert real.names("browser") == []
    assert [each["query"] for each in portal.requests("/s/export")][-1] == "tab=2"


@pytest.mark.browser
def test_a_portal_that_never_ends_runs_into_the_deadline_and_leaves_no_browser(real, portal, monkeypatch):  # C-32, Z-12
    monkeypatch.setattr(automation, "LIMITS", replace(BRISK, table=60))
    short = Automation(NAME, timedelta(seconds=3), automation.run)
    monkeypatch.setattr(controller, "REGISTRY", (short,))
    portal.misbehaves("never-loading")
    ran = real.run()
    portal.behaves()
    assert ran.only.state == "timed_out"
    assert "Evolve ended — not finished within" in ran.text
    assert real.names("browser") == []
    homes = real.business.data() / "browser"
    assert leftovers.processes(homes / ran.only.id) == []
