"""Where stays come from: every source reads one outside place and ends in a Batch; it never decides what becomes of it.

A new source is a folder here and a line in `REGISTRY`; the conformance tests of the sources then run on it.
"""

from __future__ import annotations

from typing import Protocol

from changeover.core.stay import Batch

REGISTRY: dict[str, str] = {
    "csv": "changeover.sources.csv.observe",
    "ics": "changeover.sources.ics.observe",
}


class Observed(Protocol):
    """What reading one unit of a source gave: a feed, a supplier's files, a tab of the portal.

    `batch` is None when nothing can be said of its stays; `cause` is safe to show to people (R-76): no URL, no name.
    """

    @property
    def batch(self) -> Batch | None: ...

    @property
    def cause(self) -> str: ...
