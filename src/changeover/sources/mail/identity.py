"""Which mails are copies of one another, whatever way each of them took (CM-13, CM-14); it remembers none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from changeover.sources.mail.mail import Attachment, Mail


def report_key(mail: Mail) -> str:
    """64 hex digits, the same for the same report: Message-ID and attachments, without an id all that people wrote.

    Attachments in a store must have been fetched: their addresses differ between copies.
    """
    digests = sorted({_digest_of(each) for each in mail.attachments})
    message_id = mail.header("message_id").strip()
    if message_id:
        return _digest("id", message_id, *digests)
    written = (mail.header("from"), mail.header("subject"), mail.header("date"), mail.plain, mail.html)
    return _digest("text", *written, *digests)


def message_digest(mail: Mail) -> str:
    """16 hex digits of the Message-ID, to find a mail by without keeping its id; empty where it has none."""
    message_id = mail.header("message_id").strip()
    return _digest("id", message_id)[:16] if message_id else ""


def _digest_of(attachment: Attachment) -> str:
    content = attachment.content if attachment.content is not None else (attachment.url or attachment.name).encode()
    return hashlib.sha256(content).hexdigest()


def _digest(*pieces: str) -> str:
    return hashlib.sha256(_joined(pieces)).hexdigest()


def _joined(pieces: Iterable[str]) -> bytes:
    """Each piece with its length before it, so that no two lists of pieces read the same."""
    return b"".join(b"%d:%b" % (len(each), each) for each in (piece.encode(errors="replace") for piece in pieces))
