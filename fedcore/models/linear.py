"""Softmax regression."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from fedcore.models.base import MODELS, DataShape, ParameterInfo, dense_parameters
from fedcore.models.blocks import linear
from fedcore.spec.models import LinearSpec


@MODELS.implements(LinearSpec)
@dataclass(frozen=True)
class Linear:
    """One layer from the flattened input to the logits."""

    spec: LinearSpec
    data: DataShape

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return weight and bias."""
        widths = (math.prod(self.data.input_shape), self.data.num_classes)
        return dense_parameters("layers", widths)

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits of shape (n, classes)."""
        return linear(params, "layers.0", x.flatten(1))
