"""How often, and after which pauses, to try again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """Pauses that double from ``first_pause_s`` up to ``longest_pause_s``."""

    max_retries: int
    first_pause_s: float
    longest_pause_s: float

    def allows(self, retries: int) -> bool:
        """Return whether one more try is allowed after so many."""
        return retries < self.max_retries

    def pause_s(self, retries: int) -> float:
        """Return how long to wait before try number ``retries + 1``."""
        return float(min(self.longest_pause_s, self.first_pause_s * 2**retries))


#: A lost connection, a disk that was full for a moment: half a minute in all.
TRANSIENT = RetryPolicy(max_retries=5, first_pause_s=1.0, longest_pause_s=15.0)
