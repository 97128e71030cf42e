"""The account of ``dp_accounting``: privacy loss distributions, and Rényi divergences.

Source: Doroshenko et al., PoPETs 2022, arXiv:2207.04380 (distributions, where each one decides for
itself); Wang, Balle and Kasiviswanathan, AISTATS 2019, arXiv:1808.00087, theorem 27 (cohorts of a
fixed size). Loading the package takes seconds, so only runs that need it do.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from dp_accounting import GaussianDpEvent, NeighboringRelation, SampledWithoutReplacementDpEvent
from dp_accounting.pld import privacy_loss_distribution
from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution
from dp_accounting.rdp import RdpAccountant

from fedcore.spec.renyi import ORDERS, NoisySum

_MOST_CLIENTS = 10**7


def epsilon(sums: Sequence[tuple[NoisySum, int]], delta: float, interval: float) -> float:
    """Return the epsilon of some sums, each so many times, for one added or removed.

    Args:
        sums: Sums in which each one decides for itself.
        delta: Chance that the promise does not hold.
        interval: Width of the steps in which losses are counted; wider is faster and promises less.
    """
    curves = [_of_one(each, interval).self_compose(count) for each, count in sums]
    whole = curves[0]
    for curve in curves[1:]:
        whole = whole.compose(curve)
    return float(whole.get_epsilon_for_delta(delta))


@lru_cache(maxsize=16)
def _of_one(each: NoisySum, interval: float) -> PrivacyLossDistribution:
    return privacy_loss_distribution.from_gaussian_mechanism(
        each.noise, value_discretization_interval=interval, sampling_prob=each.chance
    )


@lru_cache(maxsize=64)
def losses_of_fixed_size(each: NoisySum) -> tuple[float, ...]:
    """Return the Rényi divergence of one sum over a cohort of a fixed size, at ``ORDERS``.

    Replacing a client moves the sum by up to twice the clip, which the package does not know.
    """
    share = Fraction(each.chance).limit_denominator(_MOST_CLIENTS)
    noise = GaussianDpEvent(each.noise / 2)
    accountant = RdpAccountant(ORDERS, NeighboringRelation.REPLACE_ONE)
    accountant.compose(SampledWithoutReplacementDpEvent(share.denominator, share.numerator, noise))
    return tuple(float(loss) for loss in accountant.rdp)
