"""The page of what was measured: a section for each benchmark, which is replaced by itself; it measures nothing."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench_model import Finding

_HEADING = re.compile(r"^## (\w+)$", re.MULTILINE)
_INTRODUCTION = """\
# Performance

Written by `scripts/bench`; `scripts/bench --only NAME` measures one part again and leaves the others as they are. Both
sides of a line ran in the same run. The aim is what the project holds itself to; a line that misses it stays here.
"""
_NOTHING = "Not measured yet.\n"


def with_section(page: str, about: Mapping[str, str], name: str, findings: Iterable[Finding]) -> str:
    """The page with this benchmark measured anew; `about` says of every benchmark, in the page's order, what it does.

    A section ends where the next one begins; those of benchmarks that are no more are left out.
    """
    sections = {**_sections(page), name: _section(findings)}
    parts = [_INTRODUCTION]
    for each, what in about.items():
        found = sections.get(each, _NOTHING)
        parts.append(f"## {each}\n\n{what}\n\n{found}")
    return "\n".join(parts)


def machine() -> str:
    """What all of it runs on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    model = names[0] if names else platform.machine()
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores of {model}, {system}"


def _section(findings: Iterable[Finding]) -> str:
    lines = [f"{_MEASURED}{datetime.now(UTC):%Y-%m-%d} on {machine()}.", ""]
    lines += ["| What | Ours | Against | Ratio | Aim |", "|---|---|---|---|---|"]
    lines += [f"| {f.what} | {f.ours} | {f.against} | {f.ratio} | {f.aim} |" for f in findings]
    return "\n".join((*lines, ""))


_MEASURED = "Measured "


def _sections(page: str) -> dict[str, str]:
    """What was found by benchmark, without what is said about it; nothing of one that was not measured."""
    _, *found = _HEADING.split(page)
    measured = {}
    for name, text in zip(found[::2], found[1::2], strict=True):
        _, begin, rest = text.partition(f"\n{_MEASURED}")
        if begin:
            measured[name] = f"{_MEASURED}{rest.rstrip()}\n"
    return measured
