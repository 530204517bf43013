"""A mail as CloudMailin has taken it from a sending server: envelope, headers, bodies, files; not yet in any format."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr

from pydantic import JsonValue

from changeover_sandbox.cloudmailin.orders import AttachmentKey, AttachmentOrder, NameCharset, SendOrder, Spf
from changeover_sandbox.world.chance import digest

STORED_BYTES = 1024
"""Size of a file in a store when nobody says it."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of the mail; `url` instead of `content` when it lies in a store, no `file_name` when it has none."""

    file_name: str | None
    charset: NameCharset
    content_type: str
    content: bytes
    url: str | None
    size: int
    disposition: str
    content_id: str | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What was said on the wire before the mail itself; `blocks` are spf, dkim and dmarc as far as there are any."""

    to: str
    sender: str
    recipients: tuple[str, ...]
    helo_domain: str
    remote_ip: str
    blocks: Mapping[str, JsonValue]
    tls: bool = True


@dataclass(frozen=True, slots=True)
class Mail:
    """Everything the three formats write. `headers` have their usual names; a repeated one has several values."""

    envelope: Envelope
    headers: Mapping[str, tuple[str, ...]]
    plain: str | None
    html: str | None
    attachments: tuple[Attachment, ...]
    attachment_key: AttachmentKey


def mail_of(order: SendOrder, turn: int, now: datetime) -> Mail:
    """The mail of an order at its `turn`-th post: each comes over another server, with the same Message-ID (CM-25)."""
    server, address = f"mx{turn}.example.test", f"203.0.113.{turn % 254 + 1}"
    envelope = Envelope(
        to=order.to,
        sender=_address(order.sender),
        recipients=order.recipients if order.recipients is not None else (order.to,),
        helo_domain=server,
        remote_ip=address,
        blocks=_blocks(order),
    )
    date = format_datetime(now) if order.date is None else order.date
    headers = {
        "Return-Path": (_address(order.sender),),
        "Received": (f"from {server} ([{address}]) by cloudmailin.example.test; {format_datetime(now)}",),
        "Date": (date,),
        "From": (order.sender,),
        "To": (order.to,),
        "Message-ID": (order.message_id or f"<{digest('message', turn, now)}@example.test>",),
        "Subject": (order.subject,),
    }
    return Mail(
        envelope=envelope,
        headers=_headers(headers, order.headers),
        plain=order.plain,
        html=order.html,
        attachments=tuple(map(_attachment, order.attachments)),
        attachment_key=order.attachment_key,
    )


def normalized(name: str) -> str:
    """A header's name in both normalized formats (CM-3)."""
    return name.lower().replace("-", "_")


def _headers(
    own: Mapping[str, tuple[str, ...]], given: Mapping[str, str | tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Our headers, each but for one that was given, then the given ones."""
    names = {normalized(name) for name in given}
    kept = {name: values for name, values in own.items() if normalized(name) not in names}
    return kept | {name: (value,) if isinstance(value, str) else value for name, value in given.items()}


def _blocks(order: SendOrder) -> dict[str, JsonValue]:
    blocks: dict[str, JsonValue] = {}
    if order.spf is not None:
        spf = Spf(result=order.spf) if isinstance(order.spf, str) else order.spf
        domain = _address(order.sender).rpartition("@")[2] if spf.domain is None else spf.domain
        blocks["spf"] = {"result": spf.result, "domain": domain}
    if order.dkim is not None:
        blocks["dkim"] = order.dkim
    if order.dmarc is not None:
        blocks["dmarc"] = order.dmarc
    return blocks


def _attachment(order: AttachmentOrder) -> Attachment:
    content = order.content
    known = len(content) if order.url is None else STORED_BYTES
    return Attachment(
        file_name=order.file_name,
        charset=order.file_name_charset,
        content_type=order.content_type,
        content=content,
        url=order.url,
        size=known if order.size is None else order.size,
        disposition=order.disposition,
        content_id=order.content_id,
    )


def _address(mailbox: str) -> str:
    """The bare address of `Name <address>`."""
    return parseaddr(mailbox)[1]
