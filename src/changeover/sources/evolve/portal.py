"""What is done in the portal, step by step (R-77): sign in, filter, export each tab; it judges no row."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from functools import partial
from urllib.parse import urlsplit

from changeover.sources.evolve import downloads
from changeover.sources.evolve.attempts import Attempt
from changeover.sources.evolve.browser import Browser, opened
from changeover.sources.evolve.page import Form, Page, Table, told
from changeover.sources.evolve.visit import Limits, PortalFailure, SignInRefused, Tab, Visit

BOOKINGS = "/s/booking/Booking__c/Recent"
COLUMN = "Guest Name"
FILTER, FIELD, RANGE, APPLY, EXPORT = "Filter This List", "Check-Out", "Next 60 days", "Apply Filter", "Export"
_TABSET = re.compile(r"([?&]tabset-[^=&#]*=)([0-9]+)")
_STILL = 2  # so many looks at a table that does not change, and it has loaded
_SPINS_ON = 10.0  # a spinner elsewhere on the page is not waited for longer than this
_CHOICE_SECONDS = 2.0


def sit(visit: Visit, tabs: Iterable[Tab], ends_at: float) -> Attempt:
    """One sitting with one browser, one tab after the other. Raises only what `visit.sleep` raises."""
    exports: dict[Tab, bytes] = {}
    failures: dict[Tab, PortalFailure] = {}
    wanted = list(tabs)
    try:
        with opened(visit.folder, visit.zone, visit.asked_to_end, visit.limits.last_word) as browser:
            sitting = Sitting(visit, browser, ends_at)
            sitting.enter()
            for tab in wanted:
                try:
                    exports[tab] = sitting.export(tab)
                except PortalFailure as failure:
                    failures[tab] = failure
    except PortalFailure as failure:
        failures |= {tab: failure for tab in wanted if tab not in exports and tab not in failures}
    return Attempt(exports, failures)


class Sitting:
    """A browser in front of the portal."""

    def __init__(self, visit: Visit, browser: Browser, ends_at: float) -> None:
        self._visit, self._browser, self._ends_at = visit, browser, ends_at
        self._page = Page(browser.driver, visit.sleep, visit.limits.poll, ends_at, visit.limits.form)
        self._bookings = ""

    @property
    def _limits(self) -> Limits:
        return self._visit.limits

    # -- to the bookings -----------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Opens the portal and signs in where it asks for that. Raises PortalFailure."""
        page, limits = self._page, self._limits
        page.open(self._visit.login.url)
        met = page.until(limits.form, "the portal's sign-in form", self._met)
        if isinstance(met, Form):
            page.mark()
            met.send()
            self._await_bookings()
        tabbed = page.within(_CHOICE_SECONDS, lambda: page.address if _TABSET.search(page.address) else None)
        self._bookings = tabbed or page.address

    def _met(self) -> Form | bool | None:
        """The form, filled; or True where we are in already."""
        if self.at_bookings:
            return True
        form = self._page.form()
        if form is not None:
            form.fill(self._visit.login.username, self._visit.login.password)
        return form

    @property
    def at_bookings(self) -> bool:
        """Whether the address is the bookings' one."""
        return BOOKINGS in urlsplit(self._page.address).path

    def _await_bookings(self) -> None:
        """Waits for the bookings' address. Another form, or the same one after all that time, is a refusal."""
        page, limits = self._page, self._limits
        fresh_since: float | None = None

        def arrived() -> bool | None:
            nonlocal fresh_since
            if self.at_bookings:
                return True
            form = page.form()
            if form is None or form.marked:
                fresh_since = None
                return None
            fresh_since = fresh_since or time.monotonic()
            return False if time.monotonic() - fresh_since >= limits.refusal else None

        answer = page.within(limits.bookings, arrived)
        if answer is None and page.form() is None:
            raise PortalFailure("portal_step", f"the bookings did not show within {limits.bookings:.0f} s")
        if not answer:
            raise SignInRefused

    # -- one tab -------------------------------------------------------------------------------------------------------

    def export(self, tab: Tab) -> bytes:
        """A tab's verified export. Raises PortalFailure."""
        self._show(tab)
        self._loaded()
        if tab is Tab.ONE:
            self._filter()
        folder = self._visit.folder / f"tab{tab.value}"
        told(partial(self._browser.download_into, folder))
        self._page.click(EXPORT, self._limits.control, last=tab is Tab.TWO)
        seconds = min(self._limits.download, self._ends_at - time.monotonic())
        raw = downloads.collect(folder, seconds, self._visit.sleep)
        return downloads.verified(raw, tab, self._visit.suppliers)

    def _show(self, tab: Tab) -> None:
        """Brings a tab to the front by the number in the address."""
        if _TABSET.search(self._bookings) is None:
            raise PortalFailure("portal_step", "the bookings' address names no tab")
        wanted = _TABSET.sub(rf"\g<1>{tab.value}", self._bookings)
        if self._page.address != wanted:
            self._page.open(wanted)

    def _loaded(self) -> Table:
        """Waits until the table has its column, nothing loads and nothing changes any more."""
        return self._page.until(self._limits.table, "the table of bookings", _Standing(self._page))

    def _filter(self) -> None:
        """Check-outs of the next 60 days; then waits for the reloaded table. Whether it helped the file will say."""
        page, seconds = self._page, self._limits.control
        page.mark()
        before = page.table(COLUMN)
        page.click(FILTER, seconds)
        page.click(FIELD, seconds)
        if page.within(_CHOICE_SECONDS, lambda: page.has(RANGE) or None) is None:
            page.press_focused()
        page.click(RANGE, seconds)
        page.click(APPLY, seconds)
        page.within(self._limits.settle, lambda: _reloading(before, page.table(COLUMN)) or None)
        self._loaded()


def _reloading(before: Table, now: Table) -> bool:
    return now.loading or not now.marked or now.print != before.print


class _Standing:
    """Looks at a table and gives it once it stands still."""

    def __init__(self, page: Page) -> None:
        self._page, self._began, self._same = page, time.monotonic(), 0
        self._last: Table | None = None

    def __call__(self) -> Table | None:
        now = self._page.table(COLUMN)
        self._same = self._same + 1 if now == self._last else 0
        self._last = now
        spins = now.loading and time.monotonic() - self._began < _SPINS_ON
        return now if now.column and not spins and self._same >= _STILL else None
