"""Writes a mail into the body of a request, in the three formats of CM-3; it sends nothing and changes nothing."""

import json
from base64 import encodebytes
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from changeover_sandbox.cloudmailin.mail import Attachment, Envelope, Mail, normalized
from changeover_sandbox.cloudmailin.orders import AttachmentKey, Format
from changeover_sandbox.cloudmailin.raw import message
from changeover_sandbox.world.chance import digest


@dataclass(frozen=True, slots=True)
class Rendered:
    """A request's body and its content type."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a form: with `file_name` or `content_type` a file's, else a field's."""

    name: str
    content: bytes
    file_name: bytes | None = None
    content_type: str | None = None

    def head(self) -> bytes:
        lines = [b'Content-Disposition: form-data; name="%s"' % _quoted(self.name.encode())]
        if self.file_name is not None:
            lines[0] += b'; filename="%s"' % _quoted(self.file_name)
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}".encode())
        return b"\r\n".join(lines)


def render(mail: Mail, wanted: Format) -> Rendered:
    """The request of this mail in this format; MessageError for a mail that no message can hold."""
    match wanted:
        case Format.JSON:
            text = json.dumps(_json(mail), ensure_ascii=False)
            return Rendered("application/json; charset=utf-8", text.encode())
        case Format.RAW:
            return _form([*_envelope(mail.envelope), _Part("message", message(mail))])
        case Format.MULTIPART:
            return _form([*_envelope(mail.envelope), *_headers(mail), *_bodies(mail), *_files(mail)])


def _form(parts: list[_Part]) -> Rendered:
    boundary = _boundary(parts)
    line = b"--" + boundary.encode()
    body = bytearray()
    for part in parts:
        body += b"%s\r\n%s\r\n\r\n" % (line, part.head())
        body += part.content
        body += b"\r\n"
    body += line + b"--\r\n"
    return Rendered(f"multipart/form-data; boundary={boundary}", bytes(body))


def _boundary(parts: Iterable[_Part]) -> str:
    """A line that stands in no part."""
    contents = [part.content for part in parts]
    turn = 0
    while True:
        boundary = f"----cloudmailinboundary{digest(turn, *map(len, contents))}"
        if not any(boundary.encode() in content for content in contents):
            return boundary
        turn += 1


def _quoted(name: bytes) -> bytes:
    """A name between quotation marks, as browsers write it (WHATWG)."""
    return name.replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b'"', b"%22")


def _envelope(envelope: Envelope) -> Iterator[_Part]:
    yield from _fields("envelope", _envelope_values(envelope))


def _envelope_values(envelope: Envelope) -> dict[str, JsonValue]:
    return {
        "to": envelope.to,
        "from": envelope.sender,
        "recipients": list(envelope.recipients),
        "helo_domain": envelope.helo_domain,
        "remote_ip": envelope.remote_ip,
        **envelope.blocks,
        "tls": envelope.tls,
    }


def _fields(name: str, value: JsonValue) -> Iterator[_Part]:
    """`name[key]` for each key of an object, `name[0]` for each item of a list, and so on inside."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _fields(f"{name}[{key}]", inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _fields(f"{name}[{place}]", inner)
    else:
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        yield _Part(name, text.encode())


def _headers(mail: Mail) -> Iterator[_Part]:
    yield from _fields("headers", dict(_header_values(mail)))


def _header_values(mail: Mail) -> Iterator[tuple[str, JsonValue]]:
    for name, values in mail.headers.items():
        yield normalized(name), values[0] if len(values) == 1 else list(values)


def _bodies(mail: Mail) -> Iterator[_Part]:
    for name, text in (("plain", mail.plain), ("html", mail.html)):
        if text is not None:
            yield _Part(name, text.encode())


def _files(mail: Mail) -> Iterator[_Part]:
    for place, attachment in enumerate(mail.attachments):
        if attachment.url is not None:
            yield from _stored(attachment)
            continue
        name = f"attachments[{place}]" if mail.attachment_key is AttachmentKey.NUMBERED else str(mail.attachment_key)
        file_name = attachment.file_name
        raw_name = None if file_name is None else file_name.encode(attachment.charset)
        yield _Part(name, attachment.content, raw_name, attachment.content_type)


def _stored(attachment: Attachment) -> Iterator[_Part]:
    """Repeated keys without a number: which belong together, only their order says."""
    for key, value in (
        ("file_name", attachment.file_name or ""),
        ("content_type", attachment.content_type),
        ("size", str(attachment.size)),
        ("url", attachment.url or ""),
    ):
        yield _Part(f"attachments[][{key}]", value.encode())


def _json(mail: Mail) -> dict[str, JsonValue]:
    bodies = {"plain": mail.plain, "html": mail.html}
    return {
        "headers": dict(_header_values(mail)),
        "envelope": _envelope_values(mail.envelope),
        **{name: text for name, text in bodies.items() if text is not None},
        "attachments": [_json_file(each) for each in mail.attachments],
    }


def _json_file(attachment: Attachment) -> dict[str, JsonValue]:
    file: dict[str, JsonValue] = {
        "file_name": attachment.file_name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "disposition": attachment.disposition,
    }
    if attachment.content_id is not None:
        file["content_id"] = attachment.content_id
    if attachment.url is not None:
        return file | {"url": attachment.url}
    # Lines of 76 characters, as base64 stands in mails (CM-4).
    return file | {"content": encodebytes(attachment.content).decode()}
