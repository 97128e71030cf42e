"""Hardware of the simulated clients: how fast they are, and how often they fail."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import Choice, Spec, unit


class SpeedSpec(Choice):
    """How fast the simulated clients compute."""

    section: ClassVar[str] = "system.speed"

    samples_per_s: float = Field(
        1000.0,
        gt=0,
        le=1e12,
        description="Training examples that a typical client works through per second.",
        json_schema_extra=unit("examples/s"),
    )


class UniformSpeedSpec(SpeedSpec):
    """All clients are equally fast."""

    title: ClassVar[str] = "Equal speed"

    kind: Literal["uniform"] = "uniform"


class LognormalSpeedSpec(SpeedSpec):
    """Speeds follow a log-normal law: most are near the median, a few are much slower or faster."""

    title: ClassVar[str] = "Log-normal speed"
    synonyms: ClassVar[tuple[str, ...]] = (
        "heterogeneous devices", "device heterogeneity", "lognormal speeds", "log-normal speeds",
        "different speeds",
    )  # fmt: skip

    kind: Literal["lognormal"] = "lognormal"
    sigma: float = Field(
        0.5, ge=0, le=5, description="Spread of the logarithm of the speed; 0 is equal speed."
    )


class TieredSpeedSpec(SpeedSpec):
    """A fixed share of the clients is slower than the others by a factor."""

    title: ClassVar[str] = "Fast and slow clients"
    synonyms: ClassVar[tuple[str, ...]] = (
        "slow devices", "two tiers", "slow and fast clients",
    )  # fmt: skip

    kind: Literal["tiers"] = "tiers"
    slow_fraction: float = Field(0.2, ge=0, le=1, description="Share of slow clients.")
    slowdown: float = Field(5.0, ge=1, le=1e6, description="How many times slower they are.")


class SystemSpec(Spec):
    """Hardware of the simulated clients.

    It moves the simulated clock, and decides which updates are lost or late.
    """

    speed: SpeedSpec = Field(UniformSpeedSpec(), description="How fast the clients compute.")
    bandwidth_mbps: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="Bandwidth of each client, both ways; empty means transfers take no time.",
        json_schema_extra=unit("Mbit/s"),
    )
    latency_s: float = Field(
        0.0,
        ge=0,
        le=86_400,
        description="Time that a message needs on top of its transfer, each way.",
        json_schema_extra=unit("s"),
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Chance that a client is lost in a round before it answers."
    )
    stragglers: float = Field(
        0.0, ge=0, le=1, description="Chance that a client is slowed down in a round."
    )
    straggler_factor: float = Field(
        10.0, ge=1, le=1e6, description="How many times slower a straggler computes."
    )
