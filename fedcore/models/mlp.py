"""Fully connected layers with ReLU between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from fedcore.models.base import MODELS, DataShape, ParameterInfo, dense_parameters
from fedcore.models.blocks import linear
from fedcore.spec.models import MlpSpec


@MODELS.implements(MlpSpec)
@dataclass(frozen=True)
class Mlp:
    """Multi-layer perceptron on the flattened input."""

    spec: MlpSpec
    data: DataShape

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return weights and biases, layer by layer."""
        inputs = math.prod(self.data.input_shape)
        return dense_parameters("layers", (inputs, *self.spec.hidden, self.data.num_classes))

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits of shape (n, classes)."""
        return linear(params, f"layers.{len(self.spec.hidden)}", self.features(params, x))

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return what the last layer sees, shape (n, width of the last hidden layer)."""
        hidden = x.flatten(1)
        for layer in range(len(self.spec.hidden)):
            hidden = functional.relu(linear(params, f"layers.{layer}", hidden))
        return hidden
