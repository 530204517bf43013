"""Tells at a glance that a form is a mail, as nearly every one is (CM-8, step 4); it says no to nothing."""

from __future__ import annotations

import re

from werkzeug.http import parse_options_header

_FIELD = rb'\r\nContent-Disposition: form-data; name="([a-z_]+(?:\[[a-z0-9_]*\])*)"'
_HEAD = re.compile(_FIELD + rb"((?:; filename=[\x20-\x7e]*)?(?:\r\nContent-[A-Za-z-]+: [\x20-\x7e]*)*)")
_TO = b"envelope[to]"
_ANY_OF = frozenset({b"headers[from]", b"headers[subject]", b"headers[message_id]"})
_ELSEWHERE = frozenset({b"message", b"envelope", b"headers"})  # a mail that has these is to be looked for in them


def is_evident(body: bytes, content_type: str) -> bool:
    """True only for a whole form that `read` would take for a mail without doubt; False says nothing.

    Its parts are split at the boundary, and only plainly written heads pass: reading costs ten times as much.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data" or not boundary or not boundary.isascii():
        return False
    delimiter = b"\r\n--" + boundary.encode()
    preamble, *parts = (b"\r\n" + body).split(delimiter)
    if preamble or not parts or parts.pop() not in (b"--", b"--\r\n"):
        return False
    return _names_a_mail(parts)


def _names_a_mail(parts: list[bytes]) -> bool:
    """Whether `envelope[to]` stands there once, and one of the headers; False too for a head that is not plain."""
    addressed = headed = False
    for part in parts:
        head, ended, content = part.partition(b"\r\n\r\n")
        plain = _HEAD.fullmatch(head) if ended else None
        if plain is None or plain[1] in _ELSEWHERE:
            return False
        name, says_something = plain[1], not plain[2] and bool(content.strip())
        if name.startswith(_TO):
            if name != _TO or addressed or not says_something:
                return False
            addressed = True
        headed = headed or (says_something and name in _ANY_OF)
    return addressed and headed
