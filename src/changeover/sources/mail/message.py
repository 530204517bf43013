"""Takes a message as it went over the wire (RFC 5322) apart: headers, texts, attachments; whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import collapse_rfc2231_value
from typing import cast

from changeover.sources.mail.mail import Attachment, folded

_ADDRESSES = frozenset({"from", "to", "cc", "sender", "reply_to"})
_DEEPEST = 30  # multiparts within multiparts; a person's mail has four


@dataclass(frozen=True, slots=True)
class Taken:
    """The pieces of a message."""

    headers: dict[str, tuple[str, ...]]
    plain: str
    html: str
    attachments: tuple[Attachment, ...]


def take_apart(raw: bytes, *, contents: bool = True) -> Taken:
    """The pieces of a message; none of its attachments unless `contents`."""
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in BytesHeaderParser().parsebytes(raw).raw_items():
        headers[folded(name)] = (*headers.get(folded(name), ()), header_text(name, value))
    texts = {"text/plain": "", "text/html": ""}
    attachments: list[Attachment] = []
    for part in _parts(raw) if contents else ():
        name, kind = _file_name(part), part.get_content_type()
        if kind in texts and not name and part.get_content_disposition() != "attachment":
            texts[kind] = texts[kind] or _text(part)
        else:
            attachments.append(_attachment(part, name, kind))
    return Taken(headers, texts["text/plain"], texts["text/html"], tuple(attachments))


def header_text(name: str, value: object) -> str:
    """A header's value as text. Addresses keep their encoded words: decoded, a name could pass for an address."""
    return _plain(value) if folded(name) in _ADDRESSES else words(value)


def words(value: object) -> str:
    """A header's value with its encoded words decoded; one that cannot be stays as it stands."""
    text = _plain(value)
    if "=?" not in text:
        return text
    try:
        return "".join(
            piece if isinstance(piece, str) else _decoded(piece, charset) for piece, charset in decode_header(text)
        )
    except (MessageError, ValueError):
        return text


def _parts(raw: bytes) -> list[Message]:
    """Its parts; none of a message that nests deeper than its parser goes, whose headers are still its headers."""
    try:
        return list(_leaves(message_from_bytes(raw)))
    except RecursionError:
        return []


def _leaves(message: Message, depth: int = 0) -> Iterator[Message]:
    """The parts that are no multipart; a message within the message is one of them, as it is when normalized."""
    if not message.is_multipart() or message.get_content_maintype() != "multipart":
        yield message
        return
    inner = cast("list[Message]", message.get_payload())  # what a multipart's payload is
    for part in inner if depth < _DEEPEST else ():
        yield from _leaves(part, depth + 1)


def _attachment(part: Message, name: str, kind: str) -> Attachment:
    content = _content(part)
    return Attachment(name, kind, content, size=len(content), inline=part.get_content_disposition() == "inline")


def _content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message) -> str:
    return _decoded(_content(part), part.get_content_charset())


def _decoded(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(charset or "utf-8", errors="replace")
    except (LookupError, ValueError):  # a charset nobody knows, or one that is no name at all
        return content.decode(errors="replace")


def _file_name(part: Message) -> str:
    try:
        found = part.get_param("filename", None, "content-disposition") or part.get_param("name", None, "content-type")
        return words(collapse_rfc2231_value(found)) if found else ""
    except ValueError:  # a continuation whose number has thousands of digits, a charset that is no name
        return ""


def _plain(value: object) -> str:
    """In one line. Bytes that are no text come out of the parser as halves of characters, which nothing else takes."""
    return " ".join(str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())
