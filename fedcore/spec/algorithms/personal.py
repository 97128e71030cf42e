"""Methods that leave every client with a model of its own."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.algorithms.base import AlgorithmSpec, ServerRateSpec
from fedcore.spec.base import BASIC
from fedcore.spec.data import DatasetInfo
from fedcore.spec.models import ModelSpec
from fedcore.spec.models.base import dense


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
        title="Layers that stay (norms)",
        description="Which layers stay on the client: batch norm, as in the paper, or every kind "
        "of normalisation.",
        json_schema_extra=BASIC,
    )

    def shared_numbers(self, model: ModelSpec, data: DatasetInfo) -> int | None:
        """Return the whole model where nothing stays on the client."""
        stays = self.norms == "all" or model.has_statistics
        return None if stays else super().shared_numbers(model, data)


class _SplitModel(ServerRateSpec):
    """Methods that cut a model in two, by layers."""

    allows_frozen: ClassVar[bool] = False

    head_layers: int = Field(
        1,
        ge=0,
        le=1000,
        description="How many layers, counted from the output, are the head.",
        json_schema_extra=BASIC,
    )

    def _head_numbers(self, model: ModelSpec, data: DatasetInfo) -> int | None:
        """Return the size of the head, as far as the model tells it."""
        if self.head_layers == 0:
            return 0
        width = model.feature_width
        return dense(width, data.num_classes) if self.head_layers == 1 and width else None


class _SharedBody(_SplitModel):
    """Methods that share the layers below the head."""

    def shared_numbers(self, model: ModelSpec, data: DatasetInfo) -> int | None:
        """Return the size of the body."""
        whole, head = super().shared_numbers(model, data), self._head_numbers(model, data)
        return None if whole is None or head is None else whole - head


class FedPerSpec(_SharedBody):
    """Clients share the body of the model and keep its last layers to themselves.

    Both are trained together. Without head layers this is FedAvg.
    """

    title: ClassVar[str] = "FedPer"
    paper: ClassVar[str | None] = "Arivazhagan et al. 2019, arXiv:1912.00818"
    synonyms: ClassVar[tuple[str, ...]] = ("personalization layers", "private head", "fed per")

    kind: Literal["fedper"] = "fedper"


class FedRepSpec(_SharedBody):
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

    def shared_numbers(self, model: ModelSpec, data: DatasetInfo) -> int | None:
        """Return the size of the head."""
        return self._head_numbers(model, data)


class DittoSpec(ServerRateSpec):
    """FedAvg, and beside it each client trains a personal model that is pulled towards the global.

    The global model is FedAvg's, whatever the pull is. Personal models never travel. A pull times
    the learning rate of 1 or more makes them diverge.
    """

    title: ClassVar[str] = "Ditto"
    paper: ClassVar[str | None] = "Li et al., ICML 2021, arXiv:2012.04221"
    synonyms: ClassVar[tuple[str, ...]] = ("fair and robust personalization", "personal models")
    constraints: ClassVar[tuple[str, ...]] = ("pull times local.lr below 1, with sgd",)

    kind: Literal["ditto"] = "ditto"
    pull: float = Field(
        0.1,
        ge=0,
        le=1e6,
        description="Strength of the pull, the paper's lambda; 0 trains each client alone, 0.05 to "
        "2 is usual.",
        json_schema_extra=BASIC,
    )
    personal_epochs: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Passes that train the personal model; empty for as long as the global one.",
    )


class FedGhSpec(AlgorithmSpec):
    """Clients keep models of any architecture; the server trains one output layer for all of them.

    A client sends the mean of what its last layer sees of each class that it holds, never weights.
    On these the server trains the header with which all clients go on.
    """

    title: ClassVar[str] = "FedGH"
    paper: ClassVar[str | None] = "Yi et al., ACM MM 2023, arXiv:2303.13137"
    takes_parts: ClassVar[bool] = False  # the server trains on every update by itself
    synonyms: ClassVar[tuple[str, ...]] = (
        "generalized global header",
        "heterogeneous models",
        "different architectures",
        "fed gh",
    )
    constraints: ClassVar[tuple[str, ...]] = (
        "needs classes, and models with a hidden layer of one width",
        "aggregation must be mean; it is not used",
        "messages cannot be compressed",
    )
    needs_mean: ClassVar[bool] = True
    needs_features: ClassVar[bool] = True
    needs_classes: ClassVar[bool] = True
    allows_frozen: ClassVar[bool] = False
    has_own_messages: ClassVar[bool] = True

    kind: Literal["fedgh"] = "fedgh"
    models: tuple[ModelSpec, ...] = Field(
        (),
        max_length=32,
        title="Further models",
        description="Further architectures beside model: client i has the i-th of all of them, "
        "counted from 0 and round again.",
        json_schema_extra=BASIC,
    )
    header_lr: float = Field(
        0.01, ge=0, le=1000, description="Learning rate of the server; 0.001 to 1 is usual."
    )
    header_epochs: int = Field(
        1, ge=1, le=10_000, description="Passes of the server over the class means of a round."
    )
    header_batch: int = Field(
        1,
        ge=1,
        le=1_000_000,
        description="Class means per step of the server: 1 takes them client by client, as the "
        "authors do, more shuffles them.",
    )
    weighted: bool = Field(
        default=False,
        title="Class means by examples",
        description="Let class means count by the examples behind them.",
    )
    replace_header: bool = Field(
        default=True,
        description="Start a client's round from the server's header; without, clients train "
        "alone.",
    )
    predict_with: Literal["own_header", "global_header"] = Field(
        "own_header",
        description="Header with which a client is tested: as its own training left it, or the "
        "server's newest.",
    )
    max_grad_norm: float = Field(
        50.0, gt=0, le=1e9, description="Longest gradient of a step on a client; it is shortened."
    )

    @property
    def other_models(self) -> tuple[ModelSpec, ...]:
        """Models of further architectures."""
        return self.models

    def message_bytes(
        self,
        model: ModelSpec,
        data: DatasetInfo,
        steps: int | None,  # noqa: ARG002
    ) -> tuple[int, int] | None:
        """Return label, count and mean of every class up, and the header down."""
        width = model.feature_width
        if width is None:
            return None
        # A client that lacks classes sends less.
        return 4 * data.num_classes * (width + 2), 4 * dense(width, data.num_classes)
