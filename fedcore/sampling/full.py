"""Every available client, every round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fedcore.sampling.base import SAMPLERS, Sample, Sampler
from fedcore.spec.sampling import FullSamplingSpec
from fedcore.state import RunState


@SAMPLERS.implements(FullSamplingSpec)
@dataclass(frozen=True)
class FullSampler(Sampler):
    """Takes everyone."""

    spec: FullSamplingSpec

    def select(
        self,
        state: RunState,
        available: Sequence[int],
        size: int,  # noqa: ARG002  (everyone is wanted)
        generator: torch.Generator,  # noqa: ARG002  (nothing is drawn)
    ) -> Sample:
        """Return all available clients."""
        return Sample(tuple(available), state.sampler)
