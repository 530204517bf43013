"""Unpacks a body while it streams and stops at what no calendar needs (P-9); it knows no network."""

from __future__ import annotations

import zlib

MAX_BYTES = 10_000_000
MAX_RATIO = 100
_ZLIB_DEFLATE = 8


class TooMuch(Exception):
    """A body that will not be unpacked any further; the message says why and is safe to show."""


class Truncated(Exception):
    """A packed body that is broken or does not reach its end."""


class Unpacker:
    """Unpacks gzip and deflate as it comes and stops at what no calendar needs (P-9)."""

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise TooMuch("unknown encoding")
        self._packed_by = "" if name in ("", "identity") else name
        self._engine = self._new_engine(b"") if self._packed_by.endswith("gzip") else None
        self._out = bytearray()
        self._packed = 0

    def take(self, chunk: bytes) -> None:
        """Adds received bytes. Raises TooMuch, Truncated."""
        self._packed += len(chunk)
        if not self._packed_by:
            self._out += chunk
            self._check()
            return
        if self._engine is None:
            self._engine = self._new_engine(chunk)
        try:
            self._unpack(self._engine, chunk)
        except zlib.error:
            raise Truncated from None

    def finish(self) -> bytes:
        """The whole body. Raises Truncated when the packed stream is not at its end."""
        if self._engine is not None and self._packed and not self._engine.eof:
            raise Truncated
        return bytes(self._out)

    def _unpack(self, engine: zlib._Decompress, chunk: bytes) -> None:
        rest = chunk
        while rest:
            if engine.eof:  # a gzip body may hold several members
                engine = self._engine = self._new_engine(rest)
            self._out += engine.decompress(rest, MAX_BYTES + 1 - len(self._out))
            self._check()
            rest = engine.unconsumed_tail or engine.unused_data

    def _new_engine(self, head: bytes) -> zlib._Decompress:
        if self._packed_by.endswith("gzip"):
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        # Some servers send deflate without the zlib header that the standard asks for.
        has_header = len(head) > 1 and head[0] & 0x0F == _ZLIB_DEFLATE and (head[0] << 8 | head[1]) % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)

    def _check(self) -> None:
        if len(self._out) > MAX_BYTES:
            raise TooMuch("too large")
        if self._packed_by and len(self._out) > self._packed * MAX_RATIO:
            raise TooMuch("packed too tightly")
