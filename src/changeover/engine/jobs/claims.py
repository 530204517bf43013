"""One at work per row, over all processes of the environment (§7, JX-4); it knows no job."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from changeover.engine.lease import Lease, Locked
from changeover.store.database import Database

_LOOK_SECONDS = 0.1


class Busy(Exception):
    """Somebody else is at work on the row, and was for as long as this one would wait."""


@contextmanager
def claim(db: Database, record_id: str, patience: float, sleep: Callable[[float], None]) -> Iterator[Lease]:
    """Holds a row's jobs for the block. One whose process was killed does not hold it any more. Raises Busy."""
    lease = _acquired(db, record_id, monotonic() + patience, sleep)
    try:
        yield lease
    finally:
        lease.release()


def _acquired(db: Database, record_id: str, until: float, sleep: Callable[[float], None]) -> Lease:
    while True:
        try:
            return Lease.acquire(db, f"job:{record_id}", uuid.uuid4().hex)
        except Locked:
            if monotonic() >= until:
                raise Busy(record_id) from None
        sleep(_LOOK_SECONDS)
