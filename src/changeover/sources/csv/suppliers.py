"""What each supplier's report looks like, from `config/suppliers/*.toml`; it reads no report."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from changeover.core.stay import Source, Window, WindowEdge

FILES = ("suppliers/itrip.toml", "suppliers/evolve_tab1.toml", "suppliers/evolve_tab2.toml")


class Shape(StrEnum):
    """The forms of report we can read; each has its own rules for a row."""

    ITRIP = "itrip"
    EVOLVE_TAB1 = "evolve_tab1"
    EVOLVE_TAB2 = "evolve_tab2"


# What a row of a shape cannot do without. Every such column is in the signature, so that no file lacks it.
_NEEDED: Mapping[Shape, frozenset[str]] = {
    Shape.ITRIP: frozenset({"id", "property", "check_in", "check_out", "guest", "owner"}),
    Shape.EVOLVE_TAB1: frozenset({"id", "listing", "check_in", "check_out"}),
    Shape.EVOLVE_TAB2: frozenset({"id", "address", "owner", "status", "check_in", "check_out", "guest"}),
}


class BadSupplier(ValueError):
    """A supplier's file cannot be used; the message names it and what is wrong."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days relative to a report's, both ends included."""

    first: int
    last: int

    def around(self, day: date) -> tuple[date, date]:
        return day + timedelta(days=self.first), day + timedelta(days=self.last)


class Authentication(StrEnum):
    """What a mail's sender must have proved: something, nothing that failed, nothing at all (CM-18)."""

    PASS = "pass"  # noqa: S105 - a result, no password
    NOT_FAIL = "not-fail"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class MailRule:
    """Which mails are this supplier's (CM-16); substrings in lower case, an empty one fits any subject."""

    from_contains: str
    subject_contains: str = ""
    authentication: Authentication = Authentication.NOT_FAIL
    expected_every: timedelta | None = None  # how often one is expected at the least (CM-23)


@dataclass(frozen=True, slots=True)
class Supplier:
    """One form of report: how its header is known (R-13), what its columns mean, what it would show (R-2, R-3)."""

    shape: Shape
    source: Source
    signature: frozenset[str]
    columns: Mapping[str, str]
    edge: WindowEdge
    window_days: Days
    filter_days: Days | None = None  # check-outs outside mean that the export was not filtered
    statuses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    mail: MailRule | None = None

    @property
    def key(self) -> str:
        return self.source.key

    def window(self, report_day: date) -> Window:
        """The claimed window of a report of this day."""
        return Window(self.edge, *self.window_days.around(report_day))


class _Days(BaseModel):
    model_config = ConfigDict(extra="forbid")

    first: int
    last: int

    @model_validator(mode="after")
    def _in_order(self) -> _Days:
        if self.first > self.last:
            raise ValueError("first comes after last")
        return self


class _Window(_Days):
    edge: WindowEdge


class _Mail(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_contains: str = Field(min_length=1)
    subject_contains: str = ""
    attachments: Literal["csv"] = "csv"
    authentication: Authentication = Authentication.NOT_FAIL
    expected_every_hours: float | None = Field(None, gt=0, le=24 * 366)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    shape: Shape
    key: str = Field(pattern=r"^\w+$")
    entry_source: str = Field(min_length=1)
    name: str = Field(min_length=1)
    signature: frozenset[str] = Field(min_length=1)
    columns: dict[str, str]
    window: _Window
    filter: _Days | None = None
    statuses: dict[str, frozenset[str]] = {}
    mail: _Mail | None = None

    @model_validator(mode="after")
    def _names_what_is_needed(self) -> _File:
        needed = _NEEDED[self.shape]
        if missing := sorted(needed - self.columns.keys()):
            message = f"columns: {', '.join(missing)} missing"
            raise ValueError(message)
        if loose := sorted(name for name in needed if self.columns[name] not in self.signature):
            message = f"signature: lacks the columns {', '.join(loose)}"
            raise ValueError(message)
        return self


def load(paths: Iterable[Path]) -> tuple[Supplier, ...]:
    """The suppliers of these files, one per shape. Raises BadSupplier, and OSError for what cannot be opened."""
    suppliers = tuple(_load(path) for path in paths)
    if {each.shape for each in suppliers} != set(Shape) or len(suppliers) != len(Shape):
        raise BadSupplier(f"suppliers: exactly one file for each of {', '.join(Shape)}")
    return suppliers


def _load(path: Path) -> Supplier:
    try:
        return _supplier(_File.model_validate(tomllib.loads(path.read_text("utf-8"))))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".lstrip(": ") for fault in error.errors()]
        raise BadSupplier(f"{path.name}: {'; '.join(faults)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSupplier(f"{path.name}: {error}") from None


def _supplier(file: _File) -> Supplier:
    return Supplier(
        shape=file.shape,
        source=Source(file.key, file.key, file.entry_source, file.name),
        signature=file.signature,
        columns=file.columns,
        edge=file.window.edge,
        window_days=Days(file.window.first, file.window.last),
        filter_days=Days(file.filter.first, file.filter.last) if file.filter else None,
        statuses=file.statuses,
        mail=_mail_rule(file.mail) if file.mail else None,
    )


def _mail_rule(mail: _Mail) -> MailRule:
    hours = mail.expected_every_hours
    return MailRule(
        from_contains=mail.from_contains.casefold(),
        subject_contains=mail.subject_contains.casefold(),
        authentication=mail.authentication,
        expected_every=timedelta(hours=hours) if hours else None,
    )
