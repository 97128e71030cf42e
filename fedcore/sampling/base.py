"""What a sampler is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from fedcore.registry import Registry
from fedcore.spec.sampling import SamplingSpec
from fedcore.state import Json, RunState


@dataclass(frozen=True)
class Sample:
    """Clients that begin to work, sorted by id, and what the sampler remembers from then on."""

    client_ids: tuple[int, ...]
    memory: Mapping[str, Json]


@dataclass(frozen=True)
class Seen:
    """What a sampler learns of one client of a cohort after the round.

    Attributes:
        client_id: Which client.
        num_samples: Training examples it holds.
        loss: Mean training loss; None if no update of it was used.
        sim_seconds: How long it took on the clock of the simulated clients.
    """

    client_id: int
    num_samples: int
    loss: float | None
    sim_seconds: float


class Sampler(Protocol):
    """Chooses cohorts; its memory is part of the state of the run."""

    def select(
        self, state: RunState, available: Sequence[int], size: int, generator: torch.Generator
    ) -> Sample:
        """Return clients that begin to work now.

        Args:
            state: State before the round.
            available: Clients that could take part and are idle, sorted by id.
            size: How many; at most as many as are available, and at least one if any is.
            generator: The only source of randomness.
        """

    def learn(
        self,
        memory: Mapping[str, Json],
        round_index: int,  # noqa: ARG002
        cohort: Sequence[Seen],  # noqa: ARG002
    ) -> Mapping[str, Json]:
        """Return the memory after a round; a sampler that does not learn keeps it as it is."""
        return memory


class SamplerFactory(Protocol):
    """Makes the sampler that a spec describes."""

    def __call__(self, spec: SamplingSpec) -> Sampler:
        """Return the sampler."""


SAMPLERS: Registry[SamplerFactory] = Registry(SamplingSpec)
