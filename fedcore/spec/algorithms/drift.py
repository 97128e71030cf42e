"""Methods against the drift of local training on unequal clients."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import AlgorithmSpec, ServerRateSpec
from fedcore.spec.base import BASIC


class FedProxSpec(ServerRateSpec):
    """FedAvg with a pull towards the global model, for clients whose data differ."""

    title: ClassVar[str] = "FedProx"
    paper: ClassVar[str | None] = "Li et al., MLSys 2020, arXiv:1812.06127"
    synonyms: ClassVar[tuple[str, ...]] = ("proximal", "fed prox", "fed-prox")
    sends_one_change: ClassVar[bool] = True
    takes_plain_steps: ClassVar[bool] = True
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedprox"] = "fedprox"
    mu: float = Field(
        0.01,
        ge=0,
        le=1e6,
        title="Pull (mu)",
        description="Strength of the pull; 0 is FedAvg, 0.001 to 1 is usual.",
        json_schema_extra=BASIC,
    )


class ScaffoldSpec(ServerRateSpec):
    """Control variates on server and clients cancel the drift of local training."""

    title: ClassVar[str] = "SCAFFOLD"
    paper: ClassVar[str | None] = "Karimireddy et al., ICML 2020, arXiv:1910.06378"
    synonyms: ClassVar[tuple[str, ...]] = ("control variates", "stochastic controlled averaging")
    constraints: ClassVar[tuple[str, ...]] = (
        "local.optimizer must be sgd without momentum",
        "aggregation must be mean",
    )
    optimizers: ClassVar[tuple[str, ...]] = ("sgd",)
    allows_momentum: ClassVar[bool] = False
    needs_mean: ClassVar[bool] = True
    vectors_per_client: ClassVar[int] = 1
    vectors_sent: ClassVar[int] = 2  # the model and the control variates
    fits_sites: ClassVar[bool] = True

    kind: Literal["scaffold"] = "scaffold"


class FedNovaSpec(ServerRateSpec):
    """Updates are divided by the work behind them, so that busy clients do not pull harder."""

    title: ClassVar[str] = "FedNova"
    paper: ClassVar[str | None] = "Wang et al., NeurIPS 2020, arXiv:2007.07481"
    synonyms: ClassVar[tuple[str, ...]] = ("normalized averaging", "fed nova")
    constraints: ClassVar[tuple[str, ...]] = (
        "local.optimizer must be sgd",
        "aggregation must be mean",
    )
    optimizers: ClassVar[tuple[str, ...]] = ("sgd",)
    needs_mean: ClassVar[bool] = True
    fits_sites: ClassVar[bool] = True

    kind: Literal["fednova"] = "fednova"


class FedDynSpec(AlgorithmSpec):
    """A regulariser that changes with every round makes the clients' optima agree."""

    title: ClassVar[str] = "FedDyn"
    paper: ClassVar[str | None] = "Acar et al., ICLR 2021, arXiv:2111.04263"
    synonyms: ClassVar[tuple[str, ...]] = ("dynamic regularization", "fed dyn")
    constraints: ClassVar[tuple[str, ...]] = ("aggregation must be mean",)
    needs_mean: ClassVar[bool] = True
    vectors_per_client: ClassVar[int] = 1
    fits_sites: ClassVar[bool] = True

    kind: Literal["feddyn"] = "feddyn"
    alpha: float = Field(
        0.1,
        gt=0,
        le=1000,
        title="Regulariser (alpha)",
        description="Strength of the regulariser; 0.01 to 0.1 is usual.",
        json_schema_extra=BASIC,
    )


class MoonSpec(ServerRateSpec):
    """Clients pull what their model sees towards the global model, away from their own last one."""

    title: ClassVar[str] = "MOON"
    paper: ClassVar[str | None] = "Li, He and Song, CVPR 2021, arXiv:2103.16257"
    synonyms: ClassVar[tuple[str, ...]] = ("model-contrastive", "contrastive federated learning")
    constraints: ClassVar[tuple[str, ...]] = ("needs a model with a hidden layer",)
    needs_features: ClassVar[bool] = True
    vectors_per_client: ClassVar[int] = 1
    sends_one_change: ClassVar[bool] = True
    fits_sites: ClassVar[bool] = True

    kind: Literal["moon"] = "moon"
    mu: float = Field(
        1.0,
        ge=0,
        le=1e6,
        title="Contrast (mu)",
        description="Weight of the contrast; 0 is FedAvg, 0.1 to 10 is usual.",
        json_schema_extra=BASIC,
    )
    temperature: float = Field(
        0.5,
        gt=0,
        le=100,
        description="Smaller sharpens the contrast; 0.1 to 1 is usual.",
    )


class FedSpeedSpec(AlgorithmSpec):
    """FedDyn's regulariser, with steps along gradients that look a little ahead.

    Every step takes two gradients on the same batch: one where the model is, and one where that
    gradient leads uphill.
    """

    title: ClassVar[str] = "FedSpeed"
    paper: ClassVar[str | None] = "Sun et al., ICLR 2023, arXiv:2302.10429"
    synonyms: ClassVar[tuple[str, ...]] = ("fed speed", "prox correction")
    constraints: ClassVar[tuple[str, ...]] = ("aggregation must be mean",)
    needs_mean: ClassVar[bool] = True
    vectors_per_client: ClassVar[int] = 1
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedspeed"] = "fedspeed"
    lamb: float = Field(
        0.1,
        ge=0,
        le=1000,
        title="Pull (lambda)",
        description="Strength of the pull and of its correction; 0.01 to 1 is usual, 0 leaves the "
        "look ahead alone.",
        json_schema_extra=BASIC,
    )
    rho: float = Field(
        0.1,
        ge=0,
        le=100,
        title="Look ahead (rho)",
        description="How far to look ahead; 0 is FedDyn, 0.01 to 0.1 is usual.",
        json_schema_extra=BASIC,
    )
    alpha: float = Field(
        1.0,
        ge=0,
        le=1,
        title="Weight of the look ahead (alpha)",
        description="Weight of the gradient ahead against the one where it is.",
    )
    clip: float | None = Field(
        10.0,
        gt=0,
        le=1e9,
        title="Longest direction (clip)",
        description="Longest step direction; leave empty for none.",
    )
