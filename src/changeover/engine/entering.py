"""Has something from outside stored by the one writer of its process, or says that it is not taken; it judges none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from changeover.engine.raw_mails import NotTaken, Reason
from changeover.store.writer import Busy, Closed, Unsure, Writer

T = TypeVar("T")


def enter(writer: Writer, work: Callable[[Connection], T]) -> T:
    """What `work` answers, once what it has written is durable. Raises NotTaken: then nobody need know that it came."""
    try:
        return writer.submit(work)
    except (Busy, Unsure) as failure:
        raise NotTaken(Reason.DATABASE) from failure
    except Closed as failure:
        raise NotTaken(Reason.STOPPING) from failure
