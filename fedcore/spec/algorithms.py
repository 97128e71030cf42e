"""Federated methods: one class per method card, its hyper-parameters beside it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import Choice


class AlgorithmSpec(Choice):
    """The federated method: what clients optimise and what the server does with their updates.

    Attributes:
        optimizers: The clients' optimisers with which the method is correct.
        allows_momentum: Whether it is correct with momentum on the clients.
        needs_mean: Whether its server step is only defined for the mean of the updates.
        needs_features: Whether it compares what a model's last layer sees.
    """

    section: ClassVar[str] = "algorithm"
    optimizers: ClassVar[tuple[str, ...]] = ("sgd", "adam", "adamw")
    allows_momentum: ClassVar[bool] = True
    needs_mean: ClassVar[bool] = False
    needs_features: ClassVar[bool] = False


class _ServerRate(AlgorithmSpec):
    """Methods whose server walks along the mean update with a step of its own."""

    server_lr: float = Field(
        1.0, gt=0, le=1000, description="Step of the server along the mean update; 1 is FedAvg."
    )


class FedAvgSpec(_ServerRate):
    """Clients train a copy of the model; the server averages the copies by number of examples."""

    title: ClassVar[str] = "FedAvg"
    paper: ClassVar[str | None] = "McMahan et al., AISTATS 2017, arXiv:1602.05629"
    synonyms: ClassVar[tuple[str, ...]] = ("federated averaging", "fed avg", "fed-avg")

    kind: Literal["fedavg"] = "fedavg"


class FedSgdSpec(_ServerRate):
    """Each client sends one gradient over all of its data; the server takes one step.

    The local learning rate is the server's step length; epochs, steps and batch size have no
    effect.
    """

    title: ClassVar[str] = "FedSGD"
    paper: ClassVar[str | None] = "McMahan et al., AISTATS 2017, arXiv:1602.05629"
    synonyms: ClassVar[tuple[str, ...]] = ("federated sgd", "federated gradient descent")
    constraints: ClassVar[tuple[str, ...]] = ("local.optimizer must be sgd without momentum",)
    optimizers: ClassVar[tuple[str, ...]] = ("sgd",)
    allows_momentum: ClassVar[bool] = False

    kind: Literal["fedsgd"] = "fedsgd"


class FedProxSpec(_ServerRate):
    """FedAvg with a pull towards the global model, for clients whose data differ."""

    title: ClassVar[str] = "FedProx"
    paper: ClassVar[str | None] = "Li et al., MLSys 2020, arXiv:1812.06127"
    synonyms: ClassVar[tuple[str, ...]] = ("proximal", "fed prox", "fed-prox")

    kind: Literal["fedprox"] = "fedprox"
    mu: float = Field(
        0.01, ge=0, le=1e6, description="Strength of the pull; 0 is FedAvg, 0.001 to 1 is usual."
    )


class ScaffoldSpec(_ServerRate):
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

    kind: Literal["scaffold"] = "scaffold"


class _AdaptiveServer(AlgorithmSpec):
    """An optimiser with a second moment on the server."""

    server_lr: float = Field(
        0.1, gt=0, le=1000, description="Learning rate of the server; 0.01 to 1 is usual."
    )
    beta1: float = Field(0.9, ge=0, lt=1, description="Decay of the server's mean update.")
    tau: float = Field(
        1e-3, gt=0, le=1000, description="Added to the root: smaller adapts more per parameter."
    )


class FedAdamSpec(_AdaptiveServer):
    """The server applies Adam, without bias correction, to the mean update."""

    title: ClassVar[str] = "FedAdam"
    paper: ClassVar[str | None] = "Reddi et al., ICLR 2021, arXiv:2003.00295"
    synonyms: ClassVar[tuple[str, ...]] = ("fedopt", "adaptive federated optimization", "fed adam")

    kind: Literal["fedadam"] = "fedadam"
    beta2: float = Field(0.99, ge=0, lt=1, description="Decay of the server's squared update.")


class FedYogiSpec(_AdaptiveServer):
    """The server applies Yogi, whose second moment moves in small steps, to the mean update."""

    title: ClassVar[str] = "FedYogi"
    paper: ClassVar[str | None] = "Reddi et al., ICLR 2021, arXiv:2003.00295"
    synonyms: ClassVar[tuple[str, ...]] = ("fed yogi",)

    kind: Literal["fedyogi"] = "fedyogi"
    beta2: float = Field(0.99, ge=0, lt=1, description="Decay of the server's squared update.")


class FedAdagradSpec(_AdaptiveServer):
    """The server applies Adagrad, whose steps only ever shrink, to the mean update."""

    title: ClassVar[str] = "FedAdagrad"
    paper: ClassVar[str | None] = "Reddi et al., ICLR 2021, arXiv:2003.00295"
    synonyms: ClassVar[tuple[str, ...]] = ("fed adagrad",)

    kind: Literal["fedadagrad"] = "fedadagrad"
    beta1: float = Field(0.0, ge=0, lt=1, description="Decay of the server's mean update.")


class FedAvgMSpec(_ServerRate):
    """FedAvg with momentum on the server."""

    title: ClassVar[str] = "FedAvgM"
    paper: ClassVar[str | None] = "Hsu et al. 2019, arXiv:1909.06335"
    synonyms: ClassVar[tuple[str, ...]] = ("server momentum", "fedavg with momentum")

    kind: Literal["fedavgm"] = "fedavgm"
    beta: float = Field(0.9, ge=0, lt=1, description="Momentum of the server; 0 is FedAvg.")


class FedNovaSpec(_ServerRate):
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

    kind: Literal["fednova"] = "fednova"


class FedDynSpec(AlgorithmSpec):
    """A regulariser that changes with every round makes the clients' optima agree."""

    title: ClassVar[str] = "FedDyn"
    paper: ClassVar[str | None] = "Acar et al., ICLR 2021, arXiv:2111.04263"
    synonyms: ClassVar[tuple[str, ...]] = ("dynamic regularization", "fed dyn")
    constraints: ClassVar[tuple[str, ...]] = ("aggregation must be mean",)
    needs_mean: ClassVar[bool] = True

    kind: Literal["feddyn"] = "feddyn"
    alpha: float = Field(
        0.1, gt=0, le=1000, description="Strength of the regulariser; 0.01 to 0.1 is usual."
    )


class MoonSpec(_ServerRate):
    """Clients pull what their model sees towards the global model, away from their own last one."""

    title: ClassVar[str] = "MOON"
    paper: ClassVar[str | None] = "Li, He and Song, CVPR 2021, arXiv:2103.16257"
    synonyms: ClassVar[tuple[str, ...]] = ("model-contrastive", "contrastive federated learning")
    constraints: ClassVar[tuple[str, ...]] = ("needs a model with a hidden layer",)
    needs_features: ClassVar[bool] = True

    kind: Literal["moon"] = "moon"
    mu: float = Field(
        1.0, ge=0, le=1e6, description="Weight of the contrast; 0 is FedAvg, 0.1 to 10 is usual."
    )
    temperature: float = Field(0.5, gt=0, le=100, description="Temperature of the contrast.")
