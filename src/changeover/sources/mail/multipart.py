"""Takes a multipart form apart while it is read, without limits on fields or parts; it knows no mail (LB-24)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from werkzeug.datastructures import Headers
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from changeover.sources.mail.mail import NotAMail

_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form; `file_name` is None for a field."""

    name: str
    file_name: str | None
    headers: Headers
    content: bytes

    @property
    def content_type(self) -> str:
        """In lower case and without parameters; empty where the part does not say."""
        return parse_options_header(self.headers.get("Content-Type"))[0].lower()

    @property
    def text(self) -> str:
        """The content as text in the charset the part names, else UTF-8; what does not fit it is replaced."""
        charset = parse_options_header(self.headers.get("Content-Type"))[1].get("charset", "utf-8")
        try:
            return self.content.decode(charset, errors="replace")
        except (LookupError, ValueError):
            return self.content.decode(errors="replace")


def parts(file: BinaryIO, boundary: bytes, *, files: bool = True) -> Iterator[Part]:
    """The parts of a form in order; contents of file parts are left out unless `files`.

    Raises NotAMail when it is broken or ends before its closing boundary: a cut form must never pass for a short one.
    """
    head: Field | File | None = None
    content = bytearray()
    for event in _events(file, boundary):
        if isinstance(event, Field | File):
            head, content = event, bytearray()
        elif isinstance(event, Data) and head is not None:
            is_file = isinstance(head, File)
            if files or not is_file:
                content += event.data
            if not event.more_data:
                yield Part(
                    head.name or "", head.filename if isinstance(head, File) else None, head.headers, bytes(content)
                )


def _events(file: BinaryIO, boundary: bytes) -> Iterator[Event]:
    decoder = _Decoder(boundary)
    try:
        while True:
            event = decoder.next_event()
            if isinstance(event, Epilogue):
                return
            if isinstance(event, NeedData):
                decoder.receive_data(file.read(_CHUNK) or None)
            else:
                yield event
    except ValueError:  # the decoder's own words quote the form
        raise NotAMail("broken form") from None


class _Decoder(MultipartDecoder):
    """Some senders write file names in Latin-1 (CM-27); the decoder itself takes UTF-8 only."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        try:
            return super()._parse_headers(data)
        except UnicodeDecodeError:
            return super()._parse_headers(bytes(data).decode("latin-1").encode())
