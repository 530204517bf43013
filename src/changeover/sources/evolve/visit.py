"""What a visit to the portal is given and brings back, as values; it opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from changeover.sources.csv.suppliers import Shape, Supplier


class Tab(IntEnum):
    """The portal's two tables by the number its address gives them."""

    ONE = 1
    TWO = 2

    @property
    def title(self) -> str:
        """As people read it."""
        return f"Tab {self.value}"

    @property
    def shape(self) -> Shape:
        """The form of report its export must have (R-78)."""
        return Shape.EVOLVE_TAB1 if self is Tab.ONE else Shape.EVOLVE_TAB2


class PortalFailure(Exception):
    """Something of a visit failed. Code and text are safe to show: no address, no credential, nothing of a page."""

    def __init__(self, code: str, text: str, *, unreachable: bool = False) -> None:
        super().__init__(text)
        self.code, self.text, self.unreachable = code, text, unreachable


class SignInRefused(PortalFailure):
    """The portal knows us not. It is never tried again in a run: the account would be locked (R-79)."""

    def __init__(self) -> None:
        super().__init__("portal_refused", "the portal refuses EVOLVE_USERNAME and EVOLVE_PASSWORD")


class BrowserEnded(PortalFailure):
    """The browser or its driver has gone in the middle of a visit."""

    def __init__(self) -> None:
        super().__init__("browser_ended", "the browser ended by itself")


@dataclass(frozen=True, slots=True)
class Login:
    """Where the portal is and who we are there."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds (R-77 … R-79). `whole` leaves the run's tenth minute to the import of what was brought."""

    form: float = 30
    bookings: float = 30
    table: float = 30
    control: float = 30
    download: float = 60
    settle: float = 5  # a filter that changes nothing on the page is believed after this; the file is judged anyway
    refusal: float = 3  # a sign-in form that stands again so long after a sign-in is a refusal
    pause: float = 30
    whole: float = 540
    poll: float = 0.2
    last_word: float = 25  # from being asked to end until the browser is ended under the visit's hands (C-32)


@dataclass(frozen=True, slots=True)
class Visit:
    """All that a visit needs. `folder` is its own and is gone afterwards; `zone` is the browser's (R-77).

    `sleep` waits and raises when the run is to end; `asked_to_end` says so without waiting.
    """

    login: Login
    folder: Path
    zone: str
    suppliers: Sequence[Supplier]
    sleep: Callable[[float], None]
    asked_to_end: Callable[[], bool]
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Brought:
    """What a visit came to: a verified export or a failure for each tab (R-82)."""

    exports: Mapping[Tab, bytes]
    failures: Mapping[Tab, PortalFailure]
    attempts: int
