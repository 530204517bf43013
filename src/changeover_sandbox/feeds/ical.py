"""Writes iCalendar bytes as exporters do: folded at 75 octets, CRLF, escaped text; it never reads any."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

STAMP_MARK = "\x00STAMP"
UID_MARK = "\x00UID"
_STAMP, _UID = STAMP_MARK.encode(), UID_MARK.encode()
FOLD = 75


@dataclass(frozen=True, slots=True)
class Event:
    """A VEVENT before it is written.

    `uid` None: a fresh uuid at every download. `start`, `end`: a date (all-day), an aware UTC instant, or a naive
    time: floating, or in `tzid`. `stamped`: the day in DTSTAMP; None: the instant of the download (P-5). `extra`:
    whole content lines.
    """

    uid: str | None
    start: date | datetime
    end: date | datetime
    summary: str
    description: str = ""
    stamped: date | None = None
    tzid: str = ""
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A calendar but for what differs at each download: its instant and, on some platforms, its uids."""

    parts: tuple[bytes, ...]

    def body(self, at: datetime) -> bytes:
        """The bytes of a download at this instant (aware)."""
        stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").encode()
        if len(self.parts) == 1:
            return self.parts[0].replace(_STAMP, stamp)
        pieces = [self.parts[0]]
        for part in self.parts[1:]:
            pieces += (str(uuid.uuid4()).encode(), part)
        return b"".join(pieces).replace(_STAMP, stamp)


def write(header: Iterable[str], order: Iterable[str], events: Iterable[Event]) -> Template:
    """A calendar of `header` lines and events whose properties come in `order`; `extra` stands for the extra lines."""
    properties = tuple(order)
    lines = ["BEGIN:VCALENDAR", *header]
    for event in events:
        lines += ("BEGIN:VEVENT", *_event(event, properties), "END:VEVENT")
    lines.append("END:VCALENDAR")
    body = "".join(f"{fold(line)}\r\n" for line in lines).encode()
    return Template(tuple(body.split(_UID)))


def fold(line: str) -> str:
    """The line cut after at most 75 octets, never inside a character; further lines begin with a blank."""
    if len(line) <= FOLD and (line.isascii() or len(line.encode()) <= FOLD):
        return line
    pieces: list[str] = []
    piece, room = "", FOLD
    for character in line:
        octets = len(character.encode())
        if octets > room:
            pieces.append(piece)
            piece, room = "", FOLD - 1
        piece += character
        room -= octets
    return "\r\n ".join((*pieces, piece))


def escape(text: str) -> str:
    r"""Text with backslash, comma, semicolon and line ends escaped."""
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\n", "\\n")


def _event(event: Event, order: tuple[str, ...]) -> Iterator[str]:
    for name in order:
        match name:
            case "UID":
                yield f"UID:{UID_MARK if event.uid is None else event.uid}"
            case "DTSTAMP":
                yield f"DTSTAMP:{f'{event.stamped:%Y%m%d}T120000Z' if event.stamped else STAMP_MARK}"
            case "DTSTART":
                yield _when(name, event.start, event.tzid)
            case "DTEND":
                yield _when(name, event.end, event.tzid)
            case "SUMMARY":
                yield f"SUMMARY:{escape(event.summary)}"
            case "DESCRIPTION" if event.description:
                yield f"DESCRIPTION:{escape(event.description)}"
            case "extra":
                yield from event.extra


def _when(name: str, value: date | datetime, tzid: str) -> str:
    if not isinstance(value, datetime):
        return f"{name};VALUE=DATE:{value:%Y%m%d}"
    if value.tzinfo is not None:
        return f"{name}:{value.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    zone = f";TZID={tzid}" if tzid else ""
    return f"{name}{zone}:{value:%Y%m%dT%H%M%S}"
