"""Mails as the mail service posts them, and a way to store them as the web does. All names are made up."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from changeover.engine import intake
from changeover.engine.intake import Intake
from changeover.engine.raw_mails import Posted
from changeover.sources.mail.mail import Attachment, Envelope, Format, Mail
from changeover.store.database import Database
from changeover.store.writer import Writer

HEADER = (
    'Checkin,Checkout,"Date Booked","Tenant Name","Tenant Phone","Property Name","Property Address","Property Owner",'
    'BR/BA,Size,"Next Booking","Next Tenant Name","Next Tenant Phone","Same Day?","Contractor Info","Reservation ID"'
)
HOME = "Saguaro Loft #40000001"
JSON = "application/json"


BOUNDARY = "x7B9"
FORM = f'multipart/form-data; boundary="{BOUNDARY}"'


def part(name: str, value: str | bytes, *more: str | bytes) -> bytes:
    """A part of a form; `more` are further pieces of its head."""
    body = value if isinstance(value, bytes) else value.encode()
    pieces = (each if isinstance(each, bytes) else each.encode() for each in more)
    head = b"".join((b'Content-Disposition: form-data; name="', name.encode(), b'"', *pieces))
    return b"--" + BOUNDARY.encode() + b"\r\n" + head + b"\r\n\r\n" + body + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n"


def mail(*attachments: Attachment, **more: object) -> Mail:
    """A mail of iTrip's, read already; headers and envelope may be altered."""
    headers = {"from": ("iTrip <reports@itrip.example>",), "subject": ("Daily Checkouts Report",)}
    values = {"headers": headers, "envelope": Envelope("dev@inbox.example", "bounce@mailer.example")} | more
    return Mail(Format.JSON, attachments=attachments, **values)  # type: ignore[arg-type]


def itrip_row(number: int, first: date, nights: int = 3, home: str = HOME) -> str:
    """A stay as iTrip's report shows it."""
    last = first + timedelta(days=nights)
    stay = f"{first} 16:00:00,{last} 10:00:00,2026-01-05"
    return f"{stay},Guest {number},,{home},12 N Example St,Iris Vandermeer,2/2,900,,,,No,Work Order,{7000000 + number}"


def itrip_report(*rows: str) -> bytes:
    return "\n".join((HEADER, *rows, "")).encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of files by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@dataclass(frozen=True)
class File:
    """An attachment as JSON writes it down."""

    content: bytes | None
    name: str = "checkouts.csv"
    content_type: str = "text/csv"
    more: Mapping[str, object] = field(default_factory=dict)

    def plain(self) -> dict[str, object]:
        content = {} if self.content is None else {"content": base64.b64encode(self.content).decode()}
        return {"file_name": self.name, "content_type": self.content_type, **content, **self.more}


@dataclass(frozen=True)
class Letter:
    """A mail to the program: by default iTrip's daily one."""

    attachments: Sequence[File] = ()
    sender: str = "reports@itrip.example"
    subject: str = "iTrip Checkouts Report"
    message_id: str = "<m1@itrip.example>"
    spf: str = "pass"
    headers: Mapping[str, object] = field(default_factory=dict)
    envelope: Mapping[str, object] = field(default_factory=dict)
    plain: str = ""
    html: str = ""

    def body(self) -> bytes:
        ident = {"message_id": self.message_id} if self.message_id else {}
        return json.dumps(
            {
                "envelope": {
                    "to": "dev@inbox.example",
                    "from": self.sender,
                    "recipients": ["dev@inbox.example"],
                    "remote_ip": "192.0.2.7",
                    "spf": {"result": self.spf, "domain": "itrip.example"},
                    **self.envelope,
                },
                "headers": {"from": f"Reports <{self.sender}>", "subject": self.subject, **ident, **self.headers},
                "plain": self.plain,
                "html": self.html,
                "attachments": [each.plain() for each in self.attachments],
            }
        ).encode()


@dataclass(frozen=True)
class Post:
    """The way in of one environment: what it takes is stored and its work enqueued."""

    way_in: Intake

    def take(self, letter: Letter | bytes, content_type: str = JSON) -> str:
        """Stores a mail; its event's id."""
        body = letter.body() if isinstance(letter, Letter) else letter
        return self.way_in.take(Posted(io.BytesIO(body).read, len(body), content_type)).event_id


@contextmanager
def post_office(env: str, folder: Path, database: Database) -> Iterator[Post]:
    """Opens the way in, as the web server does at its start."""
    writer, client = Writer(database), intake.client(env, database)
    yield Post(Intake(folder, writer, client))
    writer.close()
    client.destroy()


def now() -> datetime:
    return datetime.now(UTC)
