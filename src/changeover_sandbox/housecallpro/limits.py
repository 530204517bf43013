"""How many calls a key has, by the second and by the hour (HC-108); it answers nothing itself."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from changeover_sandbox.housecallpro.errors import Refusal

SECOND: Final = 1.0
HOUR: Final = 3600.0


class RateLimitedError(Refusal):
    """Throttled; `headers` say for how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(429, None)
        self.headers: Mapping[str, str] = {"Retry-After": str(max(1, math.ceil(seconds)))}


class Settings(BaseModel):
    """`POST /_sandbox/limits`. None is no limit: the service publishes no number (HC-31).

    `penalty_seconds` is how long a key stays shut once it has passed its calls per second.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enforce: bool = True
    hourly: int | None = Field(default=None, ge=0)
    requests_per_second: float | None = Field(default=None, gt=0)
    penalty_seconds: float = Field(default=0.0, ge=0, le=HOUR)


NO_LIMITS: Final = Settings()


@dataclass(slots=True)
class Meter:
    """When a key's calls of the last hour were let through, in seconds after 1970; refused calls do not count."""

    passed: deque[float] = field(default_factory=deque)
    shut_until: float = 0.0

    def wait(self, now: float, settings: Settings) -> float:
        """For how many seconds a call must wait, nothing when it may pass; a call that passes counts."""
        while self.passed and self.passed[0] <= now - HOUR:
            self.passed.popleft()
        wait = max(self.shut_until - now, self._over_the_second(now, settings), self._over_the_hour(now, settings))
        if wait <= 0:
            self.passed.append(now)
        return wait

    def _over_the_second(self, now: float, settings: Settings) -> float:
        rate = settings.requests_per_second
        recent = [at for at in self.passed if at > now - SECOND] if rate is not None else []
        if rate is None or len(recent) < rate:
            return 0.0
        self.shut_until = max(self.shut_until, now + settings.penalty_seconds)
        return max(recent[0] + SECOND - now, settings.penalty_seconds)

    def _over_the_hour(self, now: float, settings: Settings) -> float:
        if settings.hourly is None or len(self.passed) < settings.hourly:
            return 0.0
        return self.passed[0] + HOUR - now if self.passed else HOUR


@dataclass(slots=True)
class Limits:
    """The settings and every key's meter."""

    settings: Settings = NO_LIMITS
    meters: dict[str, Meter] = field(default_factory=dict)

    def admit(self, key: str, now: float) -> None:
        """Let a call through, or raise the 429 that the service would send."""
        meter = self.meters.setdefault(key, Meter())
        wait = meter.wait(now, self.settings if self.settings.enforce else NO_LIMITS)
        if wait > 0:
            raise RateLimitedError(wait)

    def change(self, settings: Settings) -> None:
        """New settings; every key starts afresh."""
        self.settings = settings
        self.open()

    def open(self) -> None:
        """Forget all calls; what is enforced stays."""
        self.meters.clear()
