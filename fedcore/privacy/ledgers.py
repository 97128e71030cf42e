"""The noisy sums that a run has released, as its checkpoint keeps them."""

from __future__ import annotations

from collections.abc import Mapping

from fedcore.spec.renyi import Draws, NoisySum
from fedcore.state import Json

Ledger = tuple[Mapping[str, Json], ...]
_COUNT = "count"


def event_of(release: NoisySum, count: int) -> dict[str, Json]:
    """Return so many equal sums as an event."""
    return {
        "chance": release.chance,
        "noise": release.noise,
        "draws": release.draws,
        _COUNT: count,
    }


def sums_in(event: Mapping[str, Json]) -> tuple[NoisySum, int]:
    """Return one of the sums of an event, and how many there are."""
    draws: Draws = "fixed_size" if event["draws"] == "fixed_size" else "independent"
    release = NoisySum(number(event, "chance"), number(event, "noise"), draws)
    return release, int(number(event, _COUNT))


def with_sum(ledger: Ledger, release: NoisySum) -> Ledger:
    """Return a ledger with one more sum; equal ones in a row are one event."""
    if ledger:
        last, count = sums_in(ledger[-1])
        if last == release:
            return (*ledger[:-1], event_of(release, count + 1))
    return (*ledger, event_of(release, 1))


def number(values: Mapping[str, Json], name: str) -> float:
    """Return a number that a state keeps.

    Raises:
        TypeError: If it is none.
    """
    value = values[name]
    if not isinstance(value, int | float):
        raise TypeError(f"{name} is no number: {value!r}")
    return float(value)
