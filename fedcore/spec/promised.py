"""What a private run will promise, before any data are read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from fedcore.spec import renyi
from fedcore.spec.privacy import DpSpec, largest_delta
from fedcore.spec.renyi import NoisySum
from fedcore.spec.rules_privacy import num_protected
from fedcore.spec.sampling import FullSamplingSpec, PoissonSamplingSpec, SamplingSpec

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec


@dataclass(frozen=True)
class Promised:
    """What a run promises; None where that is not known yet, or nothing.

    Attributes:
        epsilon: Privacy loss of the whole run, at most.
        delta: Chance that this does not hold.
        noise_multiplier: Noise as a multiple of the clip, at most.
    """

    epsilon: float | None
    delta: float | None
    noise_multiplier: float | None


def promised(spec: RunSpec, dp: DpSpec) -> Promised:
    """Return what a run with this privacy promises."""
    protected = num_protected(spec)
    delta = dp.delta or (None if protected is None else largest_delta(protected))
    if dp.level == "example" or delta is None:
        # Noise and loss depend on how many examples each client holds.
        return Promised(dp.epsilon, delta, dp.noise_multiplier)
    release = sum_of_round(spec.sampling, spec.partition.clients)
    epsilon, noise = _of_sums(release, spec.rounds, delta, dp.epsilon, dp.noise_multiplier)
    return Promised(epsilon, delta, noise)


def sum_of_round(sampling: SamplingSpec, clients: int, noise: float = 1.0) -> NoisySum:
    """Return a round of so many clients as a noisy sum of clipped updates."""
    if isinstance(sampling, PoissonSamplingSpec):
        return NoisySum(sampling.chance(clients), noise)
    chance = sampling.cohort_size(clients) / clients
    is_whole = chance == 1 or isinstance(sampling, FullSamplingSpec)
    return NoisySum(chance, noise, "independent" if is_whole else "fixed_size")


@lru_cache(maxsize=256)
def _of_sums(
    release: NoisySum, count: int, delta: float, epsilon: float | None, noise: float | None
) -> tuple[float | None, float | None]:
    if epsilon is not None:
        return epsilon, renyi.least_noise(release, count, epsilon, delta)
    made = NoisySum(release.chance, noise or 0.0, release.draws)
    found = renyi.epsilon(made, count, delta)
    return (found if math.isfinite(found) else None), noise
