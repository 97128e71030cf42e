"""Models and what of them is trained."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC, Choice
from fedcore.spec.data import DatasetInfo

Width = Annotated[int, Field(ge=1, le=65_536)]


class ModelSpec(Choice):
    """The model that all clients train."""

    section: ClassVar[str] = "model"
    needs_image: ClassVar[bool] = False

    def num_parameters(self, data: DatasetInfo) -> int | None:  # noqa: ARG002
        """Return the number of trainable numbers for this data, or None if it is not known yet."""
        return None


class LinearSpec(ModelSpec):
    """One linear layer: softmax regression."""

    title: ClassVar[str] = "Linear"
    synonyms: ClassVar[tuple[str, ...]] = ("logistic regression", "softmax regression")

    kind: Literal["linear"] = "linear"

    def num_parameters(self, data: DatasetInfo) -> int:
        """Return weights and biases of the one layer."""
        return _dense([math.prod(data.input_shape), data.num_classes])


class MlpSpec(ModelSpec):
    """Fully connected layers with ReLU between them."""

    title: ClassVar[str] = "Multi-layer perceptron"
    synonyms: ClassVar[tuple[str, ...]] = ("neural network", "fully connected", "dense network")

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[Width, ...] = Field(
        (200, 200),
        min_length=1,
        max_length=32,
        description="Width of each hidden layer.",
        json_schema_extra=BASIC,
    )

    def num_parameters(self, data: DatasetInfo) -> int:
        """Return weights and biases of all layers."""
        return _dense([math.prod(data.input_shape), *self.hidden, data.num_classes])


class CnnSpec(ModelSpec):
    """LEAF's convolutional network: 5x5 convolutions, each with 2x2 pooling, then a dense layer."""

    title: ClassVar[str] = "Convolutional network"
    paper: ClassVar[str | None] = "Caldas et al. 2018, LEAF, arXiv:1812.01097"
    synonyms: ClassVar[tuple[str, ...]] = ("convnet", "convolutional neural network")
    constraints: ClassVar[tuple[str, ...]] = ("needs images",)
    needs_image: ClassVar[bool] = True
    kernel_size: ClassVar[int] = 5

    kind: Literal["cnn"] = "cnn"
    channels: tuple[Width, ...] = Field(
        (32, 64), min_length=1, max_length=8, description="Channels of each convolution."
    )
    hidden: Width = Field(2048, description="Width of the dense layer.")

    def num_parameters(self, data: DatasetInfo) -> int | None:
        """Return weights and biases of the convolutions and both dense layers."""
        if not data.is_image:
            return None
        first, height, width = data.input_shape
        area = self.kernel_size**2
        steps = pairwise((first, *self.channels))
        convolutions = sum(out * (inp * area + 1) for inp, out in steps)
        shrink = 2 ** len(self.channels)
        flat = self.channels[-1] * (height // shrink) * (width // shrink)
        return convolutions + _dense([flat, self.hidden, data.num_classes])


class PeftSpec(Choice):
    """Which part of the model is trained and sent."""

    section: ClassVar[str] = "peft"


class FullTrainingSpec(PeftSpec):
    """All parameters are trained and sent."""

    title: ClassVar[str] = "Full training"
    synonyms: ClassVar[tuple[str, ...]] = ("full fine-tuning", "no adapter")

    kind: Literal["none"] = "none"


def _dense(widths: list[int]) -> int:
    return sum(out * (inp + 1) for inp, out in pairwise(widths))
