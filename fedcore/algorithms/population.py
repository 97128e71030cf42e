"""What a server may know of the clients of a run before it has heard from any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, eq=False)
class Population:
    """The clients of a run, as far as a server may know them.

    Attributes:
        sizes: Training examples of each client that has any, by id.
        chance: Chance that a round uses a client's update, if every client has the same.
        durations: Returns how long each of them takes for a round on average, in seconds on the
            clock of the simulated clients.
        limit_s: How long a real client may take, in seconds; None where clients are simulated, so
            that it is known how long they take.
    """

    sizes: Mapping[int, int] = field(default_factory=dict)
    chance: float = 1.0
    durations: Callable[[], Mapping[int, float]] = dict
    limit_s: float | None = None

    @cached_property
    def num_examples(self) -> int:
        """Training examples of all clients together."""
        return sum(self.sizes.values())

    @property
    def slowest_s(self) -> float:
        """How long the slowest client takes that is waited for."""
        return max(self.durations().values()) if self.limit_s is None else self.limit_s
