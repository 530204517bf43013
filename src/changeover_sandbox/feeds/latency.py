"""How long each feed lets one wait: log-normal over the feeds, the same for one feed each time; it never waits."""

import math
from dataclasses import dataclass, field

from changeover_sandbox.world.chance import chance


@dataclass(slots=True)
class Latency:
    """Seconds: `median` over all feeds, `sigma` of the logarithm. Median 0: no waiting."""

    median: float = 0.0
    sigma: float = 0.0
    seed: int = 0
    _known: dict[str, float] = field(default_factory=dict, repr=False)

    def of(self, name: str) -> float:
        """exp(ln median + sigma · N(0, 1)), the draw being the feed's own."""
        if self.median <= 0:
            return 0.0
        if name not in self._known:
            draw = chance("latency", self.seed, name).gauss(0, 1)
            self._known[name] = self.median * math.exp(self.sigma * draw)
        return self._known[name]

    def change(self, median: float, sigma: float, seed: int) -> None:
        """New values, new waits."""
        self.median, self.sigma, self.seed = median, sigma, seed
        self._known.clear()
