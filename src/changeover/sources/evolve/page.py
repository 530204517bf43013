"""A page as a person uses it: controls found by their words, waits until something is seen; it knows no portal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import Any, TypeVar

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    InvalidSessionIdException,
    JavascriptException,
    NoSuchWindowException,
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver import Remote
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from urllib3.exceptions import HTTPError

from changeover.sources.evolve.visit import BrowserEnded, PortalFailure

_T = TypeVar("_T")

_PASSING = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    StaleElementReferenceException,
)
_MOVING = ("navigation", "execution context", "does not belong to the document", "frame detached")
_GONE = ("disconnected", "not reachable", "tab crashed", "not running")
_NETWORK = re.compile(r"net::(ERR_[A-Z_]+)")


class Passing(PortalFailure):
    """A page that draws itself anew took something away under our hands: one looks again."""


@dataclass(frozen=True, slots=True)
class Form:
    """A visible sign-in form: its two fields, the button that sends it if it has one, whether `mark` saw it."""

    user: WebElement
    password: WebElement
    button: WebElement | None
    marked: bool

    def fill(self, username: str, password: str) -> None:
        """Raises PortalFailure."""
        for field, text in ((self.user, username), (self.password, password)):
            told(field.clear)
            told(partial(field.send_keys, text))

    def send(self) -> None:
        """Raises PortalFailure."""
        told(partial(self.password.send_keys, Keys.ENTER) if self.button is None else self.button.click)


@dataclass(frozen=True, slots=True)
class Table:
    """How the visible table stands. `marked`: rows that `mark` saw are still there; `print` follows its text."""

    column: bool
    loading: bool
    marked: bool
    print: int


class Page:
    """The window of a browser. Every method may raise PortalFailure, and what `sleep` raises."""

    def __init__(
        self, driver: Remote, sleep: Callable[[float], None], poll: float, ends_at: float, load_seconds: float
    ) -> None:
        self._driver, self._sleep, self._poll, self._ends_at = driver, sleep, poll, ends_at
        driver.set_page_load_timeout(load_seconds)

    @property
    def address(self) -> str:
        return str(told(lambda: self._driver.current_url))

    def open(self, url: str) -> None:
        """Opens an address. One that does not load to its end is used as it is."""
        try:
            self._driver.get(url)
        except TimeoutException:
            return
        except (WebDriverException, HTTPError) as error:
            raise _failure(error) from error

    def until(self, seconds: float, what: str, look: Callable[[], _T | None]) -> _T:
        """Looks again and again for what `look` gives. Raises PortalFailure, saying what did not show in time."""
        found = self.within(seconds, look)
        if found is None:
            raise PortalFailure("portal_step", f"{what} did not show within {seconds:.0f} s")
        return found

    def within(self, seconds: float, look: Callable[[], _T | None]) -> _T | None:
        """What `look` gives within so many seconds; None where it gives nothing."""
        until = min(time.monotonic() + seconds, self._ends_at)
        while True:
            with suppress(Passing):
                found = look()
                if found is not None:
                    return found
            if time.monotonic() >= until:
                return None
            self._sleep(self._poll)

    def click(self, text: str, seconds: float, *, last: bool = False) -> None:
        """Clicks the first, or the last, visible control of this name."""
        self.until(seconds, f"the control {text}", lambda: self._clicked(text, last=last))

    def has(self, text: str) -> bool:
        """Whether such a control is visible."""
        return bool(self._controls(text))

    def press_focused(self) -> None:
        """Opens a list that shows its choices only when its field is used and not when its label is clicked."""
        with suppress(Passing):
            told(lambda: self._driver.switch_to.active_element.click())  # noqa: PLW0108 - looking it up may fail too

    def form(self) -> Form | None:
        found = self._ask("form")
        return None if found is None else Form(*found)

    def table(self, column: str) -> Table:
        return Table(**self._ask("table", column))

    def mark(self) -> None:
        """Marks the forms and rows that are visible, so that it can be seen when they have given way to others."""
        self._ask("mark")

    def _clicked(self, text: str, *, last: bool) -> bool | None:
        found = self._controls(text)
        if not found:
            return None
        told(found[-1 if last else 0].click)
        return True

    def _controls(self, text: str) -> Sequence[WebElement]:
        found: Sequence[WebElement] = self._ask("controls", text)
        return found

    def _ask(self, question: str, *arguments: str) -> Any:
        """What the page's script answers: elements, numbers and words as `page.js` says."""
        return told(lambda: self._driver.execute_script(_script(), question, *arguments))


def told(act: Callable[[], _T]) -> _T:
    """Does something in the browser. Raises PortalFailure in words that hold nothing of a page or an address."""
    try:
        return act()
    except (WebDriverException, HTTPError) as error:
        raise _failure(error) from error


def _failure(error: WebDriverException | HTTPError) -> PortalFailure:
    if isinstance(error, (InvalidSessionIdException, NoSuchWindowException, HTTPError)):
        return BrowserEnded()
    said = str(error.msg or "")
    if network := _NETWORK.search(said):
        return PortalFailure("portal_unreachable", f"the portal cannot be reached ({network[1]})", unreachable=True)
    if any(word in said for word in _GONE):
        return BrowserEnded()
    passing = isinstance(error, _PASSING) or any(word in said for word in _MOVING)
    kind = Passing if passing else PortalFailure
    return kind("portal_step", f"the browser could not do a step ({type(error).__name__})")


@cache
def _script() -> str:
    return files("changeover.sources.evolve").joinpath("page.js").read_text(encoding="utf-8")
