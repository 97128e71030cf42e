"""A small vision transformer.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, arXiv:2010.11929, section
3.1, with learnt positions. The output layer sees the mean of all tokens instead of a class token,
which needs less data (their appendix D.3 finds both equally good).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from fedcore.models.base import MODELS, DataShape, ParameterInfo, Start
from fedcore.models.blocks import (
    check_shape,
    layer_norm,
    linear,
    linear_infos,
    norm_infos,
    transformer,
    transformer_infos,
)
from fedcore.spec.models import VitSpec


@MODELS.implements(VitSpec)
@dataclass(frozen=True)
class Vit:
    """Patches, transformer blocks, and the mean of the tokens."""

    spec: VitSpec
    data: DataShape

    def __post_init__(self) -> None:
        check_shape(self.spec, self.data.input_shape)

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return patches, positions, blocks, the last norm and the output layer."""
        spec = self.spec
        channels, height, width = self.data.input_shape
        tokens = (height // spec.patch_size) * (width // spec.patch_size)
        parameters = linear_infos("patches", channels * spec.patch_size**2, spec.dim)
        parameters["positions"] = ParameterInfo((tokens, spec.dim), start=Start.SMALL)
        for number in range(spec.depth):
            parameters |= transformer_infos(f"blocks.{number}", spec.dim, spec.mlp_ratio)
        parameters |= norm_infos("norm", spec.dim)
        return parameters | linear_infos("dense", spec.dim, self.data.num_classes)

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits of shape (n, classes)."""
        return linear(params, "dense", self.features(params, x))

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the mean of the tokens, shape (n, dim)."""
        size = self.spec.patch_size
        patches = functional.unfold(x, size, stride=size).mT
        hidden = linear(params, "patches", patches) + params["positions"]
        for number in range(self.spec.depth):
            hidden = transformer(params, f"blocks.{number}", hidden, self.spec.heads, None)
        return layer_norm(params, "norm", hidden).mean(1)
