"""Means of updates that are cut to a length: norm clipping and centred clipping.

Source: Sun, Kairouz, Suresh and McMahan 2019, arXiv:1911.07963, section 4 (norm clipping);
Karimireddy, He and Jaggi, ICML 2021, arXiv:2012.10333, Algorithm 2 (centred clipping).
Paper to code: M is ``spec.max_norm``, tau is ``spec.radius``, L is ``spec.iterations``; the first v
of a round is the last round's result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import torch
from torch import Tensor

from fedcore.aggregators.base import AGGREGATORS, Accumulator, Aggregator, merge_in_tree
from fedcore.aggregators.blocks import weighted_sum
from fedcore.aggregators.gathered import Gathering, vector_section
from fedcore.aggregators.mean import Mean
from fedcore.messages import Update
from fedcore.params import Params, Section
from fedcore.spec.aggregators import CenteredClippingSpec, MeanSpec, NormClipSpec

_MEAN = Mean(MeanSpec(weighting="uniform"))


def norm(vector: Tensor) -> float:
    """Return the Euclidean length of a vector, summed in float64."""
    return float(torch.linalg.vector_norm(vector, dtype=torch.float64))


def shrink(length: float, limit: float) -> float:
    """Return the factor that cuts a vector of this length to a limit."""
    return limit / length if length > limit else 1.0


def clipped_mean(vectors: Sequence[Tensor], max_norm: float | None) -> Tensor:
    """Return the mean of the vectors, each cut to a length, or to the median of their lengths."""
    lengths = [norm(vector) for vector in vectors]
    limit = median(lengths) if max_norm is None else max_norm
    return weighted_sum(vectors, [shrink(length, limit) / len(vectors) for length in lengths])


def centered_clipping(
    vectors: Sequence[Tensor], centre: Tensor, radius: float | None, iterations: int
) -> Tensor:
    """Return the centre after so many mean steps towards the vectors.

    Args:
        vectors: One per client.
        centre: Where to start, shaped like a vector.
        radius: Longest step towards a vector; None for the median distance.
        iterations: Number of steps.
    """
    for _ in range(iterations):
        distances = [norm(vector - centre) for vector in vectors]
        limit = median(distances) if radius is None else radius
        shares = [shrink(distance, limit) / len(vectors) for distance in distances]
        # The mean of s_i (x_i - v), without holding the differences.
        centre = weighted_sum([*vectors, centre], [*shares, 1.0 - sum(shares)])
    return centre


@dataclass(frozen=True, eq=False)
class CentredSum(Accumulator):
    """A running mean of clipped updates, and the centre that they are clipped around."""

    centre: Mapping[str, Section] = field(default_factory=dict)


@dataclass(frozen=True)
class ClippedMean:
    """Uniform mean of updates, each section cut to a distance from the last result, or from zero.

    Updates are folded one at a time: memory is that of the model, whatever the cohort.
    """

    limit: float
    remembers: bool

    def start(self, previous: Mapping[str, Section]) -> Accumulator:
        """Return an accumulator without updates."""
        return CentredSum({}, centre=previous)

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more update, cut to the limit."""
        centre = accumulator.centre if isinstance(accumulator, CentredSum) else {}
        sections = {
            name: self._clip(name, vector_section(name, section), centre)
            for name, section in update.sections.items()
        }
        folded = _MEAN.fold(accumulator, replace(update, sections=sections))
        return _centred(folded, centre)

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the mean of the updates of both."""
        centre = first.centre if isinstance(first, CentredSum) else {}
        return _centred(_MEAN.merge(first, second), centre)

    def merge_all(self, parts: Sequence[Accumulator]) -> Accumulator:
        """Return the mean of the updates of all."""
        return merge_in_tree(parts, self.merge)

    def finish(self, accumulator: Accumulator) -> Mapping[str, Section]:
        """Return the mean."""
        return accumulator.sections

    def _clip(self, name: str, section: Params, centre: Mapping[str, Section]) -> Section:
        if name not in centre:
            return section.with_flat(section.flat * shrink(norm(section.flat), self.limit))
        around = vector_section(name, centre[name]).flat
        difference = section.flat - around
        return section.with_flat(around + difference * shrink(norm(difference), self.limit))


@AGGREGATORS.implements(NormClipSpec)
def norm_clip_aggregator(spec: NormClipSpec) -> Aggregator:
    """Return the aggregator; it holds all updates of a cohort unless the length is given."""
    if spec.max_norm is not None:
        return ClippedMean(spec.max_norm, remembers=False)
    return Gathering(spec, lambda vectors, _: clipped_mean(vectors, None))


@AGGREGATORS.implements(CenteredClippingSpec)
def centered_clipping_aggregator(spec: CenteredClippingSpec) -> Aggregator:
    """Return the aggregator; it holds all updates unless a radius is given, for one step."""
    if spec.radius is not None and spec.iterations == 1:
        return ClippedMean(spec.radius, remembers=True)

    def rule(vectors: Sequence[Tensor], previous: Tensor | None) -> Tensor:
        centre = torch.zeros_like(vectors[0]) if previous is None else previous
        return centered_clipping(vectors, centre, spec.radius, spec.iterations)

    return Gathering(spec, rule, remembers=True)


def _centred(folded: Accumulator, centre: Mapping[str, Section]) -> CentredSum:
    return CentredSum(folded.sections, folded.weight, folded.count, centre)
