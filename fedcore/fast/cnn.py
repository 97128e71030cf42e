"""Forward and backward pass of the convolutional network, with SGD fused into the gradient.

Images lie channels last, which is how the convolutions want them, pooling comes before the ReLU,
which then has a quarter to do, and the large dense layer's gradient is never written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from fedcore.fast.dense import DenseLayers, FusedSgd, Steps, cross_entropy, mask
from fedcore.models.blocks import channels_last
from fedcore.params import Params


class _Pooled(NamedTuple):
    """What the backward pass needs of one convolution and its pooling."""

    x: Tensor
    convolved: Tensor
    pooled: Tensor
    where: Tensor


@dataclass(frozen=True, eq=False)
class CnnSteps(Steps):
    """Steps of the model ``cnn``.

    Attributes:
        kernels: Weight and bias of each convolution, by turns.
        dense: The layers after them.
    """

    kernels: list[Tensor]
    dense: DenseLayers

    @classmethod
    def of(cls, params: Params) -> CnnSteps:
        """Return the steps on a vector of parameters."""
        views = params.layout.views(params.flat)
        kernels = [view for name, view in views.items() if name.startswith("convolutions.")]
        return cls(kernels, DenseLayers(list(views.values())[len(kernels) :], len(kernels)))

    @property
    def weights(self) -> list[Tensor]:
        """All weights and biases."""
        return [*self.kernels, *self.dense.weights]

    def step(self, x: Tensor, y: Tensor, sgd: FusedSgd) -> Tensor:
        """Take one step."""
        stages = self._forward(x)
        # Flattened in the order of the weights of the dense layer: channels first.
        values = self.dense.forward(stages[-1].pooled.flatten(1))
        loss, grad = cross_entropy(values[-1], y)
        below = self.dense.backward(values, grad, sgd, to_input=True)
        if below is not None:
            self._backward(stages, below.view_as(stages[-1].pooled), sgd)
        return loss

    def _forward(self, x: Tensor) -> list[_Pooled]:
        stages = []
        x = channels_last(x)
        for position in range(0, len(self.kernels), 2):
            weight, bias = self.kernels[position : position + 2]
            convolved = torch.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
            pooled, where = torch.ops.aten.max_pool2d_with_indices(convolved, [2, 2], [2, 2])
            stages.append(_Pooled(x, convolved, pooled.relu_(), where))
            x = pooled
        return stages

    def _backward(self, stages: list[_Pooled], grad: Tensor, sgd: FusedSgd) -> None:
        for stage in reversed(range(len(stages))):
            weight, bias = self.kernels[2 * stage : 2 * stage + 2]
            x, convolved, pooled, where = stages[stage]
            grad = mask(grad.contiguous(memory_format=torch.channels_last), pooled)
            grad = _unpool(grad, convolved, where)
            grad, of_weight, of_bias = _convolution_gradients(grad, x, weight, to_input=stage > 0)
            sgd.step(2 * stage, weight, of_weight)
            sgd.step(2 * stage + 1, bias, of_bias)


def _unpool(grad: Tensor, convolved: Tensor, where: Tensor) -> Tensor:
    """Return a gradient at the places from which pooling took its values."""
    return torch.ops.aten.max_pool2d_with_indices_backward(  # type: ignore[no-any-return]
        grad,
        convolved,
        kernel_size=[2, 2],
        stride=[2, 2],
        padding=[0, 0],
        dilation=[1, 1],
        ceil_mode=False,
        indices=where,
    )


def _convolution_gradients(
    grad: Tensor, x: Tensor, weight: Tensor, *, to_input: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients with respect to input (if asked for), weight and bias."""
    padding = weight.shape[-1] // 2
    return torch.ops.aten.convolution_backward(  # type: ignore[no-any-return]
        grad,
        x,
        weight,
        bias_sizes=[len(weight)],
        stride=[1, 1],
        padding=[padding, padding],
        dilation=[1, 1],
        transposed=False,
        output_padding=[0, 0],
        groups=1,
        output_mask=[to_input, True, True],
    )
