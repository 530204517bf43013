"""Takes the CSV reports out of a mail's attachments (CM-19, X-7); it reads no report and trusts no name or size."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from lzma import LZMAError
from pathlib import PurePosixPath

from changeover.sources.mail.mail import Attachment, Mail

MB = 1024 * 1024
MOST_ATTACHMENTS, MOST_BYTES = 20, 25 * MB
MOST_ENTRIES, MOST_UNPACKED = 50, 100 * MB

_CSV_TYPES = frozenset({"text/csv", "application/csv", "text/comma-separated-values"})
_PERHAPS_CSV = frozenset({"application/vnd.ms-excel", "application/octet-stream"})
_ZIP_TYPES = frozenset({"application/zip", "application/x-zip-compressed", "application/x-zip"})
_SHEETS = frozenset({".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".numbers"})
_SHEET_TYPES = (
    "application/vnd.openxmlformats-officedocument.spreadsheet",
    "application/vnd.oasis.opendocument.spread",
)
_OLE, _PK = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_BOMS = (b"\xff\xfe", b"\xfe\xff")
_BROKEN_ZIP = (
    *(zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, struct.error, IndexError),
)
_CHUNK = 65_536


class Trouble(StrEnum):
    """Why something of a mail needs a person."""

    SPREADSHEET = "a spreadsheet in place of a CSV"
    WINMAIL = "winmail.dat: the sender's program hides the attachments"
    TOO_MANY = "too many attachments"
    TOO_LARGE = "an attachment is too large"
    UNREADABLE = "an attachment cannot be decoded"
    BROKEN_ZIP = "a zip cannot be opened"
    ZIP_TOO_MANY = "a zip holds too many files"
    ZIP_TOO_LARGE = "a zip unpacks to too much"
    LINK_ONLY = "a link in place of a CSV"
    NO_CSV = "no CSV attached"


@dataclass(frozen=True, slots=True)
class Report:
    """A CSV and the name it was sent under, which is never a path here."""

    name: str
    content: bytes


@dataclass
class _Taken:
    reports: list[Report] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    unpacked: int = 0

    def complain(self, trouble: Trouble) -> None:
        if trouble not in self.troubles:
            self.troubles.append(trouble)


@dataclass(frozen=True, slots=True)
class Found:
    """The reports of a mail, each content once, and what a person must look at."""

    reports: tuple[Report, ...]
    troubles: tuple[Trouble, ...] = ()


def reports_of(mail: Mail) -> Found:
    """What an accepted mail brings. Inline pictures, signatures and whatever is no table are skipped."""
    taken = _Taken()
    wanted = [each for each in mail.attachments if _concerns_us(each)]
    for attachment in wanted[:MOST_ATTACHMENTS]:
        _take(taken, attachment)
    if len(wanted) > MOST_ATTACHMENTS:
        taken.complain(Trouble.TOO_MANY)
    if not taken.reports and not taken.troubles:
        taken.complain(_why_nothing(mail))
    once = {each.content: each for each in reversed(taken.reports)}
    return Found(tuple(reversed(once.values())), tuple(taken.troubles))


def may_hold_csv(attachment: Attachment) -> bool:
    """Whether one in a store is worth fetching, by its name and type alone."""
    return _by_name(attachment) or _is_zip(attachment) or attachment.content_type in _PERHAPS_CSV


def _concerns_us(attachment: Attachment) -> bool:
    """A table or a zip by name, type or content, or what might hide one."""
    return may_hold_csv(attachment) or _is_sheet(attachment) or _is_winmail(attachment)


def _take(taken: _Taken, attachment: Attachment) -> None:
    content = attachment.content
    if _is_winmail(attachment):
        taken.complain(Trouble.WINMAIL)
    elif content is None:
        taken.complain(Trouble.UNREADABLE)
    elif len(content) > MOST_BYTES:
        taken.complain(Trouble.TOO_LARGE)
    elif _is_sheet(attachment):
        taken.complain(Trouble.SPREADSHEET)
    elif _is_zip(attachment):
        _unpack(taken, content)
    elif _by_name(attachment) or (not attachment.inline and looks_like_csv(content)):
        taken.reports.append(Report(attachment.name, content))


def _by_name(attachment: Attachment) -> bool:
    """A mail program may show a CSV inline: named as one it is one all the same."""
    return _suffix(attachment.name) == ".csv" or attachment.content_type in _CSV_TYPES


def _is_zip(attachment: Attachment) -> bool:
    named = _suffix(attachment.name) == ".zip" or attachment.content_type in _ZIP_TYPES
    return named or (attachment.content or b"").startswith(_PK)


def _is_winmail(attachment: Attachment) -> bool:
    return attachment.name.lower() == "winmail.dat" or attachment.content_type in (
        "application/ms-tnef",
        "application/vnd.ms-tnef",
    )


def _is_sheet(attachment: Attachment) -> bool:
    """By content where there is one: programs say vnd.ms-excel of a CSV as well, and name a workbook `.csv`."""
    content = attachment.content or b""
    if content.startswith(_OLE):
        return True
    if content.startswith(_PK):
        return _suffix(attachment.name) in _SHEETS or b"xl/workbook" in content
    named = _suffix(attachment.name) in _SHEETS or attachment.content_type.startswith(_SHEET_TYPES)
    return named and not looks_like_csv(content)


def _suffix(name: str) -> str:
    return PurePosixPath(name.strip().replace("\\", "/").lower()).suffix


def looks_like_csv(content: bytes) -> bool:
    """Text whose first line is cells: enough to put it before the header's rule, which decides (CM-21)."""
    start = content[:4096]
    text = start.decode("utf-16", "replace") if start[:2] in _BOMS else start.decode("utf-8", "replace")
    first = next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")
    return "\0" not in text and first.lstrip()[:1] not in ("<", "{", "%") and any(each in first for each in ",;\t")


# -- zips --------------------------------------------------------------------------------------------------------------


class _Stop(Exception):
    """A zip goes beyond a limit; nothing more of it is unpacked."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


def _unpack(taken: _Taken, content: bytes) -> None:
    """The CSVs of a zip, all or none of them: half a report must not pass for a whole one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            taken.reports += list(_entries(taken, archive))
    except _Stop as stop:
        taken.complain(stop.trouble)
    except _BROKEN_ZIP:
        taken.complain(Trouble.BROKEN_ZIP)


def _entries(taken: _Taken, archive: zipfile.ZipFile) -> Iterator[Report]:
    files = [each for each in archive.infolist() if not each.is_dir()]
    if len(files) > MOST_ENTRIES:
        raise _Stop(Trouble.ZIP_TOO_MANY)
    for each in files:
        path = PurePosixPath(each.filename.replace("\\", "/"))
        if path.suffix.lower() == ".csv" and not path.name.startswith(".") and "__MACOSX" not in path.parts:
            yield Report(path.name, b"".join(_counted(taken, archive, each)))
        elif path.suffix.lower() in _SHEETS:
            taken.complain(Trouble.SPREADSHEET)


def _counted(taken: _Taken, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes as they really unpack: what the zip says of its sizes is the sender's word."""
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            taken.unpacked += len(chunk)
            if taken.unpacked > MOST_UNPACKED:
                raise _Stop(Trouble.ZIP_TOO_LARGE)
            yield chunk


def _why_nothing(mail: Mail) -> Trouble:
    links = "http://" in mail.plain + mail.html or "https://" in mail.plain + mail.html
    return Trouble.LINK_ONLY if links and not _visible(mail.attachments) else Trouble.NO_CSV


def _visible(attachments: Sequence[Attachment]) -> Iterable[Attachment]:
    return [each for each in attachments if not each.inline]
