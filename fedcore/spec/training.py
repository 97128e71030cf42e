"""Local training, where a run is executed and when it ends."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fedcore.spec.base import BASIC, Spec, either, instead_of, only_with, unit
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
        None,
        ge=1,
        le=10_000_000,
        description="Optimiser steps instead of epochs.",
        json_schema_extra=instead_of("epochs"),
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
    momentum: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Momentum of SGD; 0 is plain SGD.",
        json_schema_extra=only_with("optimizer", "sgd"),
    )
    weight_decay: float = Field(0.0, ge=0, le=10, description="L2 penalty on the weights.")

    @model_validator(mode="before")
    @classmethod
    def _steps_replace_epochs(cls, data: Any) -> Any:
        return either(data, "epochs", "steps")

    def examples_seen(self, num_examples: int) -> int:
        """Return how many of so many examples training works through, repetitions included."""
        if self.steps is None:
            return (self.epochs or 1) * num_examples
        steps_per_pass = -(-num_examples // self.batch_size)
        passes, rest = divmod(self.steps, max(steps_per_pass, 1))
        return passes * num_examples + min(rest * self.batch_size, num_examples)


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


class RuntimeSpec(Spec):
    """Where and under which limits the run is executed."""

    placement: Literal["local", "workers", "sites"] = Field(
        "local",
        description="One worker executes the whole run, or several workers share out the clients "
        "of each round; the numbers are the same. On sites, the clients are machines of their own.",
    )
    sites: tuple[Annotated[str, Field(min_length=1, max_length=120)], ...] = Field(
        (),
        max_length=10_000,
        description="Names of the sites that take part; each is a client, in this order.",
        json_schema_extra=only_with("placement", "sites"),
    )
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
    deadline_s: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="Simulated time after which a round goes on without the late clients.",
        json_schema_extra=unit("s"),
    )
    round_limit_s: float | None = Field(
        None,
        gt=0,
        le=1e9,
        description="Shared out over workers or sites: real time after which a round is closed "
        "with what has arrived. Workers go on until that is min_updates or more, sites fail the "
        "run if it is less. With an asynchronous method it is how long each site may take. Empty "
        "waits for all workers, and keeps runs equal.",
        json_schema_extra=unit("s"),
    )
    min_updates: int = Field(
        1, ge=1, description="A round with fewer good updates fails instead of going on."
    )
