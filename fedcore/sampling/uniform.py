"""A fresh uniform sample without replacement in every round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fedcore.sampling.base import SAMPLERS, Sample, Sampler
from fedcore.spec.sampling import RandomSamplingSpec
from fedcore.state import RunState


@SAMPLERS.implements(RandomSamplingSpec)
@dataclass(frozen=True)
class RandomSampler(Sampler):
    """Takes a share, or a number, of the available clients, all equally likely."""

    spec: RandomSamplingSpec

    def select(
        self, state: RunState, available: Sequence[int], size: int, generator: torch.Generator
    ) -> Sample:
        """Return a uniform sample of the available clients."""
        drawn = torch.randperm(len(available), generator=generator)[:size]
        return Sample(tuple(sorted(available[i] for i in drawn.tolist())), state.sampler)
