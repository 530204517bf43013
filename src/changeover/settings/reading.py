"""Reads one environment's settings as plain text by name; it never judges a value and never exports one."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

FILE = "_FILE"


class EnvironmentName(StrEnum):
    """The two environments. They share code and nothing else."""

    DEV = "dev"
    PROD = "prod"

    @property
    def other(self) -> EnvironmentName:
        return EnvironmentName.PROD if self is EnvironmentName.DEV else EnvironmentName.DEV

    @property
    def suffix(self) -> str:
        return f"_{self.upper()}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration: the setting's name and what is wrong, never its value (S-2)."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


class ConfigurationError(Exception):
    """The configuration cannot be used; `problems` lists everything wrong at once (S-2). Exit code 4."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an environment's settings are looked for: the folder of env files and the process's own variables."""

    config: Path
    process: Mapping[str, str]

    def file(self, environment: EnvironmentName) -> Path:
        return self.config / f"{environment}.env"


@dataclass(frozen=True, slots=True)
class Given:
    """What was found: values by plain name, names nobody knows, and what could not be read."""

    values: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def read(environment: EnvironmentName, place: Place, names: Collection[str], secrets: Collection[str]) -> Given:
    """The values of `names` from the env file, overridden by process variables `NAME_DEV`/`NAME_PROD`.

    A name of `secrets` may be given as `NAME_FILE`, the path of a file that holds the value (S-7); relative paths
    start at the folder of the env file. Raises PermissionError when the env file exists and may not be read.
    """
    written, problems = _env_file(place.file(environment))
    known = {*names, *(name + FILE for name in secrets)}
    values = {name: text for name, text in written.items() if name in known}
    for name in known:
        override = place.process.get(name + environment.suffix)
        if override is not None:
            values.pop(name.removesuffix(FILE) if name.endswith(FILE) else name + FILE, None)
    values |= {name: place.process[key] for name in known if (key := name + environment.suffix) in place.process}
    resolved, more = _resolve(values, secrets, place.config)
    return Given(resolved, tuple(sorted(set(written) - known)), (*problems, *more))


def foreign(environment: EnvironmentName, process: Mapping[str, str], names: Collection[str]) -> tuple[str, ...]:
    """Process variables that carry the other environment's suffix; they are dropped at start and reported (S-5)."""
    suffix = environment.other.suffix
    known = {form + suffix for name in names for form in (name, name + FILE)}
    return tuple(sorted(known & set(process)))


def _env_file(path: Path) -> tuple[dict[str, str], list[Problem]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, []
    except (UnicodeDecodeError, IsADirectoryError):
        return {}, [Problem(path.name, "is not a text file in UTF-8")]
    problems = [
        Problem(path.name, f"line {binding.original.line} is not of the form NAME=value")
        for binding in parse_stream(io.StringIO(text))
        if binding.error or (binding.key and binding.value is None)
    ]
    # Without interpolation: a `$` in a password is a `$`, and nothing of the process leaks in.
    found = dotenv_values(stream=io.StringIO(text), interpolate=False) if not problems else {}
    return {name: value for name, value in found.items() if value is not None}, problems


def _resolve(values: Mapping[str, str], secrets: Collection[str], config: Path) -> tuple[dict[str, str], list[Problem]]:
    resolved = {name: text.strip() for name, text in values.items()}
    problems: list[Problem] = []
    for name in secrets:
        path = resolved.pop(name + FILE, "")
        if not path:
            continue
        if resolved.get(name):
            problems.append(Problem(name, f"is given twice, as {name} and as {name}{FILE}"))
            continue
        try:
            resolved[name] = (config / path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            problems.append(Problem(name + FILE, "names a file that cannot be read"))
    return resolved, problems
