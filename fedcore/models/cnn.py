"""LEAF's convolutional network for small images.

Source: Caldas et al., "LEAF: A Benchmark for Federated Settings", 2018, arXiv:1812.01097, model
for FEMNIST: 5x5 convolutions with 32 and 64 channels, each followed by 2x2 max pooling, then a
dense layer of 2048 units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from fedcore.errors import ModelError
from fedcore.models.base import MODELS, DataShape, ParameterInfo, dense_parameters
from fedcore.models.blocks import channels_last, linear
from fedcore.spec.models import CnnSpec

_IMAGE_DIMENSIONS = 3


@MODELS.implements(CnnSpec)
@dataclass(frozen=True)
class Cnn:
    """Convolutions that keep the size, each halved by pooling, then two dense layers."""

    spec: CnnSpec
    data: DataShape

    def __post_init__(self) -> None:
        shape = self.data.input_shape
        if len(shape) != _IMAGE_DIMENSIONS:
            raise ModelError(
                f"a convolutional network needs images, not inputs of shape {list(shape)}",
                field="model.kind",
                fix="Use model mlp or linear, or an image data set.",
            )
        if min(self._pooled_size) < 1:
            raise ModelError(
                f"{len(self.spec.channels)} poolings leave nothing of an image of "
                f"{shape[1]}x{shape[2]} pixels",
                field="model.channels",
                fix="Use fewer convolutions.",
            )

    @property
    def _pooled_size(self) -> tuple[int, int]:
        shrink = 2 ** len(self.spec.channels)
        _, height, width = self.data.input_shape
        return height // shrink, width // shrink

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return weights and biases of the convolutions, then of the dense layers."""
        parameters: dict[str, ParameterInfo] = {}
        inputs, size = self.data.input_shape[0], self.spec.kernel_size
        for position, outputs in enumerate(self.spec.channels):
            fan_in = inputs * size * size
            name = f"convolutions.{position}"
            parameters[f"{name}.weight"] = ParameterInfo((outputs, inputs, size, size), fan_in)
            parameters[f"{name}.bias"] = ParameterInfo((outputs,), fan_in)
            inputs = outputs
        height, width = self._pooled_size
        widths = (inputs * height * width, self.spec.hidden, self.data.num_classes)
        return parameters | dense_parameters("dense", widths)

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits of shape (n, classes)."""
        return linear(params, "dense.1", self.features(params, x))

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return what the last layer sees, shape (n, hidden)."""
        padding = self.spec.kernel_size // 2
        hidden = channels_last(x)
        for position in range(len(self.spec.channels)):
            name = f"convolutions.{position}"
            hidden = functional.conv2d(
                hidden, params[f"{name}.weight"], params[f"{name}.bias"], padding=padding
            )
            # Pooling first gives the same numbers and leaves a quarter of them to rectify.
            hidden = functional.relu(functional.max_pool2d(hidden, 2))
        return functional.relu(linear(params, "dense.0", hidden.flatten(1)))
