"""One label per example."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.spec.tasks import TaskName
from fedcore.tasks.base import Task, columns, registered


@registered
class Classification(Task):
    """Cross-entropy on logits of shape (n, classes); right is the largest logit."""

    name: ClassVar[TaskName] = TaskName.CLASSIFICATION

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of each example with its label, shape (n,)."""
        return functional.cross_entropy(outputs, targets, reduction="none")

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of a batch."""
        return functional.cross_entropy(outputs, targets)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return one, the loss, and whether it is a hit."""
        hits = outputs.argmax(1) == targets
        return columns(torch.ones_like(hits), self.losses(outputs, targets), hits)

    def summarise(self, tally: Tensor) -> dict[str, float]:
        """Return accuracy and mean loss."""
        count, loss, hits = tally.tolist()
        return {"accuracy": hits / count, "loss": loss / count}
