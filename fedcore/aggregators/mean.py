"""The weighted mean, kept as a running mean.

A running mean, rather than a sum that is divided at the end, never leaves the range of its
inputs: it cannot overflow, one update comes out as it went in, to the last bit, and so do equal
ones. It takes one pass over memory per update, as a sum does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import add

from torch import Tensor

from fedcore.aggregators.base import AGGREGATORS, Accumulator, merge_in_tree
from fedcore.aggregators.blocks import mean_in_tree
from fedcore.messages import Update
from fedcore.params import Params, Section, vector
from fedcore.spec.aggregators import MeanSpec


@AGGREGATORS.implements(MeanSpec)
@dataclass(frozen=True)
class Mean:
    """Mean of every tensor, weighted by the updates' own weights or uniformly."""

    spec: MeanSpec

    @property
    def remembers(self) -> bool:
        """Return False."""
        return False

    def start(self, previous: Mapping[str, Section]) -> Accumulator:  # noqa: ARG002
        """Return an accumulator without updates."""
        return Accumulator({})

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the mean with one more update: ``m + (w / W) (x - m)``."""
        weight = update.weight if self.spec.weighting == "samples" else 1.0
        if accumulator.count == 0:
            return Accumulator(_map(update.sections, Tensor.clone), weight, 1)
        added = Accumulator(update.sections, weight, 1)
        return self.merge(accumulator, added)

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the mean of the updates of both, in the memory of the first."""
        if first.count == 0 or second.count == 0:
            return second if first.count == 0 else first
        weight = first.weight + second.weight
        for name, section in first.sections.items():
            _lerp(section, second.sections[name], second.weight / weight)
        return Accumulator(first.sections, weight, first.count + second.count)

    def merge_all(self, parts: Sequence[Accumulator]) -> Accumulator:
        """Return the mean of the updates of all, in memory of its own unless there is one part."""
        if len(parts) == 1 or not all(_is_vectors(part) for part in parts):
            return merge_in_tree(parts, self.merge)
        weights = [part.weight for part in parts]
        return Accumulator(
            {
                name: vector(parts[0].sections, name).with_flat(
                    mean_in_tree([vector(part.sections, name).flat for part in parts], weights)
                )
                for name in parts[0].sections
            },
            merge_in_tree(weights, add),
            sum(part.count for part in parts),
        )

    def finish(self, accumulator: Accumulator) -> Mapping[str, Section]:
        """Return the mean."""
        return accumulator.sections


def _is_vectors(part: Accumulator) -> bool:
    """Return whether there are updates, and all of their sections are vectors on the CPU."""
    return part.count > 0 and all(
        isinstance(section, Params) and section.flat.device.type == "cpu"
        for section in part.sections.values()
    )


def _map(
    sections: Mapping[str, Section], function: Callable[[Tensor], Tensor]
) -> dict[str, Section]:
    return {
        name: section.with_flat(function(section.flat))
        if isinstance(section, Params)
        else {key: function(tensor) for key, tensor in section.items()}
        for name, section in sections.items()
    }


def _lerp(mean: Section, other: Section, share: float) -> None:
    """Move ``mean`` towards ``other`` by ``share`` of the way, in place."""
    if isinstance(mean, Params) and isinstance(other, Params):
        mean.flat.lerp_(other.flat, share)
        return
    for name, tensor in mean.items():
        tensor.lerp_(other[name], share)
