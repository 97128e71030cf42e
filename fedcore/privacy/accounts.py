"""What a run has spent of its privacy, and how much noise makes it spend no more.

Two accounts are kept, both of them bounds: our own, which is quick and what the web shows before a
run (``fedcore.spec.renyi``), and that of ``dp_accounting``, which is tighter and takes longer
(``fedcore.privacy.curves``). The smaller one is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module

from fedcore.errors import PrivacyError
from fedcore.spec import renyi
from fedcore.spec.renyi import NoisySum

#: Above this a promise means so little that its last digits do not matter.
_LOOSE = 50.0
#: Up to so many sums each is accounted for by itself; later counts are rounded up by this factor.
_EXACT, _ROUNDING = 50, 1.04
_INTERVAL = 1e-3
#: The error of the counted losses grows with the number of sums and the square of the interval.
_INTERVAL_OF_ONE = 1e-2
#: Noise is given in multiples of this.
_GRAIN = 1e-4
_PRECISION = 1e-3


@dataclass(frozen=True)
class Account:
    """How sums are accounted for.

    Attributes:
        delta: Chance that the promise does not hold.
        planned: Sums that there are at most.
    """

    delta: float
    planned: int

    def epsilon(self, sums: Sequence[tuple[NoisySum, int]]) -> float:
        """Return what some sums, each so many times, have spent; infinite without noise."""
        made = tuple((each, count) for each, count in sums if count > 0)
        if not made:
            return 0.0
        return _epsilon(made, self.delta, self.planned)

    def noise_for(self, target: float, release: NoisySum) -> float:
        """Return the noise with which all planned sums spend no more than ``target``.

        Args:
            target: Largest epsilon.
            release: One of the sums; its own noise does not matter.

        Raises:
            PrivacyError: If no noise is enough.
        """
        enough = renyi.least_noise(release, self.planned, target, self.delta)
        if enough is None:
            raise PrivacyError(
                f"no noise keeps epsilon at {target:g} with delta {self.delta:.3g}",
                field="privacy.dp.epsilon",
                fix="Raise privacy.dp.epsilon, or lower the number of rounds.",
            )

        def spent(noise: float) -> float:
            return self.epsilon([(replace(release, noise=_rounded_up(noise)), self.planned)])

        found = renyi.noise_for(target, spent, low=enough / 2, high=enough, precision=_PRECISION)
        return _rounded_up(enough if found is None else found)


@lru_cache(maxsize=1024)
def _epsilon(sums: tuple[tuple[NoisySum, int], ...], delta: float, planned: int) -> float:
    bound = _by_renyi(sums, renyi.losses, delta)
    if bound > _LOOSE:
        return bound
    curves = import_module("fedcore.privacy.curves")
    tight: float
    if any(each.draws == "fixed_size" for each, _ in sums):
        tight = _by_renyi(sums, curves.losses_of_fixed_size, delta)
    else:
        rounded = [(each, max(count, min(_on_grid(count), planned))) for each, count in sums]
        interval = min(_INTERVAL, _INTERVAL_OF_ONE / math.sqrt(planned))
        tight = curves.epsilon(rounded, delta, interval)
    return min(bound, tight)


def _by_renyi(
    sums: Sequence[tuple[NoisySum, int]],
    losses: Callable[[NoisySum], Sequence[float]],
    delta: float,
) -> float:
    parts = [[count * loss for loss in losses(each)] for each, count in sums]
    return renyi.epsilon_of([sum(at_order) for at_order in zip(*parts, strict=True)], delta)


def _on_grid(count: int) -> int:
    """Return the next number of sums that is accounted for by itself: more of them spend more."""
    if count <= _EXACT:
        return count
    power = math.ceil(math.log(count / _EXACT) / math.log(_ROUNDING) - 1e-9)
    return max(count, math.ceil(_EXACT * _ROUNDING**power))


def _rounded_up(noise: float) -> float:
    return math.ceil(noise / _GRAIN - 1e-6) * _GRAIN
