"""Coordinate-wise median and trimmed mean.

Source: Yin, Chen, Ramchandran and Bartlett, ICML 2018, arXiv:1803.01498, Definitions 1 and 2.
Paper to code: m is the number of updates, beta m is ``spec.num_byzantine``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from fedcore.aggregators.base import AGGREGATORS, Aggregator
from fedcore.aggregators.blocks import Block, per_coordinate
from fedcore.aggregators.gathered import Gathering
from fedcore.spec.aggregators import MedianSpec, TrimmedMeanSpec


def median(vectors: Sequence[Tensor]) -> Tensor:
    """Return the median of every coordinate; of an even number, half-way between the middle two."""
    count = len(vectors)

    def middle(block: Block) -> Block:
        return block[:, (count - 1) // 2] * np.float32(0.5) + block[:, count // 2] * np.float32(0.5)

    return per_coordinate(vectors, middle)


def trimmed_mean(vectors: Sequence[Tensor], dropped: int) -> Tensor:
    """Return the mean of every coordinate without its ``dropped`` smallest and largest values."""
    end = len(vectors) - dropped

    def inner_mean(block: Block) -> Block:
        means: Block = block[:, dropped:end].mean(axis=1, dtype=np.float64).astype(np.float32)
        return means

    return per_coordinate(vectors, inner_mean)


@AGGREGATORS.implements(MedianSpec)
def median_aggregator(spec: MedianSpec) -> Aggregator:
    """Return the aggregator; it holds all updates of a cohort."""
    return Gathering(spec, lambda vectors, _: median(vectors))


@AGGREGATORS.implements(TrimmedMeanSpec)
def trimmed_mean_aggregator(spec: TrimmedMeanSpec) -> Aggregator:
    """Return the aggregator; it holds all updates of a cohort."""
    return Gathering(
        spec, lambda vectors, _: trimmed_mean(vectors, spec.num_byzantine(len(vectors)))
    )
