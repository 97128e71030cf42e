"""Fast clients are drawn more often.

Source: one of the four schedulers of Mawela et al., "A Web-Based Solution for Federated Learning
with LLM-Based Automation", 2024, arXiv:2408.13010; the formula is ours: chances are proportional to
``1 / latency``, where latency is an exponential running mean of a client's simulated seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch

from fedcore.sampling.base import SAMPLERS, Sample, Sampler, Seen
from fedcore.spec.sampling import LatencyProportionalSpec
from fedcore.state import Json, RunState

LATENCY = "latency_s"
LEAST_SECONDS = 1e-3


@SAMPLERS.implements(LatencyProportionalSpec)
@dataclass(frozen=True)
class LatencySampler(Sampler):
    """Draws without replacement; a client not yet timed counts as the median of the others."""

    spec: LatencyProportionalSpec

    def select(
        self, state: RunState, available: Sequence[int], size: int, generator: torch.Generator
    ) -> Sample:
        """Return a sample of the available clients."""
        if not available:
            return Sample((), state.sampler)
        known = latencies(state.sampler)
        typical = median(known.values()) if known else 1.0
        seconds = [max(known.get(client, typical), LEAST_SECONDS) for client in available]
        chances = 1.0 / torch.tensor(seconds, dtype=torch.float64)
        drawn = torch.multinomial(chances, size, replacement=False, generator=generator)
        return Sample(tuple(sorted(available[i] for i in drawn.tolist())), state.sampler)

    def learn(
        self,
        memory: Mapping[str, Json],
        round_index: int,  # noqa: ARG002
        cohort: Sequence[Seen],
    ) -> Mapping[str, Json]:
        """Return the memory with the times of this round in the running means."""
        known = latencies(memory)
        for seen in cohort:
            old = known.get(seen.client_id, seen.sim_seconds)
            known[seen.client_id] = old + self.spec.smoothing * (seen.sim_seconds - old)
        return {**memory, LATENCY: {str(client): value for client, value in known.items()}}


def latencies(memory: Mapping[str, Json]) -> dict[int, float]:
    """Return the running mean of each client that was timed, in seconds."""
    stored = memory.get(LATENCY)
    if not isinstance(stored, dict):
        return {}
    return {int(client): float(str(value)) for client, value in stored.items()}
