"""What a mail is once it is read, whatever format it came in; it is only data and holds no rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class NotAMail(Exception):
    """The bytes are no complete mail (CM-8, step 4); `reason` is a word that quotes none of them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Format(StrEnum):
    """The three ways a mail is written down (CM-3)."""

    MULTIPART = "multipart"
    JSON = "json"
    RAW = "raw"


class Verdict(StrEnum):
    """What an authentication of the sender came to; `none` where nobody tried."""

    PASS = "pass"  # noqa: S105 - a result, no password
    FAIL = "fail"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the sending server said. Addresses differ from the headers' where a mail was forwarded (CM-4)."""

    to: str
    sender: str = ""
    recipients: tuple[str, ...] = ()
    remote_ip: str = ""
    spf: str = ""  # its result in lower case: pass, fail, softfail … (CM-5)
    dkim: Verdict = Verdict.NONE
    dmarc: Verdict = Verdict.NONE


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attached file. `content` is None when it lies in a store under `url`, or cannot be decoded."""

    name: str
    content_type: str  # in lower case, without parameters
    content: bytes | None
    url: str | None = None
    size: int | None = None  # as announced, where it was
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail. Header names are folded: lower case, `_` for `-` (CM-4); every value of a repeated one, in order."""

    format: Format
    envelope: Envelope
    headers: Mapping[str, tuple[str, ...]]
    plain: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = field(default=())

    def header(self, name: str) -> str:
        """The first value of a header by its folded name; empty where there is none."""
        return next(iter(self.headers.get(name, ())), "")


def folded(name: str) -> str:
    """A header name as it is compared (CM-4)."""
    return name.strip().lower().replace("-", "_")
