"""A small causal transformer that predicts the next token at every position.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019 (GPT-2):
pre-norm blocks, learnt positions, GELU, and an output layer that is the token embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from fedcore.models.base import MODELS, DataShape, ParameterInfo, Start
from fedcore.models.blocks import (
    causal_mask,
    check_shape,
    layer_norm,
    norm_infos,
    transformer,
    transformer_infos,
)
from fedcore.spec.models import TinyGptSpec


@MODELS.implements(TinyGptSpec)
@dataclass(frozen=True)
class TinyGpt:
    """Tokens and positions, transformer blocks that look back only, and tied outputs."""

    spec: TinyGptSpec
    data: DataShape

    def __post_init__(self) -> None:
        check_shape(self.spec, self.data.input_shape)

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return tokens, positions, blocks and the last norm."""
        spec = self.spec
        parameters = {
            "tokens": ParameterInfo((self.data.num_tokens, spec.dim), start=Start.SMALL),
            "positions": ParameterInfo((self.data.input_shape[0], spec.dim), start=Start.SMALL),
        }
        for number in range(spec.depth):
            parameters |= transformer_infos(f"blocks.{number}", spec.dim, spec.mlp_ratio)
        return parameters | norm_infos("norm", spec.dim)

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits of shape (n, tokens, vocabulary) for tokens ``x`` of shape (n, tokens)."""
        length = x.shape[-1]
        # Padding comes last and a token looks back only, so no token that counts ever sees it.
        hidden = functional.embedding(x.clamp(min=0), params["tokens"])
        hidden = hidden + params["positions"][:length]
        visible = causal_mask(length, x.device)
        for number in range(self.spec.depth):
            hidden = transformer(params, f"blocks.{number}", hidden, self.spec.heads, visible)
        return layer_norm(params, "norm", hidden) @ params["tokens"].mT
