"""Methods that leave every client with a model of its own."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import ServerRateSpec
from fedcore.spec.base import BASIC


class FedBnSpec(ServerRateSpec):
    """Normalisation layers stay on each client, for clients whose inputs look different.

    Weights, biases and running statistics of those layers are neither sent nor averaged. Every
    client predicts with its own. A model without such layers is trained as by FedAvg.
    """

    title: ClassVar[str] = "FedBN"
    paper: ClassVar[str | None] = "Li et al., ICLR 2021, arXiv:2102.07623"
    synonyms: ClassVar[tuple[str, ...]] = ("local batch normalization", "fed bn", "fed-bn")

    kind: Literal["fedbn"] = "fedbn"
    norms: Literal["batch", "all"] = Field(
        "batch",
        description="Which layers stay on the client: batch norm, as in the paper, or every kind "
        "of normalisation.",
        json_schema_extra=BASIC,
    )


class _SplitModel(ServerRateSpec):
    """Methods that cut a model in two, by layers."""

    head_layers: int = Field(
        1,
        ge=0,
        le=1000,
        description="How many layers, counted from the output, are the head.",
        json_schema_extra=BASIC,
    )


class FedPerSpec(_SplitModel):
    """Clients share the body of the model and keep its last layers to themselves.

    Both are trained together. Without head layers this is FedAvg.
    """

    title: ClassVar[str] = "FedPer"
    paper: ClassVar[str | None] = "Arivazhagan et al. 2019, arXiv:1912.00818"
    synonyms: ClassVar[tuple[str, ...]] = ("personalization layers", "private head", "fed per")

    kind: Literal["fedper"] = "fedper"


class FedRepSpec(_SplitModel):
    """Clients share the body of the model and keep its head, which is trained first, by itself.

    In each round a client trains its head for some epochs with the body as it was received, then
    the body, as ``local`` says, with the head as it is now. Without head layers this is FedAvg.
    """

    title: ClassVar[str] = "FedRep"
    paper: ClassVar[str | None] = "Collins et al., ICML 2021, arXiv:2102.07078"
    synonyms: ClassVar[tuple[str, ...]] = ("shared representation", "fed rep")

    kind: Literal["fedrep"] = "fedrep"
    head_epochs: int = Field(
        10,
        ge=1,
        le=10_000,
        description="Passes over the client's data that train the head; local.epochs train the "
        "body.",
        json_schema_extra=BASIC,
    )


class LgFedAvgSpec(_SplitModel):
    """Clients share the head of the model and keep the layers below, which read their own inputs.

    With as many head layers as the model has, this is FedAvg. It was made to go on from a model
    that FedAvg has trained; from a random one it is much weaker.
    """

    title: ClassVar[str] = "LG-FedAvg"
    paper: ClassVar[str | None] = "Liang et al. 2020, arXiv:2001.01523"
    synonyms: ClassVar[tuple[str, ...]] = (
        "local global federated averaging",
        "private representation",
        "lg fedavg",
    )

    kind: Literal["lg_fedavg"] = "lg_fedavg"
