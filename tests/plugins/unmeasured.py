"""The variables of this process for those it starts whose lines others visit too: tracing them only takes time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_TRACING = "COVERAGE_"


def unmeasured() -> dict[str, str]:
    """Without what has the lines of a child counted."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_TRACING)}


@contextmanager
def measuring_nothing() -> Iterator[None]:
    """While it lasts no process that is started here has its lines counted."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_TRACING)}
    yield
    os.environ.update(kept)
