"""Rényi differential privacy of noisy sums: what they promise at most, in plain arithmetic.

The web has no numpy, and everybody can check this; the engine reports tighter figures
(``fedcore.privacy``). Source: Mironov, Talwar and Zhang 2019, arXiv:1908.10530, section 3.3 (each
one decides for itself); Wang, Balle and Kasiviswanathan, AISTATS 2019, arXiv:1808.00087, theorem 9
and corollary 10 (cohorts of a fixed size); Canonne, Kamath and Steinke, NeurIPS 2020,
arXiv:2004.00010, proposition 12 (from Rényi to epsilon and delta). Paper to code: q is ``chance``,
sigma is ``noise``, alpha is an order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

_WHOLE: tuple[int, ...] = (*range(1, 64), 64, 96, 128, 192, 256)
_STEPS = 10
#: Between neighbouring whole orders the moment is bounded by a straight line.
ORDERS = (
    *(low + step / _STEPS for low in range(1, 11) for step in range(_STEPS) if low + step > 1),
    *(float(order) for order in _WHOLE if order > 10),  # noqa: PLR2004
)
#: Largest noise that is looked for; more than that and nothing is learnt.
MOST_NOISE = 1e6
_PRECISION = 1e-4


Draws = Literal["independent", "fixed_size"]


@dataclass(frozen=True)
class NoisySum:
    """A sum of vectors that are cut to a length, with Gaussian noise.

    Attributes:
        chance: How likely each one is to be in the sum.
        noise: Standard deviation of the noise, as a multiple of the length.
        draws: Whether each one decides for itself (one is added or removed), or so many are chosen
            (one is replaced, which moves the sum by up to twice the length).
    """

    chance: float
    noise: float
    draws: Draws = "independent"


@lru_cache(maxsize=512)
def losses(release: NoisySum) -> tuple[float, ...]:
    """Return the Rényi divergence of one sum at each of ``ORDERS``, in nats.

    Infinite without noise.
    """
    if release.noise == 0:
        return (math.inf,) * len(ORDERS)
    sigma, moment = release.noise, _moment_independent
    if release.draws == "fixed_size":
        sigma, moment = release.noise / 2, _moment_fixed
    if release.chance >= 1:
        return tuple(order / (2 * sigma**2) for order in ORDERS)
    moments = {order: moment(release.chance, sigma, order) for order in _WHOLE}
    return tuple(_between(moments, order) / (order - 1) for order in ORDERS)


def epsilon_of(total: Sequence[float], delta: float) -> float:
    """Return the epsilon that losses at ``ORDERS``, added up over all sums, come to."""
    found = min(
        loss + math.log1p(-1 / order) - math.log(delta * order) / (order - 1)
        for loss, order in zip(total, ORDERS, strict=True)
    )
    return max(0.0, found)


def epsilon(release: NoisySum, count: int, delta: float) -> float:
    """Return the epsilon of so many sums, at most; infinite without noise."""
    if count == 0:
        return 0.0
    return epsilon_of([count * loss for loss in losses(release)], delta)


def noise_for(
    target: float,
    spent: Callable[[float], float],
    *,
    low: float = 0.0,
    high: float = 1.0,
    precision: float = _PRECISION,
) -> float | None:
    """Return the least noise, to the precision, with which no more than ``target`` is spent.

    Args:
        target: Largest epsilon.
        spent: Returns the epsilon of a noise; falls as that grows.
        low: Noise that is too little.
        high: Where to begin to look for noise that is enough.
        precision: Of the result, relative; it errs towards more noise.

    Returns:
        None if no noise is enough.
    """
    while spent(high) > target:
        low, high = high, 2 * high
        if high > MOST_NOISE:
            return None
    while high - low > precision * high:
        middle = (low + high) / 2
        low, high = (low, middle) if spent(middle) <= target else (middle, high)
    return high


def least_noise(release: NoisySum, count: int, target: float, delta: float) -> float | None:
    """Return a noise with which so many sums spend no more than ``target``; None without one."""
    return noise_for(target, lambda noise: epsilon(replace(release, noise=noise), count, delta))


def _between(moments: dict[int, float], order: float) -> float:
    """Return a bound of the log moment, which is convex in the order."""
    for low, high in pairwise(_WHOLE):
        if low <= order <= high:
            share: float = (order - low) / (high - low)
            return moments[low] * (1 - share) + moments[high] * share
    raise ValueError(f"no order {order}")


def _moment_independent(chance: float, sigma: float, order: int) -> float:
    """Return the log of the moment of a whole order where each one decides for itself."""
    return _log_sum(
        _log_binomial(order, k)
        + k * math.log(chance)
        + (order - k) * math.log1p(-chance)
        + k * (k - 1) / (2 * sigma**2)
        for k in range(order + 1)
    )


def _moment_fixed(chance: float, sigma: float, order: int) -> float:
    """Return a bound of the log moment of a whole order for cohorts of a fixed size."""
    terms = [0.0]
    if order > 1:
        second = 1 / sigma**2
        weight = min(math.log(4) + _log_expm1(second), math.log(2) + second)
        terms.append(_log_binomial(order, 2) + 2 * math.log(chance) + weight)
    terms += (
        _log_binomial(order, k) + k * math.log(chance) + math.log(2) + (k - 1) * k / (2 * sigma**2)
        for k in range(3, order + 1)
    )
    return _log_sum(terms)


def _log_binomial(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_expm1(value: float) -> float:
    """Return ``log(exp(value) - 1)``, for large values too."""
    return value + math.log1p(-math.exp(-value))


def _log_sum(terms: Iterable[float]) -> float:
    found = list(terms)
    largest = max(found)
    return largest + math.log(sum(math.exp(term - largest) for term in found))
