"""The next token of a text, at every position."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.spec.tasks import TaskName
from fedcore.tasks.base import IGNORED, Task, columns, registered


@registered
class NextToken(Task):
    """Cross-entropy on logits of shape (n, tokens, vocabulary), averaged over positions.

    Padding is ignored. A batch's loss and the metrics are means over tokens, not over examples:
    a short text counts less than a long one.
    """

    name: ClassVar[TaskName] = TaskName.NEXT_TOKEN

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of each example over its tokens, shape (n,)."""
        every = _cross_entropy(outputs, targets, reduction="none").view_as(targets)
        return every.sum(1) / (targets != IGNORED).sum(1).clamp(min=1)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy over all tokens of a batch that are to be predicted."""
        total = _cross_entropy(outputs, targets, reduction="sum")
        return total / (targets != IGNORED).sum().clamp(min=1)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the tokens to predict, their loss, and the hits among them."""
        known = targets != IGNORED
        hits = (outputs.argmax(-1) == targets) & known
        every = _cross_entropy(outputs, targets, reduction="none").view_as(targets)
        return columns(known.sum(1), every.to(torch.float64).sum(1), hits.sum(1))

    def summarise(self, tally: Tensor) -> dict[str, float]:
        """Return accuracy, perplexity and mean loss per token."""
        count, loss, hits = tally.tolist()
        count = max(count, 1.0)
        return {
            "accuracy": hits / count,
            "perplexity": math.exp(min(loss / count, _LARGEST_EXPONENT)),
            "loss": loss / count,
        }


#: exp of more than this is no longer a float.
_LARGEST_EXPONENT = 700.0


def _cross_entropy(outputs: Tensor, targets: Tensor, reduction: str) -> Tensor:
    return functional.cross_entropy(
        outputs.flatten(0, 1), targets.flatten(), reduction=reduction, ignore_index=IGNORED
    )
