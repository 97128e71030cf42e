"""Methods whose server goes on while clients are still at work."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import ServerRateSpec
from fedcore.spec.base import BASIC

_PAPER = "Fraboni et al., JMLR 24(110), 2023, arXiv:2206.10189"


class _AsynchronousSpec(ServerRateSpec):
    """The server adds ``server_lr * d_i * delta_i`` for every update that a round uses."""

    constraints: ClassVar[tuple[str, ...]] = (
        "aggregation must be mean, weighted by samples",
        "runtime.deadline_s must be empty: nobody is waited for",
    )
    needs_mean: ClassVar[bool] = True
    fits_sites: ClassVar[bool] = True
    weighs_updates: ClassVar[bool] = True
    is_asynchronous: ClassVar[bool] = True
    takes_parts: ClassVar[bool] = False
    takes_plain_steps: ClassVar[bool] = True
    #: The version of the model that each client at work began with.
    vectors_per_client: ClassVar[int] = 1


class AsyncFedAvgSpec(_AsynchronousSpec):
    """The server takes a step at every single arrival; a round is one update.

    Slow clients arrive seldom, so their updates count more: each client has its share in the long
    run, whatever its speed.
    """

    title: ClassVar[str] = "Asynchronous FedAvg"
    paper: ClassVar[str | None] = _PAPER
    synonyms: ClassVar[tuple[str, ...]] = ("async fedavg", "asynchronous federated averaging")
    example: ClassVar[dict[str, Any]] = {"sampling": {"kind": "full"}}

    kind: Literal["async-fedavg"] = "async-fedavg"
    weights: Literal["unbiased", "identical"] = Field(
        "unbiased",
        title="Weights of updates",
        description="Unbiased corrects for speed; identical counts every arrival as 1, which "
        "favours fast clients.",
    )

    @property
    def needs_everyone(self) -> bool:
        """All clients are at work all the time."""
        return True

    def updates_per_round(self, cohort: int) -> int:  # noqa: ARG002
        """Return 1."""
        return 1


class FedFixSpec(_AsynchronousSpec):
    """The server takes a step at fixed times, with whatever has arrived since the last one.

    A client that is early waits for the tick; one that is late goes on with its old model, and
    counts more when it delivers.
    """

    title: ClassVar[str] = "FedFix"
    paper: ClassVar[str | None] = _PAPER
    synonyms: ClassVar[tuple[str, ...]] = ("fed fix", "fixed time aggregation")
    steps_by_time: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {"sampling": {"kind": "full"}}

    kind: Literal["fedfix"] = "fedfix"
    tick: float = Field(
        0.5,
        gt=0,
        le=1000,
        title="Time between steps (tick)",
        description="Time between two steps, in times of the slowest client; 1 or more is "
        "synchronous. On real sites in times of runtime.round_limit_s.",
        json_schema_extra=BASIC,
    )
    weights: Literal["unbiased", "identical"] = Field(
        "unbiased",
        title="Weights of updates",
        description="Unbiased counts an update once for every tick that it took; identical counts "
        "all alike, which favours fast clients.",
    )

    @property
    def needs_everyone(self) -> bool:
        """All clients are at work all the time."""
        return True


class FedBuffSpec(_AsynchronousSpec):
    """The server takes a step when it has a number of updates, however old they are."""

    title: ClassVar[str] = "FedBuff"
    paper: ClassVar[str | None] = "Nguyen et al., AISTATS 2022, arXiv:2106.06639"
    synonyms: ClassVar[tuple[str, ...]] = ("fed buff", "buffered asynchronous aggregation")

    kind: Literal["fedbuff"] = "fedbuff"
    buffer: int = Field(
        5,
        ge=1,
        le=1_000_000,
        title="Updates per step (buffer)",
        description="How many updates the server waits for; 5 to 10 is usual.",
        json_schema_extra=BASIC,
    )
    weights: Literal["uniform", "unbiased"] = Field(
        "uniform",
        title="Weights of updates",
        description="Uniform divides by the size of the buffer, as in the paper; unbiased counts a "
        "client's update once for every step since it could have delivered (Fraboni et al.).",
    )
    staleness_discount: bool = Field(
        default=True,
        title="Discount for staleness",
        description="Divide an update by the root of 1 plus its staleness.",
    )
    restart: Literal["immediate", "at_aggregation"] = Field(
        "immediate",
        title="Next client starts (restart)",
        description="When a client that has delivered is replaced: at once, with the model as it "
        "is, or at the next step, with the next model.",
    )

    @property
    def needs_everyone(self) -> bool:
        """Unbiased weights are only right if all clients are at work all the time."""
        return self.weights == "unbiased"

    def updates_per_round(self, cohort: int) -> int:
        """Return the size of the buffer."""
        return min(self.buffer, cohort)
