"""Takes out of any text what must never be shown (L-5, X-13); it errs on the side of taking out too much."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

HIDDEN = "***"
EMAIL = "[email]"
PHONE = "[phone]"
CODE = "[code]"
MIN_SECRET = 4  # shorter values are words; hiding them by value would blank every line
_SHORT, _REMEMBERED = 80, 512  # the host, a level, an event: most of a line was in the line before

_NAMES_OF_KEYS = (
    r"authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[-_ ]?key|api-signature|x-internal-auth|"
    r"x-airtable-content-mac|access[-_]?token|token|client[-_]?secret|secret|passwd|password|pwd|signature|"
    r"door[-_ ]?code|gate[-_ ]?code|lock[-_ ]?code"
)
_SECRET_KEY = re.compile(rf"(?:^|[^a-z])(?:{_NAMES_OF_KEYS})$", re.IGNORECASE)
_CODE_KEY = re.compile(r"(?:code|pin|password|passwd|pwd|phone)$", re.IGNORECASE)
_BODY_KEY = re.compile(r"^(?:mail_)?(?:body|plain|html|raw_body)$", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    rf"(?i)(?<![a-z])((?:{_NAMES_OF_KEYS})[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?)(?:(?:bearer|basic)\s+)?[^\s,;\"'&]+"
)
_SCHEME_TEXT = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}")
_AIRTABLE_TOKEN = re.compile(r"\bpat[A-Za-z0-9]{10,}(?:\.[A-Za-z0-9]+)?")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>|\\^`{}]+", re.IGNORECASE)
_FEED_URL = re.compile(r"(?i)\.ics\b|/ics/|/ical|icalendar|/calendar")
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(
    r"(?<![\w.:+-])(?:\+?1[ .-]?)?(?:\(\d{3}\)[ .-]?|\d{3}[ .-]?)\d{3}[ .-]?\d{4}(?![\w-])"
    r"|(?<![\w+])\+\d{1,3}(?:[ .()-]{0,2}\d){7,13}(?!\w)"
)
_DOOR = re.compile(
    r"(?i)\b(?P<before>\w+\s+)?(?P<word>codes?|pin|combo|combination)\b"
    r"(?P<link>(?:\s+(?:is|are|for the \w+)\b|\s*[:=#-])*\s*)"
    r"[#*]?\d{3,10}[#*]?"
)
_GATE = re.compile(r"(?i)\b(door|gate|garage|lock ?box|key ?pad|key ?safe)\b([\s:=#-]{0,4})[#*]?\d{3,10}[#*]?")
_OTHER_CODES = frozenset({"status", "exit", "error", "return", "response", "http", "country", "area", "zip", "postal"})


class Redactor:
    """Hides secrets in texts and in log events. One per process; configured values are added once known."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self.add_secrets(secrets)

    def add_secrets(self, secrets: Iterable[str]) -> None:
        """These exact values become `***` wherever they stand."""
        self._add(dict.fromkeys(secrets, HIDDEN))

    def add_feeds(self, record_ids: Mapping[str, str]) -> None:
        """These feed URLs become `feed:<record id>`; a feed URL nobody named becomes `feed:?`."""
        self._add({url: f"feed:{record_id}" for url, record_id in record_ids.items()})

    def text(self, text: str) -> str:
        """The text with everything of L-5 replaced; idempotent."""
        return self._remembered(text) if len(text) <= _SHORT else self._redacted(text)

    def _redacted(self, text: str) -> str:
        if self._pattern is not None:
            text = self._pattern.sub(lambda match: self._values[match[0]], text)
        text = _URL.sub(_safe_url, text)
        text = _AIRTABLE_TOKEN.sub(HIDDEN, text)
        text = _SECRET_TEXT.sub(rf"\1{HIDDEN}", text)
        text = _SCHEME_TEXT.sub(rf"\1 {HIDDEN}", text)
        text = _EMAIL.sub(EMAIL, text)
        text = _DOOR.sub(_door, text)
        text = _GATE.sub(rf"\1\2{CODE}", text)
        return _PHONE.sub(PHONE, text)

    def value(self, value: object) -> object:
        """A log value in plain form, redacted all the way down; values under a secret's name are hidden whole."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(key): self.field(str(key), each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(each) for each in value]
        return self.text(str(value))

    def field(self, key: str, value: object) -> object:
        """A named value: what is a secret by its name is hidden whatever it looks like."""
        if isinstance(value, bool | int | float) and not _names_a_code(key):
            return value  # a lease's fencing token is a number and no secret
        if value is not None and _names_a_secret(key):
            return HIDDEN
        return self.value(value)

    def _add(self, replacements: Mapping[str, str]) -> None:
        self._values |= {value: shown for value, shown in replacements.items() if len(value) >= MIN_SECRET}
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._remembered = lru_cache(_REMEMBERED)(self._redacted)  # anew: another thread may still fill the one before


@lru_cache(_REMEMBERED)
def _names_a_code(key: str) -> bool:
    return _CODE_KEY.search(key) is not None


@lru_cache(_REMEMBERED)
def _names_a_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None or _BODY_KEY.match(key) is not None


def _safe_url(match: re.Match[str]) -> str:
    url = match[0]
    tail = url[len(url.rstrip(".,;:)]!?")) :]
    try:
        parts = urlsplit(url[: len(url) - len(tail)])
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return HIDDEN
    if _FEED_URL.search(url):
        return f"feed:?{tail}"
    place = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{place}:{port}" if port else place, parts.path, "", "")) + tail


def _door(match: re.Match[str]) -> str:
    before = match["before"] or ""
    if before.strip().lower() in _OTHER_CODES:
        return match[0]
    return f"{before}{match['word']}{match['link']}{CODE}"
