"""Packed bodies are unpacked within limits and must reach their end (P-9)."""

from __future__ import annotations

import gzip
import zlib

import pytest

from changeover.sources.ics import unpack as module
from changeover.sources.ics.unpack import TooMuch, Truncated, Unpacker

TEXT = b"BEGIN:VCALENDAR\r\n" + bytes(range(256)) * 40


def unpacked(encoding: str, body: bytes, size: int = 100) -> bytes:
    unpacker = Unpacker(encoding)
    for start in range(0, len(body), size):
        unpacker.take(body[start : start + size])
    return unpacker.finish()


def raw_deflate(text: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(text) + engine.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
)
@pytest.mark.parametrize("size", [3, 100, 100_000])
def test_every_encoding_gives_the_text_in_pieces_of_any_size(encoding: str, body: bytes, size: int) -> None:
    assert unpacked(encoding, body, size) == TEXT


def test_an_empty_packed_body_is_empty() -> None:
    assert unpacked("gzip", b"") == unpacked("deflate", b"") == b""


@pytest.mark.parametrize(
    "body",
    [gzip.compress(TEXT)[:-1], gzip.compress(TEXT)[:30], b"not packed at all"],
    ids=["end missing", "most missing", "not packed"],
)
def test_a_packed_body_that_is_cut_or_broken_is_truncated(body: bytes) -> None:
    with pytest.raises(Truncated):
        unpacked("gzip", body)


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(TooMuch, match="unknown encoding"):
        Unpacker("br")


def test_a_bomb_is_stopped_while_it_unpacks() -> None:
    with pytest.raises(TooMuch, match="packed too tightly"):
        unpacked("gzip", gzip.compress(bytes(50_000_000)))


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_body_over_the_limit_is_refused(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(TooMuch, match="too large"):
        unpacked(encoding, gzip.compress(TEXT) if encoding else TEXT)
