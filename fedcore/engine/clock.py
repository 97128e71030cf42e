"""The clock of the simulated clients: computed from the spec, never measured.

A client takes as long as its hardware needs for the examples it works through, plus the transfers
both ways at its bandwidth and latency. All clients of a round work at the same time, so a round
lasts as long as the slowest client whose update is used, or until the deadline if somebody is late.
Whether a client is slow, straggles or is lost depends on the seed alone, not on who executes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch

from fedcore.registry import Registry
from fedcore.rng import Purpose, rng
from fedcore.spec.system import (
    LognormalSpeedSpec,
    SpeedSpec,
    SystemSpec,
    TieredSpeedSpec,
    UniformSpeedSpec,
)

BITS_PER_BYTE = 8
BITS_PER_MEGABIT = 1e6


@dataclass(frozen=True)
class Clock:
    """Time and losses of the simulated clients of one run.

    Attributes:
        system: Their hardware.
        seed: Seed of the run.
        messages_in_turn: How many messages of a client's round wait for each other; the latency is
            paid for each.
    """

    system: SystemSpec
    seed: int
    messages_in_turn: int = 2

    def seconds(self, round_index: int, client_id: int, *, num_seen: int, num_bytes: int) -> float:
        """Return how long one client takes for its part of a round.

        Args:
            round_index: Which round.
            client_id: Which client.
            num_seen: Examples it works through, repetitions included.
            num_bytes: Size of its messages, both ways.
        """
        seconds = num_seen / self.speed(client_id)
        if self._happens(Purpose.STRAGGLER, self.system.stragglers, round_index, client_id):
            seconds *= self.system.straggler_factor
        if self.system.bandwidth_mbps is not None:
            seconds += num_bytes * BITS_PER_BYTE / (self.system.bandwidth_mbps * BITS_PER_MEGABIT)
        return seconds + self.messages_in_turn * self.system.latency_s

    def typical_seconds(self, client_id: int, *, num_seen: int, num_bytes: int) -> float:
        """Return how long a client takes on average, rounds in which it straggles included."""
        calm = replace(self, system=self.system.model_copy(update={"stragglers": 0.0}))
        seconds = calm.seconds(0, client_id, num_seen=num_seen, num_bytes=num_bytes)
        slower = self.system.stragglers * (self.system.straggler_factor - 1)
        return seconds + slower * num_seen / self.speed(client_id)

    def speed(self, client_id: int) -> float:
        """Return how many examples per second a client works through when it does not straggle."""
        law = SPEEDS.of(self.system.speed)
        factor = law(self.system.speed, lambda: rng(self.seed, Purpose.SPEED, client_id=client_id))
        return self.system.speed.samples_per_s * factor

    def is_lost(self, round_index: int, client_id: int) -> bool:
        """Return whether a client is lost in a round before its answer arrives."""
        return self._happens(Purpose.DROPOUT, self.system.dropout, round_index, client_id)

    def _happens(self, purpose: Purpose, chance: float, round_index: int, client_id: int) -> bool:
        if chance == 0:
            return False
        return float(torch.rand((), generator=rng(self.seed, purpose, round_index, client_id))) < (
            chance
        )


class SpeedLaw(Protocol):
    """Returns a client's speed as a factor on ``samples_per_s``."""

    def __call__(self, spec: SpeedSpec, generator: Callable[[], torch.Generator]) -> float:
        """Return the factor; the generator, which is made if it is asked for, is the client's."""


SPEEDS: Registry[SpeedLaw] = Registry(SpeedSpec)


@SPEEDS.implements(UniformSpeedSpec)
def _uniform(
    spec: UniformSpeedSpec,  # noqa: ARG001
    generator: Callable[[], torch.Generator],  # noqa: ARG001
) -> float:
    return 1.0


@SPEEDS.implements(LognormalSpeedSpec)
def _lognormal(spec: LognormalSpeedSpec, generator: Callable[[], torch.Generator]) -> float:
    return math.exp(spec.sigma * float(torch.randn((), generator=generator())))


@SPEEDS.implements(TieredSpeedSpec)
def _tiers(spec: TieredSpeedSpec, generator: Callable[[], torch.Generator]) -> float:
    is_slow = float(torch.rand((), generator=generator())) < spec.slow_fraction
    return 1.0 / spec.slowdown if is_slow else 1.0
