"""Airtable's limits per second and per month (AT-13, airtable.md §6.4); it answers nothing itself."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from changeover_sandbox.airtable import errors

PER_BASE: Final = 5.0
TOKEN_FACTOR: Final = 10  # 50 a second per token owner where a base has 5
PENALTY_SECONDS: Final = 30.0
MONTHLY: Final = 100_000


@dataclass(slots=True)
class Gate:
    """A sliding second; whoever passes its rate closes it, and refusals do not keep it closed longer."""

    passed: deque[float] = field(default_factory=deque)
    closed_until: float = 0.0

    def admits(self, now: float, rate: float, penalty: float) -> bool:
        """Whether a request at this instant goes through."""
        if now < self.closed_until:
            return False
        while self.passed and self.passed[0] <= now - 1.0:
            self.passed.popleft()
        if len(self.passed) >= rate:
            self.closed_until = now + penalty
            self.passed.clear()
            return False
        self.passed.append(now)
        return True


@dataclass(slots=True)
class Limits:
    """All gates and the workspace's meter; `monthly` None means that the plan has no cap."""

    enforce: bool = True
    requests_per_second: float = PER_BASE
    penalty_seconds: float = PENALTY_SECONDS
    monthly: int | None = MONTHLY
    used: int = 0
    month: str = ""
    bases: dict[str, Gate] = field(default_factory=dict)
    tokens: dict[str, Gate] = field(default_factory=dict)

    def admit(self, base_id: str | None, token: str, now: float, *, metered: bool) -> None:
        """Let a request through or raise the 429 that the service would send; `metered` is false for /meta."""
        self._turn_month(now)
        if not self.enforce:
            self.used += metered
            return
        if metered and self.monthly is not None and self.used >= self.monthly:
            raise errors.billing_limit()
        gates = [(self.tokens.setdefault(token, Gate()), self.requests_per_second * TOKEN_FACTOR)]
        if base_id is not None:
            gates.insert(0, (self.bases.setdefault(base_id, Gate()), self.requests_per_second))
        if not all(gate.admits(now, rate, self.penalty_seconds) for gate, rate in gates):
            raise errors.rate_limited()
        self.used += metered

    def _turn_month(self, now: float) -> None:
        month = f"{datetime.fromtimestamp(now, UTC):%Y-%m}"
        if month != self.month:
            self.month, self.used = month, 0

    def change(self, order: object) -> None:
        """`POST /_sandbox/limits`; raises ValueError for values that make no sense."""
        if not isinstance(order, dict):
            raise TypeError("limits are a JSON object")
        rate = float(order.get("requests_per_second") or self.requests_per_second)
        penalty = float(order.get("penalty_seconds", self.penalty_seconds))
        monthly = order.get("monthly", self.monthly)
        self.enforce = bool(order.get("enforce", self.enforce))
        self.requests_per_second, self.penalty_seconds = rate, penalty
        self.monthly = None if monthly is None else int(monthly)
        self.open()

    def open(self) -> None:
        """Open every gate; the meter keeps its count."""
        self.bases.clear()
        self.tokens.clear()

    def reset(self) -> None:
        """Open every gate and empty the meter; what is enforced stays."""
        self.open()
        self.used = 0

    def as_json(self) -> dict[str, object]:
        """The settings and the meter."""
        return {
            "enforce": self.enforce,
            "requests_per_second": self.requests_per_second,
            "penalty_seconds": self.penalty_seconds,
            "monthly": self.monthly,
            "used": self.used,
        }
