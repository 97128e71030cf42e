"""Models that read an example as a list of numbers."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC
from fedcore.spec.data import DatasetInfo
from fedcore.spec.models.base import ModelSpec, Width, dense
from fedcore.spec.tasks import InputKind


class LinearSpec(ModelSpec):
    """One linear layer: softmax regression, or linear regression."""

    title: ClassVar[str] = "Linear"
    synonyms: ClassVar[tuple[str, ...]] = (
        "logistic regression", "softmax regression", "linear model", "softmax classifier",
        "logistische Regression", "lineares Modell", "régression logistique", "modèle linéaire",
        "regresión logística", "modelo lineal", "逻辑回归", "线性模型",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs images or numbers",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = (InputKind.IMAGE, InputKind.VECTOR)
    is_maskable: ClassVar[bool] = True

    kind: Literal["linear"] = "linear"

    def num_parameters(self, data: DatasetInfo) -> int:
        """Return weights and biases of the one layer."""
        return dense(math.prod(data.input_shape), data.num_classes)

    def layer_edges(self, data: DatasetInfo) -> tuple[int, ...]:
        """Return the weights of the one layer."""
        return (math.prod(data.input_shape) * data.num_classes,)


class MlpSpec(ModelSpec):
    """Fully connected layers with ReLU between them."""

    title: ClassVar[str] = "Multi-layer perceptron"
    synonyms: ClassVar[tuple[str, ...]] = (
        "neural network", "fully connected", "dense network", "perceptron",
        "feed-forward network", "feedforward", "mehrschichtiges Perzeptron", "Perzeptron",
        "perceptron multicouche", "perceptrón multicapa", "perceptrón", "多层感知机", "全连接",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("needs images or numbers",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = (InputKind.IMAGE, InputKind.VECTOR)
    is_maskable: ClassVar[bool] = True

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[Width, ...] = Field(
        (200, 200),
        min_length=1,
        max_length=32,
        description="Width of each hidden layer.",
        json_schema_extra=BASIC,
    )

    @property
    def feature_width(self) -> int:
        """Width of what the last layer sees."""
        return self.hidden[-1]

    def num_parameters(self, data: DatasetInfo) -> int:
        """Return weights and biases of all layers."""
        return dense(*self._widths(data))

    def layer_edges(self, data: DatasetInfo) -> tuple[int, ...]:
        """Return the weights of every layer."""
        return tuple(inputs * outputs for inputs, outputs in pairwise(self._widths(data)))

    def _widths(self, data: DatasetInfo) -> tuple[int, ...]:
        return (math.prod(data.input_shape), *self.hidden, data.num_classes)
