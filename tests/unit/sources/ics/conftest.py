"""What tests of calendars share: the rules of the business, the platforms, feeds and calendars in a line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from changeover.core.stay import Rules
from changeover.sources.ics.feeds import FeedConfig
from changeover.sources.ics.parse import Parsed, parse
from changeover.sources.ics.platforms import Platforms, load
from changeover.sources.ics.repair import repair

TODAY = date(2026, 11, 1)
CONFIG = Path(__file__).parents[4] / "config"


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules(ZoneInfo("America/Phoenix"))


@pytest.fixture(scope="session")
def platforms() -> Platforms:
    return load(CONFIG / "platforms.toml")


@pytest.fixture
def feed() -> FeedConfig:
    return FeedConfig("recFeed0000000001", "https://calendar.example/secret-token.ics", "recHome0000000001")


@pytest.fixture(scope="session")
def calendar() -> Callable[..., bytes]:
    def make(*events: str, head: str = "") -> bytes:
        """Events are their lines joined by blanks-free `|`."""
        parts = ["BEGIN:VCALENDAR", *head.split("|")]
        for event in events:
            parts += ["BEGIN:VEVENT", *event.split("|"), "END:VEVENT"]
        return "\r\n".join([*parts, "END:VCALENDAR", ""]).encode()

    return make


@pytest.fixture(scope="session")
def parsed(calendar: Callable[..., bytes], rules: Rules) -> Callable[..., Parsed]:
    def make(*events: str, head: str = "") -> Parsed:
        return parse(repair(calendar(*events, head=head)), rules, TODAY)

    return make
