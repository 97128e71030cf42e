"""What is minimised."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Objective(Protocol):
    """Loss of a model's outputs, as a task defines it."""

    def loss(self, outputs: Tensor, targets: Tensor, /) -> Tensor:
        """Return the mean loss of a batch, a scalar that can be differentiated."""
