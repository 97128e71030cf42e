"""Optimisers on the server."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import AlgorithmSpec, ServerRateSpec
from fedcore.spec.base import BASIC

_MOMENTUM = "Server momentum (beta1)"
_SQUARES = "Memory of squares (beta2)"


class _AdaptiveServer(AlgorithmSpec):
    """An optimiser with a second moment on the server."""

    sends_one_change: ClassVar[bool] = True
    takes_plain_steps: ClassVar[bool] = True

    server_lr: float = Field(
        0.1,
        gt=0,
        le=1000,
        description="Learning rate of the server; 0.01 to 1 is usual.",
        json_schema_extra=BASIC,
    )
    beta1: float = Field(
        0.9, ge=0, lt=1, title=_MOMENTUM, description="Decay of the server's mean update."
    )
    tau: float = Field(
        1e-3,
        gt=0,
        le=1000,
        title="Adaptivity (tau)",
        description="Added to the root: smaller adapts more per parameter.",
    )


class FedAdamSpec(_AdaptiveServer):
    """The server applies Adam, without bias correction, to the mean update."""

    title: ClassVar[str] = "FedAdam"
    paper: ClassVar[str | None] = "Reddi et al., ICLR 2021, arXiv:2003.00295"
    synonyms: ClassVar[tuple[str, ...]] = ("fedopt", "adaptive federated optimization", "fed adam")
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedadam"] = "fedadam"
    beta2: float = Field(
        0.99, ge=0, lt=1, title=_SQUARES, description="Decay of the server's squared update."
    )


class FedYogiSpec(_AdaptiveServer):
    """The server applies Yogi, whose second moment moves in small steps, to the mean update."""

    title: ClassVar[str] = "FedYogi"
    paper: ClassVar[str | None] = "Reddi et al., ICLR 2021, arXiv:2003.00295"
    synonyms: ClassVar[tuple[str, ...]] = ("fed yogi",)
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedyogi"] = "fedyogi"
    beta2: float = Field(
        0.99, ge=0, lt=1, title=_SQUARES, description="Decay of the server's squared update."
    )


class FedAdagradSpec(_AdaptiveServer):
    """The server applies Adagrad, whose steps only ever shrink, to the mean update."""

    title: ClassVar[str] = "FedAdagrad"
    paper: ClassVar[str | None] = "Reddi et al., ICLR 2021, arXiv:2003.00295"
    synonyms: ClassVar[tuple[str, ...]] = ("fed adagrad",)
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedadagrad"] = "fedadagrad"
    beta1: float = Field(
        0.0, ge=0, lt=1, title=_MOMENTUM, description="Decay of the server's mean update."
    )


class FedAvgMSpec(ServerRateSpec):
    """FedAvg with momentum on the server."""

    title: ClassVar[str] = "FedAvgM"
    paper: ClassVar[str | None] = "Hsu et al. 2019, arXiv:1909.06335"
    synonyms: ClassVar[tuple[str, ...]] = (
        "server momentum", "fedavg with momentum", "momentum on the server",
        "server-side momentum",
    )  # fmt: skip
    sends_one_change: ClassVar[bool] = True
    takes_plain_steps: ClassVar[bool] = True
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedavgm"] = "fedavgm"
    beta: float = Field(
        0.9,
        ge=0,
        lt=1,
        title="Server momentum (beta)",
        description="Momentum of the server; 0 is FedAvg.",
        json_schema_extra=BASIC,
    )
