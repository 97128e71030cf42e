"""FedAvg and what it grew out of."""

from __future__ import annotations

from typing import ClassVar, Literal

from fedcore.spec.algorithms.base import ServerRateSpec


class FedAvgSpec(ServerRateSpec):
    """Clients train a copy of the model; the server averages the copies by number of examples."""

    title: ClassVar[str] = "FedAvg"
    paper: ClassVar[str | None] = "McMahan et al., AISTATS 2017, arXiv:1602.05629"
    synonyms: ClassVar[tuple[str, ...]] = (
        "federated averaging", "fed avg", "fed-avg", "federated average", "联邦平均",
    )  # fmt: skip
    sends_one_change: ClassVar[bool] = True
    takes_plain_steps: ClassVar[bool] = True
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedavg"] = "fedavg"


class FedSgdSpec(ServerRateSpec):
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
    sends_one_change: ClassVar[bool] = True
    fits_sites: ClassVar[bool] = True

    kind: Literal["fedsgd"] = "fedsgd"
