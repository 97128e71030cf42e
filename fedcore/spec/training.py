"""Local training, who takes part, who talks to whom, and when a run ends."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from fedcore.spec.base import BASIC, Choice, Spec, either, unit
from fedcore.spec.tasks import MetricName


class LocalSpec(Spec):
    """Training on one client in one round; optimiser state starts fresh every round."""

    epochs: int | None = Field(
        3,
        ge=1,
        le=10_000,
        description="Passes over the client's data; leave empty when steps are given.",
        json_schema_extra=BASIC,
    )
    steps: int | None = Field(
        None, ge=1, le=10_000_000, description="Optimiser steps instead of epochs."
    )
    batch_size: int = Field(
        16, ge=1, le=1_000_000, description="Examples per step.", json_schema_extra=BASIC
    )
    optimizer: Literal["sgd", "adam", "adamw"] = Field(
        "sgd", description="The clients' optimiser.", json_schema_extra=BASIC
    )
    lr: float = Field(
        0.1, gt=0, le=1000, description="The clients' learning rate.", json_schema_extra=BASIC
    )
    momentum: float = Field(0.0, ge=0, lt=1, description="Momentum of SGD; 0 is plain SGD.")
    weight_decay: float = Field(0.0, ge=0, le=10, description="L2 penalty on the weights.")

    @model_validator(mode="before")
    @classmethod
    def _steps_replace_epochs(cls, data: Any) -> Any:
        return either(data, "epochs", "steps")


class SamplingSpec(Choice):
    """Which clients take part in a round."""

    section: ClassVar[str] = "sampling"

    def cohort_size(self, clients: int) -> int:
        """Return how many of ``clients`` clients one round has."""
        return clients


class FullSamplingSpec(SamplingSpec):
    """Every client takes part in every round."""

    title: ClassVar[str] = "All clients"
    synonyms: ClassVar[tuple[str, ...]] = ("full participation", "everyone", "all")

    kind: Literal["full"] = "full"


class RandomSamplingSpec(SamplingSpec):
    """A fresh uniform sample without replacement in every round."""

    title: ClassVar[str] = "Random clients"
    synonyms: ClassVar[tuple[str, ...]] = ("client fraction", "uniform sampling", "partial")

    kind: Literal["random"] = "random"
    fraction: float | None = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of all clients; leave empty when a count is given.",
        json_schema_extra=BASIC,
    )
    count: int | None = Field(None, ge=1, description="Number of clients instead of a share.")

    @model_validator(mode="before")
    @classmethod
    def _count_replaces_fraction(cls, data: Any) -> Any:
        return either(data, "fraction", "count")

    def cohort_size(self, clients: int) -> int:
        """Return ``count``, or the share of the clients rounded to the nearest, at least one."""
        if self.count is not None:
            return min(self.count, clients)
        return min(clients, max(1, math.floor((self.fraction or 1.0) * clients + 0.5)))


class TargetSpec(Spec):
    """Stop as soon as a metric of the evaluation is good enough."""

    metric: MetricName = Field(
        "accuracy", description="Metric to watch; which ones there are depends on the data."
    )
    value: float = Field(
        description="At least this for accuracy, r2, micro_f1 and subset_accuracy, else at most."
    )


class EvaluationSpec(Spec):
    """When the global model is tested, and when that ends the run."""

    every: int = Field(1, ge=1, le=1_000_000, description="Test after every so many rounds.")
    per_client: bool = Field(
        default=False, description="Also test on each client's own data, which takes longer."
    )
    target: TargetSpec | None = Field(None, description="Stop early once this is reached.")
    patience: int | None = Field(
        None, ge=1, description="Stop after so many tests without a better loss."
    )


class SpeedSpec(Choice):
    """How fast the simulated clients compute."""

    section: ClassVar[str] = "system.speed"


class UniformSpeedSpec(SpeedSpec):
    """All clients are equally fast."""

    title: ClassVar[str] = "Equal speed"

    kind: Literal["uniform"] = "uniform"
    samples_per_s: float = Field(
        1000.0,
        gt=0,
        le=1e12,
        description="Training examples that a client works through per second.",
        json_schema_extra=unit("examples/s"),
    )


class SystemSpec(Spec):
    """Hardware of the simulated clients; it moves the simulated clock and nothing else."""

    speed: SpeedSpec = Field(UniformSpeedSpec(), description="How fast the clients compute.")
    bandwidth_mbps: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="Bandwidth of each client, both ways; empty means transfers take no time.",
        json_schema_extra=unit("Mbit/s"),
    )


class TopologySpec(Choice):
    """Who talks to whom."""

    section: ClassVar[str] = "topology"


class StarSpec(TopologySpec):
    """Every client talks to one server."""

    title: ClassVar[str] = "Star"
    synonyms: ClassVar[tuple[str, ...]] = ("central server", "client-server")

    kind: Literal["star"] = "star"


class RuntimeSpec(Spec):
    """Where and under which limits the run is executed."""

    placement: Literal["local"] = Field("local", description="One worker executes the whole run.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Processor of the worker; auto takes a GPU when there is one."
    )
    executor: Literal["auto", "sequential", "pool", "stacked"] = Field(
        "auto",
        description="Clients one after another, over processes, or stacked into one computation; "
        "auto measures.",
    )
    processes: int | None = Field(
        None, ge=1, le=1024, description="Processes of the pool; empty means one per core."
    )
    kernels: Literal["auto", "autograd", "fused", "compiled"] = Field(
        "auto",
        description="How local steps are computed; they differ in speed and in rounding. "
        "Autograd computes everything, the others the built-in models with plain SGD.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="Numbers of local training; bfloat16 is less exact and faster on some "
        "processors.",
    )
    min_updates: int = Field(
        1, ge=1, description="A round with fewer good updates fails instead of going on."
    )
