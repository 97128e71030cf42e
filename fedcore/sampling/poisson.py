"""Every client takes part by a draw of its own, so that cohorts differ in size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fedcore.sampling.base import SAMPLERS, Sample, Sampler
from fedcore.spec.sampling import PoissonSamplingSpec
from fedcore.state import RunState


@SAMPLERS.implements(PoissonSamplingSpec)
@dataclass(frozen=True)
class PoissonSampler(Sampler):
    """Takes each available client with the same chance, whatever becomes of the others."""

    spec: PoissonSamplingSpec

    def select(
        self,
        state: RunState,
        available: Sequence[int],
        size: int,  # noqa: ARG002  (it is the mean, not the number)
        generator: torch.Generator,
    ) -> Sample:
        """Return the clients whose draw succeeds; there may be none."""
        draws = torch.rand(len(available), generator=generator, dtype=torch.float64)
        chance = self.spec.chance(len(available))
        drawn = zip(available, draws.tolist(), strict=True)
        return Sample(tuple(client for client, draw in drawn if draw < chance), state.sampler)
