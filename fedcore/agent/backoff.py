"""How long to wait before asking again a server that did not answer."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SHORTEST_S = 1.0
LONGEST_S = 60.0


@dataclass
class Backoff:
    """Doubles from a second to a minute, each wait drawn between half of that and all of it.

    Without chance all sites of a server that comes back would ask it at the same moment. The draws
    need not be repeatable: they are about sites that do not know of each other.
    """

    shortest_s: float = SHORTEST_S
    longest_s: float = LONGEST_S
    random: random.Random = field(default_factory=random.SystemRandom)
    failures: int = 0

    def next_s(self, asked_for_s: float | None = None) -> float:
        """Return how long to wait after one more failure, in seconds.

        Args:
            asked_for_s: What the server asked for (Retry-After); never waited less than that,
                unless it is longer than the longest wait.
        """
        full = min(self.longest_s, self.shortest_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        waited = full * self.random.uniform(0.5, 1.0)
        return max(waited, min(asked_for_s or 0.0, self.longest_s))

    def reset(self) -> None:
        """Begin anew, after a success."""
        self.failures = 0
