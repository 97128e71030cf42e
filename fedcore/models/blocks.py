"""Layers that several models are made of, as functions of named tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from fedcore import products
from fedcore.errors import ModelError
from fedcore.models.base import ParameterInfo, Start
from fedcore.spec.models import ModelSpec

#: Share of a new batch in the running statistics of batch norm.
MOMENTUM = 0.1
EPSILON = 1e-5


def channels_last(x: Tensor) -> Tensor:
    """Return images in the order of memory in which processors convolve and pool them fastest.

    The shape stays (n, channels, height, width), and what is made of them keeps the order. On other
    devices, and with an axis over clients in front, they are returned as they are.
    """
    if x.device.type != "cpu" or torch._C._functorch.is_functorch_wrapped_tensor(x):  # noqa: SLF001
        return x
    # A copy, because one channel is contiguous in both orders, and then the other one is taken.
    return x.clone(memory_format=torch.channels_last)


def check_shape(spec: ModelSpec, shape: tuple[int, ...]) -> None:
    """Check that settings of a model and the shape of its inputs fit together.

    Raises:
        ModelError: If they do not.
    """
    for problem in spec.misfits(shape):
        raise ModelError(problem.message, field=problem.path, fix=problem.fix)


def linear_infos(name: str, inputs: int, outputs: int) -> dict[str, ParameterInfo]:
    """Return weight and bias of a fully connected layer."""
    return {
        f"{name}.weight": ParameterInfo((outputs, inputs), inputs),
        f"{name}.bias": ParameterInfo((outputs,), inputs),
    }


def linear(params: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Return a fully connected layer of ``x``, over its last axis."""
    return products.linear(x, params[f"{name}.weight"], params[f"{name}.bias"])


def norm_infos(name: str, width: int) -> dict[str, ParameterInfo]:
    """Return weight and bias of a layer that normalises."""
    return {
        f"{name}.weight": ParameterInfo((width,), start=Start.ONES, is_norm=True),
        f"{name}.bias": ParameterInfo((width,), start=Start.ZEROS, is_norm=True),
    }


def running_infos(name: str, width: int) -> dict[str, ParameterInfo]:
    """Return the running statistics of batch norm."""
    return {
        f"{name}.running_mean": ParameterInfo((width,), start=Start.ZEROS, is_norm=True),
        f"{name}.running_var": ParameterInfo((width,), start=Start.ONES, is_norm=True),
    }


def layer_norm(params: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Return ``x`` normalised over its last axis."""
    weight, bias = params[f"{name}.weight"], params[f"{name}.bias"]
    return functional.layer_norm(x, weight.shape, weight, bias, EPSILON)


def group_norm(params: Mapping[str, Tensor], name: str, x: Tensor, groups: int) -> Tensor:
    """Return images normalised over groups of channels, each image by itself."""
    weight, bias = params[f"{name}.weight"], params[f"{name}.bias"]
    return functional.group_norm(x, groups, weight, bias, EPSILON)


def batch_norm(params: Mapping[str, Tensor], name: str, x: Tensor, *, is_training: bool) -> Tensor:
    """Return images normalised over the batch in training, else by the running statistics.

    In training the running statistics, if there are any among ``params``, are moved in place.
    """
    mean, variance = params.get(f"{name}.running_mean"), params.get(f"{name}.running_var")
    normalised: Tensor = functional.batch_norm(
        x,
        mean,
        variance,
        params[f"{name}.weight"],
        params[f"{name}.bias"],
        # Without running statistics there is nothing but the batch to go by.
        training=is_training or mean is None,
        momentum=MOMENTUM,
        eps=EPSILON,
    )
    return normalised


def transformer_infos(name: str, dim: int, mlp_ratio: int) -> dict[str, ParameterInfo]:
    """Return the parameters of a pre-norm transformer block."""
    return {
        **norm_infos(f"{name}.norm1", dim),
        **linear_infos(f"{name}.attention", dim, 3 * dim),
        **linear_infos(f"{name}.projection", dim, dim),
        **norm_infos(f"{name}.norm2", dim),
        **linear_infos(f"{name}.expand", dim, mlp_ratio * dim),
        **linear_infos(f"{name}.contract", mlp_ratio * dim, dim),
    }


def transformer(
    params: Mapping[str, Tensor], name: str, x: Tensor, heads: int, visible: Tensor | None
) -> Tensor:
    """Return a pre-norm block of tokens.

    Args:
        params: Named tensors.
        name: Prefix of the block.
        x: Tokens, shape (n, tokens, dim).
        heads: Attention heads.
        visible: Which token (last axis) each token (the axis before) may look at; None for all.
    """
    mixed = _attention(params, name, layer_norm(params, f"{name}.norm1", x), heads, visible)
    x = x + linear(params, f"{name}.projection", mixed)
    hidden = functional.gelu(
        linear(params, f"{name}.expand", layer_norm(params, f"{name}.norm2", x))
    )
    return x + linear(params, f"{name}.contract", hidden)


def _attention(
    params: Mapping[str, Tensor], name: str, x: Tensor, heads: int, visible: Tensor | None
) -> Tensor:
    """Return for each token the mean of the values that it looks at, shape (n, tokens, dim)."""
    projected = linear(params, f"{name}.attention", x).unflatten(-1, (3, heads, -1))
    query, key, value = projected.permute(2, 0, 3, 1, 4).unbind(0)  # each (n, heads, tokens, width)
    # Written out rather than fused: per-client gradients have no rule for the fused kernels.
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if visible is not None:
        scores = scores.masked_fill(~visible, -torch.inf)
    mixed: Tensor = scores.softmax(-1) @ value
    return mixed.transpose(1, 2).flatten(2)


def causal_mask(length: int, device: torch.device) -> Tensor:
    """Return which token each token may look at: itself and those before."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()
