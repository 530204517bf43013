"""Tells this process from every other and whether another one on this host is gone; it ends none."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from changeover.store.leases import Holder

_PROC = Path("/proc")
_ENDED = ("Z", "X")  # a zombie runs no more: only its parent has not looked yet


def host_name() -> str:
    """This machine's name. Machines that share a database must have different ones (C-4)."""
    return socket.gethostname()


def this_process(run: str) -> Holder:
    """This process as the holder of something, in the middle of a run."""
    pid = os.getpid()
    return Holder(run, host_name(), pid, started(pid) or "")


def started(pid: int, proc: Path = _PROC) -> str | None:
    """Boot and clock tick at which a process of this host began; None when it runs no more, or /proc cannot say."""
    try:
        stat = (proc / str(pid) / "stat").read_text()
        boot = (proc / "sys/kernel/random/boot_id").read_text()
    except OSError:
        return None
    # The second field is the command in brackets and may hold anything; field 3 is the state, 22 the start.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in _ENDED else f"{boot[:8]}:{fields[19]}"


def is_gone(holder: Holder, proc: Path = _PROC) -> bool:
    """True when the holder was a process of this host that has ended. False for any doubt: then its lease expires."""
    if holder.host != host_name() or not holder.started or not (proc / "self/stat").exists():
        return False
    return started(holder.pid, proc) != holder.started
