"""What is minimised, and how well a model does."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Objective(Protocol):
    """Loss and score of a model's outputs."""

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the mean loss of a batch, a scalar."""

    def score(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return per example the loss and whether it was right (1 or 0), float64, shape (n,)."""


class Classification:
    """Cross-entropy on logits of shape (n, classes); right is the largest logit."""

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return the mean cross-entropy of a batch."""
        return functional.cross_entropy(outputs, y)

    def score(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return per example the cross-entropy and whether the largest logit is the label's."""
        losses = functional.cross_entropy(outputs, y, reduction="none")
        return losses.to(torch.float64), (outputs.argmax(1) == y).to(torch.float64)
