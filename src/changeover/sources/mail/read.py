"""Reads a mail as the mail service posted it: three formats, one result (CM-3, CM-4); it judges nobody."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

from werkzeug.http import parse_options_header

from changeover.sources.mail.mail import Attachment, Envelope, Format, Mail, NotAMail, Verdict, folded
from changeover.sources.mail.message import header_text, take_apart, words
from changeover.sources.mail.multipart import Part, parts

Tree: TypeAlias = "str | int | float | bool | Sequence[Tree] | Mapping[str, Tree] | None"

_ANY_OF = ("from", "subject", "message_id")
_NAME = re.compile(r"^[^\[\]]+")
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_DEEPEST = 4  # envelope[recipients][0] is three
_MOST_DIGITS = 18
_STORED_KEYS = frozenset({"file_name", "content_type", "size", "url", "disposition", "content_id"})
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # how UTF-16 begins
_NO = frozenset({"false", "0", "no"})
_YES = frozenset({"true", "1", "yes"})


def read(path: Path, content_type: str, *, contents: bool = True) -> Mail:
    """The mail in a file; without its attachments unless `contents`. Raises NotAMail (CM-8, step 4), and OSError.

    The content type may be missing: then the first bytes tell the format.
    """
    with path.open("rb") as file:
        return read_from(file, content_type, contents=contents)


def read_from(file: BinaryIO, content_type: str, *, contents: bool = True) -> Mail:
    """As `read`, from a file that is open at its beginning."""
    kind, boundary = _kind(file, content_type)
    if kind is Format.JSON:
        return _checked(_document(file.read(), contents=contents))
    return _checked(_form(parts(file, boundary, files=contents), contents=contents))


def _kind(file: BinaryIO, content_type: str) -> tuple[Format, bytes]:
    """Whether it is a form or a document, and the form's boundary."""
    name, options = parse_options_header(content_type)
    if name.lower() == "multipart/form-data" and options.get("boundary"):
        return Format.MULTIPART, options["boundary"].encode()
    start = file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    if name.lower() == "application/json" or start.startswith(b"{"):
        return Format.JSON, b""
    boundary = start.splitlines()[0].rstrip() if start else b""
    if not boundary.startswith(b"--") or len(boundary) < len(b"--x"):
        raise NotAMail("unknown format")
    return Format.MULTIPART, boundary[2:]


def _checked(mail: Mail) -> Mail:
    if not mail.envelope.to:
        raise NotAMail("no envelope")
    if not any(mail.headers.get(name) for name in _ANY_OF):
        raise NotAMail("no header")
    return mail


# -- forms -------------------------------------------------------------------------------------------------------------


def _form(found: Iterator[Part], *, contents: bool) -> Mail:
    tree: dict[str, Tree] = {}
    attachments: list[Attachment] = []
    stored = _Stored()
    message: bytes | None = None
    for part in found:
        name, *rest = _path(part.name)
        if part.file_name is not None and name != "message":
            attachments += [_file(part)] if name == "attachments" and contents else []
        elif name == "message" and not rest:
            message = part.content
        elif name == "attachments":
            if rest and rest[-1] in _STORED_KEYS:
                stored.take(rest, part.text)
            elif contents and part.content_type not in ("", "text/plain"):
                attachments.append(_file(part))
        else:
            _put(tree, (name, *rest), part.text)
    attachments += stored.all() if contents else []
    return _mail(tree, Format.MULTIPART, tuple(attachments), message, contents=contents)


def _path(key: str) -> tuple[str, ...]:
    """`envelope[recipients][0]` as its names."""
    name = _NAME.match(key)
    return (name[0].strip().lower() if name else "", *_BRACKETS.findall(key))


def _put(tree: dict[str, Tree], path: Sequence[str], value: str) -> None:
    """Sets a leaf; one that is there already becomes a list. What lies deeper than any mail goes is left out."""
    if len(path) > _DEEPEST:
        return
    here = tree
    for name in path[:-1]:
        below = here.setdefault(name, {})
        if not isinstance(below, dict):
            return
        here = below
    before = here.get(path[-1])
    if before is None:
        here[path[-1]] = value
    elif isinstance(before, list):
        before.append(value)
    elif not isinstance(before, Mapping):
        here[path[-1]] = [before, value]


def _file(part: Part) -> Attachment:
    return Attachment(
        name=words(part.file_name or ""),
        content_type=part.content_type,
        content=part.content,
        size=len(part.content),
        inline="Content-ID" in part.headers,
    )


class _Stored:
    """Attachments in a store: their keys repeat, in order, and the next one begins where a key comes again (CM-3)."""

    def __init__(self) -> None:
        self._found: list[dict[str, Tree]] = []
        self._by_number: dict[str, dict[str, Tree]] = {}

    def take(self, path: Sequence[str], value: str) -> None:
        number, key = "".join(path[:-1]), path[-1]
        if number:
            here = self._by_number.get(number)
        else:
            here = self._found[-1] if self._found and key not in self._found[-1] else None
        if here is None:
            here = {}
            self._found.append(here)
            self._by_number[number] = here
        here[key] = value

    def all(self) -> list[Attachment]:
        return [_listed(each) for each in self._found]


# -- documents ---------------------------------------------------------------------------------------------------------


def _document(body: bytes, *, contents: bool) -> Mail:
    tree = _parsed(body)
    listed = tree.get("attachments")
    entries = listed.values() if isinstance(listed, Mapping) else listed
    found = entries if contents and entries is not None and not isinstance(entries, str | int | float) else ()
    attachments = tuple(_listed(each) for each in found if isinstance(each, Mapping))
    message = tree.get("message")
    raw = message.encode("utf-8", "surrogatepass") if isinstance(message, str) else None
    return _mail(tree, Format.JSON, attachments, raw, contents=contents)


def _parsed(body: bytes) -> Mapping[str, Tree]:
    try:
        text = body.decode("utf-8-sig", errors="replace") if body[:2] not in _WIDE else body.decode("utf-16")
        tree = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAMail("broken document") from None
    if not isinstance(tree, dict):
        raise NotAMail("broken document")
    return tree


def _listed(entry: Mapping[str, Tree]) -> Attachment:
    content = entry.get("content")
    return Attachment(
        name=words(_text(entry.get("file_name"))),
        content_type=parse_options_header(_text(entry.get("content_type")))[0].lower(),
        content=_from_base64(content) if isinstance(content, str) else None,
        url=_text(entry.get("url")) or None,
        size=_number(entry.get("size")),
        inline=_text(entry.get("disposition")).lower() == "inline" or bool(_text(entry.get("content_id"))),
    )


def _from_base64(text: str) -> bytes | None:
    """Line breaks are allowed (CM-4); None for what is no base64."""
    packed = "".join(text.split())
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _number(value: Tree) -> int | None:
    """A size as it was announced, a number or its digits."""
    text = _text(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


# -- what forms and documents share ------------------------------------------------------------------------------------


def _mail(
    tree: Mapping[str, Tree],
    kind: Format,
    attachments: tuple[Attachment, ...],
    message: bytes | None,
    *,
    contents: bool,
) -> Mail:
    envelope = _envelope(_branch(tree, "envelope"))
    if message is not None:
        taken = take_apart(message, contents=contents)
        return Mail(Format.RAW, envelope, taken.headers, taken.plain, taken.html, taken.attachments)
    plain, html = _text(tree.get("plain")), _text(tree.get("html"))
    return Mail(kind, envelope, _headers(_branch(tree, "headers")), plain, html, attachments)


def _headers(branch: Mapping[str, Tree]) -> dict[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in branch.items():
        headers[folded(name)] = (*headers.get(folded(name), ()), *(header_text(name, each) for each in _texts(value)))
    return headers


def _envelope(branch: Mapping[str, Tree]) -> Envelope:
    spf = branch.get("spf")
    return Envelope(
        to=_text(branch.get("to")),
        sender=_text(branch.get("from")),
        recipients=_texts(branch.get("recipients")),
        remote_ip=_text(branch.get("remote_ip")),
        spf=_text(spf.get("result") if isinstance(spf, Mapping) else spf).lower(),
        dkim=_verdict(branch.get("dkim")),
        dmarc=_verdict(branch.get("dmarc")),
    )


def _verdict(block: Tree) -> Verdict:
    """What a block says by `success`, of several signatures the worst (CM-18)."""
    said = {_text(value).lower() for name, value in _leaves(block) if name == "success"}
    if said & _NO:
        return Verdict.FAIL
    return Verdict.PASS if said & _YES else Verdict.NONE


def _branch(tree: Mapping[str, Tree], name: str) -> Mapping[str, Tree]:
    found = tree.get(name)
    return found if isinstance(found, Mapping) else {}


def _texts(value: Tree) -> tuple[str, ...]:
    """Every text below, in order."""
    return tuple(text for _, leaf in _leaves(value) if (text := _text(leaf)))


def _leaves(value: Tree) -> Iterator[tuple[str, Tree]]:
    """Every value below with the name it has, in order; without recursion, as anyone may nest as deep as he likes."""
    waiting: list[tuple[str, Tree]] = [("", value)]
    while waiting:
        name, here = waiting.pop()
        if isinstance(here, Mapping):
            waiting += reversed(list(here.items()))
        elif isinstance(here, Sequence) and not isinstance(here, str):
            waiting += reversed([(name, each) for each in here])
        else:
            yield name, here


def _text(value: Tree) -> str:
    """A leaf as text; halves of characters, which JSON allows and nothing else takes, are replaced."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
