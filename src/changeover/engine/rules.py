"""The rules of the business from settings and the rule files, read once before a run; it decides nothing itself."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from changeover import rulefiles
from changeover.airtable import schema
from changeover.airtable.schema import BaseSpec
from changeover.airtable.schema.spec import BadSchemaFile
from changeover.core.stay import Rules, ServiceHours
from changeover.settings import Settings
from changeover.sources.csv import suppliers
from changeover.sources.csv.suppliers import Supplier
from changeover.sources.ics import platforms
from changeover.sources.ics.platforms import Platforms

_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class BadRules(ValueError):
    """A rule file is missing or cannot be used; the message names it and what is wrong."""


class BadSchedule(ValueError):
    """`schedule.toml` cannot be used; the message names the file and every wrong entry."""


class _Schedule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    default: str = Field("10:15", pattern=_CLOCK)
    same_day: str = Field("10:00", pattern=_CLOCK)
    owner_arriving: str = Field("10:00", pattern=_CLOCK)
    duration_minutes: int = Field(60, ge=1)
    arrival_window_minutes: int = Field(0, ge=0)
    long_term_nights: int = Field(14, ge=1)


@dataclass(frozen=True, slots=True)
class Service:
    """How long a cleaning takes, and how much later than its start the cleaners may come (J-9)."""

    duration: timedelta = timedelta(minutes=60)
    window_minutes: int = 0


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Everything the rule files say, in effect for one run."""

    rules: Rules
    platforms: Platforms
    suppliers: tuple[Supplier, ...]
    spec: BaseSpec
    service: Service = Service()


def rule_book(settings: Settings) -> RuleBook:
    """Reads every rule file. Raises BadRules, so that a run with a broken one begins nothing (C-23)."""

    def path(name: str) -> Path:
        return rulefiles.find(name, settings.config)

    try:
        return RuleBook(
            rules_of(settings, path("schedule.toml")),
            platforms.load(path("platforms.toml")),
            suppliers.load(path(name) for name in suppliers.FILES),
            schema.load(path("airtable_base.json")),
            service_of(path("schedule.toml")),
        )
    except (BadSchedule, platforms.BadPlatforms, suppliers.BadSupplier, BadSchemaFile, OSError) as error:
        raise BadRules(str(error)) from error


def rules_of(settings: Settings, schedule: Path) -> Rules:
    """The rules in effect. Raises BadSchedule."""
    hours = _read(schedule)
    return Rules(
        zone=settings.zone,
        lookback_days=settings.lookback_days,
        lookahead_days=settings.lookahead_days,
        missing_threshold=settings.missing_threshold,
        missing_grace=timedelta(hours=settings.missing_grace_hours),
        hours=ServiceHours(
            default=hours.default,
            same_day=hours.same_day,
            owner_arriving=hours.owner_arriving,
            long_term_nights=hours.long_term_nights,
        ),
    )


def service_of(schedule: Path) -> Service:
    """What the schedule says of a cleaning itself. Raises BadSchedule."""
    said = _read(schedule)
    return Service(timedelta(minutes=said.duration_minutes), said.arrival_window_minutes)


def _read(schedule: Path) -> _Schedule:
    try:
        return _Schedule.model_validate(tomllib.loads(schedule.read_text("utf-8")))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        message = f"{schedule}: {wrong}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{schedule}: {error}"
    raise BadSchedule(message)
