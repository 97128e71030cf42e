"""What a sampler is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from fedcore.registry import Registry
from fedcore.spec.training import SamplingSpec
from fedcore.state import Json, RunState


@dataclass(frozen=True)
class Sample:
    """A cohort, sorted by client id, and what the sampler remembers for the next round."""

    client_ids: tuple[int, ...]
    memory: Mapping[str, Json]


class Sampler(Protocol):
    """Chooses cohorts; its memory is part of the state of the run."""

    def select(
        self, state: RunState, available: Sequence[int], generator: torch.Generator
    ) -> Sample:
        """Return the cohort of the next round.

        Args:
            state: State before the round.
            available: Clients that could take part, sorted by id.
            generator: The only source of randomness.
        """


class SamplerFactory(Protocol):
    """Makes the sampler that a spec describes."""

    def __call__(self, spec: SamplingSpec) -> Sampler:
        """Return the sampler."""


SAMPLERS: Registry[SamplerFactory] = Registry(SamplingSpec)
