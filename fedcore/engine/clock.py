"""The clock of the simulated clients: computed from the spec, never measured.

A client takes as long as its hardware needs for the examples it works through, plus the transfers
both ways at its bandwidth; transfers take no time if the spec gives no bandwidth. All clients of a
round work at the same time, so a round that waits for everyone lasts as long as its slowest client.
"""

from __future__ import annotations

from fedcore.spec.training import SystemSpec, UniformSpeedSpec

BITS_PER_BYTE = 8
BITS_PER_MEGABIT = 1e6


def client_seconds(system: SystemSpec, *, num_seen: int, num_bytes: int) -> float:
    """Return how long one client takes for its part of a round."""
    if not isinstance(system.speed, UniformSpeedSpec):
        raise TypeError(f"no clock for speed {system.speed.kind}")
    seconds = num_seen / system.speed.samples_per_s
    if system.bandwidth_mbps is not None:
        seconds += num_bytes * BITS_PER_BYTE / (system.bandwidth_mbps * BITS_PER_MEGABIT)
    return seconds
