"""How often clients take part, from the rounds between their visits.

Source: S. Wang and Ji, "A Lightweight Method for Tackling Unknown Participation Statistics in
Federated Averaging", ICLR 2024, arXiv:2306.03401, Algorithm 2. Paper to code: omega is ``means``,
M is ``open``, K is ``CUT``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from fedcore.state import Json

#: Longest interval; a client that stays away longer counts as if it had come.
CUT = 50


@dataclass(frozen=True)
class Intervals:
    """Running mean of the intervals between each client's visits.

    Attributes:
        means: Per client the mean so far, which estimates 1 / its chance to take part; 1 before its
            first visit.
        counts: How many intervals that is the mean of.
        open: Rounds since its last visit.
    """

    means: tuple[float, ...]
    counts: tuple[int, ...]
    open: tuple[int, ...]

    @classmethod
    def of(cls, stored: Json, num_clients: int) -> Intervals:
        """Return what was stored, or the beginning of a run with so many clients."""
        if not isinstance(stored, dict):
            return cls((1.0,) * num_clients, (0,) * num_clients, (0,) * num_clients)
        return cls(
            means=tuple(_numbers(stored, "means")),
            counts=tuple(int(count) for count in _numbers(stored, "counts")),
            open=tuple(int(rounds) for rounds in _numbers(stored, "open")),
        )

    def to_json(self) -> Json:
        """Return it as plain JSON values."""
        return {name: list(values) for name, values in asdict(self).items()}

    def after(self, participants: Collection[int]) -> Intervals:
        """Return the intervals after one more round, for those who were absent, too."""
        present = set(participants)
        means, counts, opened = list(self.means), list(self.counts), list(self.open)
        for client in range(len(means)):
            opened[client] += 1
            if client in present or opened[client] == CUT:
                count = counts[client]
                means[client] = (count * means[client] + opened[client]) / (count + 1)
                counts[client], opened[client] = count + 1, 0
        return Intervals(tuple(means), tuple(counts), tuple(opened))


def _numbers(stored: Mapping[str, Json], name: str) -> list[float]:
    values = stored[name]
    found = values if isinstance(values, list) else []
    return [value for value in found if isinstance(value, int | float)]
