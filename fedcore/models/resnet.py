"""A residual network for small images, with group norm or batch norm.

Source: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
arXiv:1512.03385, section 4.2: a 3x3 convolution, three stages of n blocks with 16, 32 and 64
channels, global mean, one dense layer; 6n + 2 layers in all. Where the width changes, the shortcut
is a 1x1 convolution (their option B). Group norm instead of batch norm: Hsieh et al., "The Non-IID
Data Quagmire of Decentralized Machine Learning", ICML 2020, arXiv:1910.00189, section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from fedcore.models.base import MODELS, DataShape, ParameterInfo, Start, TrainingTensors
from fedcore.models.blocks import (
    batch_norm,
    check_shape,
    group_norm,
    linear,
    linear_infos,
    norm_infos,
    running_infos,
)
from fedcore.spec.models import ResNetSpec


@dataclass(frozen=True)
class _Block:
    """Two 3x3 convolutions and what is added to them."""

    name: str
    inputs: int
    outputs: int
    stride: int

    @property
    def has_projection(self) -> bool:
        return self.inputs != self.outputs


@MODELS.implements(ResNetSpec)
@dataclass(frozen=True)
class ResNet:
    """Three stages of residual blocks."""

    spec: ResNetSpec
    data: DataShape

    def __post_init__(self) -> None:
        check_shape(self.spec, self.data.input_shape)

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return convolutions and norms, block by block, then the dense layer."""
        width = self.spec.width
        parameters = _convolution("convolution", self.data.input_shape[0], width, 3)
        for block in self._blocks():
            name, outputs = block.name, block.outputs
            parameters |= _convolution(f"{name}.convolution1", block.inputs, outputs, 3)
            parameters |= _convolution(f"{name}.convolution2", outputs, outputs, 3)
            if block.has_projection:
                parameters |= _convolution(f"{name}.projection", block.inputs, outputs, 1)
        for norm, channels in self._norms():
            parameters |= norm_infos(norm, channels)
        return parameters | linear_infos("dense", self.spec.stage_widths[-1], self.data.num_classes)

    def buffers(self) -> Mapping[str, ParameterInfo]:
        """Return the running statistics of all norms; empty for group norm."""
        if self.spec.norm == "group":
            return {}
        infos: dict[str, ParameterInfo] = {}
        for norm, channels in self._norms():
            infos |= running_infos(norm, channels)
        return infos

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits of shape (n, classes)."""
        return linear(params, "dense", self.features(params, x))

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the mean of the last stage over each image, shape (n, channels)."""
        hidden = functional.conv2d(x, params["convolution.weight"], padding=1)
        hidden = functional.relu(self._norm(params, "norm", hidden))
        for block in self._blocks():
            hidden = self._block(params, block, hidden)
        return hidden.mean((-2, -1))

    def _block(self, params: Mapping[str, Tensor], block: _Block, x: Tensor) -> Tensor:
        name = block.name
        hidden = functional.conv2d(
            x, params[f"{name}.convolution1.weight"], stride=block.stride, padding=1
        )
        hidden = functional.relu(self._norm(params, f"{name}.norm1", hidden))
        hidden = functional.conv2d(hidden, params[f"{name}.convolution2.weight"], padding=1)
        hidden = self._norm(params, f"{name}.norm2", hidden)
        if block.has_projection:
            weight = params[f"{name}.projection.weight"]
            x = functional.conv2d(x, weight, stride=block.stride)
            x = self._norm(params, f"{name}.norm3", x)
        return functional.relu(hidden + x)

    def _norm(self, params: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
        if self.spec.norm == "group":
            return group_norm(params, name, x, self.spec.groups)
        return batch_norm(params, name, x, is_training=isinstance(params, TrainingTensors))

    def _blocks(self) -> Iterator[_Block]:
        inputs = self.spec.width
        for stage, outputs in enumerate(self.spec.stage_widths):
            for number in range(self.spec.blocks_per_stage):
                stride = 2 if stage > 0 and number == 0 else 1
                yield _Block(f"stages.{stage}.{number}", inputs, outputs, stride)
                inputs = outputs

    def _norms(self) -> Iterator[tuple[str, int]]:
        """Yield the name and the width of every norm."""
        yield "norm", self.spec.width
        for block in self._blocks():
            yield f"{block.name}.norm1", block.outputs
            yield f"{block.name}.norm2", block.outputs
            if block.has_projection:
                yield f"{block.name}.norm3", block.outputs


def _convolution(name: str, inputs: int, outputs: int, size: int) -> dict[str, ParameterInfo]:
    """Return the weight of a convolution without bias, which the norm after it makes needless."""
    shape = (outputs, inputs, size, size)
    return {f"{name}.weight": ParameterInfo(shape, inputs * size * size, Start.KAIMING)}
