"""The rules of the business from settings and `schedule.toml`; it decides nothing itself."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from changeover.core.stay import Rules, ServiceHours
from changeover.settings import Settings

_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


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


def _read(schedule: Path) -> _Schedule:
    try:
        return _Schedule.model_validate(tomllib.loads(schedule.read_text("utf-8")))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        message = f"{schedule}: {wrong}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{schedule}: {error}"
    raise BadSchedule(message)
