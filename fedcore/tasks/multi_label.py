"""Any number of labels per example."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.spec.tasks import TaskName
from fedcore.tasks.base import Task, columns, registered


@registered
class MultiLabel(Task):
    """Binary cross-entropy on logits of shape (n, labels); targets are 0 or 1 as float32."""

    name: ClassVar[TaskName] = TaskName.MULTI_LABEL

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of each example over its labels, shape (n,)."""
        every = functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        return every.mean(1)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return one, the loss, whether all labels are right, and three counts of labels."""
        said, true = outputs > 0, targets > 0.5  # noqa: PLR2004  (half way between 0 and 1)
        exact = (said == true).all(1)
        return columns(
            torch.ones_like(exact),
            self.losses(outputs, targets),
            exact,
            (said & true).sum(1),
            (said & ~true).sum(1),
            (~said & true).sum(1),
        )

    def summarise(self, tally: Tensor) -> dict[str, float]:
        """Return the F1 score over all labels together, exact matches, and the mean loss."""
        count, loss, exact, hits, false_alarms, misses = tally.tolist()
        decided = 2 * hits + false_alarms + misses
        return {
            # Nothing to find and nothing found is right.
            "micro_f1": 2 * hits / decided if decided else 1.0,
            "subset_accuracy": exact / count,
            "loss": loss / count,
        }
