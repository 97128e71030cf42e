"""The geometric median by Weiszfeld's steps.

Source: Pillutla, Kakade and Harchaoui, IEEE TSP 2022, arXiv:1912.13445, Algorithm 2 (RFA).
Paper to code: nu is ``spec.smoothing``, T is ``spec.iterations``; all alpha are equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from fedcore.aggregators.base import AGGREGATORS, Aggregator
from fedcore.aggregators.blocks import inner_products, weighted_sum
from fedcore.aggregators.gathered import Gathering
from fedcore.spec.aggregators import GeometricMedianSpec


def geometric_median(vectors: Sequence[Tensor], iterations: int, smoothing: float) -> Tensor:
    """Return the point after so many steps from the mean.

    Every point on the way is a weighted mean of the vectors, so its distances to them follow from
    their inner products, and the vectors themselves are read twice, whatever the iterations.
    """
    count = len(vectors)
    products = inner_products(vectors)
    shares = np.full(count, 1 / count)
    for _ in range(iterations):
        # Row i of (shares - e_i): from the point to vector i, as weights of the vectors.
        towards = shares[None, :] - np.eye(count)
        squares = ((towards @ products) * towards).sum(axis=1)
        weights = 1 / np.maximum(smoothing, np.sqrt(np.maximum(squares, 0.0)))
        shares = weights / weights.sum()
    return weighted_sum(vectors, shares.tolist())


@AGGREGATORS.implements(GeometricMedianSpec)
def geometric_median_aggregator(spec: GeometricMedianSpec) -> Aggregator:
    """Return the aggregator; it holds all updates of a cohort."""
    return Gathering(
        spec, lambda vectors, _: geometric_median(vectors, spec.iterations, spec.smoothing)
    )
