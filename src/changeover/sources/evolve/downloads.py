"""A tab's download folder: when its one file is whole, and whether it is that tab's (R-78); it drives no browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from changeover.sources.csv.read import MAX_BYTES, recognise
from changeover.sources.csv.suppliers import Shape, Supplier
from changeover.sources.evolve.visit import PortalFailure, Tab

_PARTS = (".crdownload", ".part", ".tmp")
_LOOK_SECONDS = 0.4
_TITLES = {Shape.EVOLVE_TAB1: Tab.ONE.title, Shape.EVOLVE_TAB2: Tab.TWO.title, Shape.ITRIP: "iTrip's report"}


class BadDownload(PortalFailure):
    """What was downloaded is not the one file that was wanted."""

    def __init__(self, text: str) -> None:
        super().__init__("bad_download", text)


def collect(folder: Path, seconds: float, sleep: Callable[[float], None]) -> bytes:
    """Waits for the one finished CSV of a folder and reads it. Raises BadDownload."""
    until, before = time.monotonic() + seconds, sizes(folder)
    while time.monotonic() < until:
        sleep(_LOOK_SECONDS)
        now = sizes(folder)
        name = finished(before, now)
        if name is not None:
            return (folder / name).read_bytes()
        before = now
    raise BadDownload(f"{_left(before)} within {seconds:.0f} s")


def sizes(folder: Path) -> dict[str, int]:
    """Every file of the folder with its size; one that vanishes meanwhile is left out."""
    found: dict[str, int] = {}
    for path in folder.iterdir():
        try:
            found[path.name] = path.stat().st_size
        except FileNotFoundError:
            continue
    return found


def finished(before: Mapping[str, int], now: Mapping[str, int]) -> str | None:
    """The one CSV, when its size is what it was at the last look and nothing is still being written (R-78).

    Raises BadDownload for two of them: nobody can say which is meant.
    """
    whole = [name for name in now if name.lower().endswith(".csv") and not _is_part(name)]
    if len(whole) > 1:
        raise BadDownload(f"{len(whole)} files came in place of one")
    if not whole or any(map(_is_part, now)):
        return None
    (name,) = whole
    return name if 0 < now[name] == before.get(name) else None


def verified(raw: bytes, tab: Tab, suppliers: Sequence[Supplier]) -> bytes:
    """The bytes, when their header is that of this very tab. Raises BadDownload (R-78)."""
    if len(raw) > MAX_BYTES:
        raise BadDownload("the file is too large")
    supplier = recognise(raw, suppliers)
    if supplier is None:
        raise BadDownload("the file has a header that is not known")
    if supplier.shape is not tab.shape:
        raise BadDownload(f"the file is {_TITLES[supplier.shape]}")
    return raw


def _is_part(name: str) -> bool:
    return name.lower().endswith(_PARTS) or name.startswith(".")


def _left(now: Mapping[str, int]) -> str:
    if not now:
        return "no file came"
    return "the download did not end" if any(map(_is_part, now)) else "no finished CSV file came"
