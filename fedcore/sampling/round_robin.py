"""The clients take turns.

Source: one of the four schedulers of Mawela et al., "A Web-Based Solution for Federated Learning
with LLM-Based Automation", 2024, arXiv:2408.13010; the formula is ours.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fedcore.sampling.base import SAMPLERS, Sample, Sampler
from fedcore.spec.sampling import RoundRobinSpec
from fedcore.state import RunState

NEXT = "next"


@SAMPLERS.implements(RoundRobinSpec)
@dataclass(frozen=True)
class RoundRobinSampler(Sampler):
    """Takes the next available clients by id; one that is not available is skipped."""

    spec: RoundRobinSpec

    def select(
        self,
        state: RunState,
        available: Sequence[int],
        size: int,
        generator: torch.Generator,  # noqa: ARG002  (nothing is drawn)
    ) -> Sample:
        """Return the clients whose turn it is."""
        if not available:
            return Sample((), state.sampler)
        pointer = state.sampler.get(NEXT, 0)
        first = bisect_left(available, pointer if isinstance(pointer, int) else 0)
        taken = [available[(first + turn) % len(available)] for turn in range(size)]
        return Sample(tuple(sorted(taken)), {**state.sampler, NEXT: taken[-1] + 1})
