"""A deep averaging network: the mean of a text's word embeddings, then dense layers.

Source: Iyyer, Manjunatha, Boyd-Graber and Daume, "Deep Unordered Composition Rivals Syntactic
Methods for Text Classification", ACL 2015, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from fedcore.models.base import MODELS, DataShape, ParameterInfo, dense_parameters
from fedcore.models.blocks import linear
from fedcore.spec.models import DanSpec


@MODELS.implements(DanSpec)
@dataclass(frozen=True)
class Dan:
    """Order does not count, padding is left out of the mean."""

    spec: DanSpec
    data: DataShape

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return the embedding, then weights and biases layer by layer."""
        spec = self.spec
        # An embedding sums over one word, so it starts with numbers of size 1.
        embedding = {"embedding": ParameterInfo((self.data.num_tokens, spec.embedding))}
        widths = (spec.embedding, *spec.hidden, self.data.num_classes)
        return embedding | dense_parameters("layers", widths)

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits of shape (n, classes) for tokens ``x`` of shape (n, tokens)."""
        return linear(params, f"layers.{len(self.spec.hidden)}", self.features(params, x))

    def features(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the last hidden layer, or the mean embedding where there is none."""
        is_word = (x >= 0).unsqueeze(-1)
        words = functional.embedding(x.clamp(min=0), params["embedding"]) * is_word
        hidden = words.sum(-2) / is_word.sum(-2).clamp(min=1)
        for layer in range(len(self.spec.hidden)):
            hidden = functional.relu(linear(params, f"layers.{layer}", hidden))
        return hidden
