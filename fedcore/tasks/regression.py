"""One or several numbers per example."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from fedcore.spec.tasks import TaskName
from fedcore.tasks.base import Task, registered

#: Variance of standardised targets below which they are equal but for rounding.
_NO_SPREAD = 1e-12


@registered
class Regression(Task):
    """Squared error on standardised targets of shape (n, targets).

    The loss is that of training; ``mse`` and ``mae`` are in the units of the data, averaged over
    the targets, and ``r2`` compares with the mean of the examples that are tested.
    """

    name: ClassVar[TaskName] = TaskName.REGRESSION

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error of each example over its targets, shape (n,)."""
        return (outputs - targets).square().mean(1)

    def tally(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return one, then for all targets the squared and absolute errors and two moments."""
        truth, error = targets.to(torch.float64), (outputs - targets).to(torch.float64)
        return torch.cat(
            [truth.new_ones(len(truth), 1), error.square(), error.abs(), truth, truth.square()], 1
        )

    def summarise(self, tally: Tensor) -> dict[str, float]:
        """Return the errors in the data's units, the explained share, and the mean loss."""
        squares, absolutes, mean, mean_square = tally[1:].view(4, -1) / tally[0]
        spread = mean_square - mean.square()
        # A target that never varies has nothing to explain: right is 1, wrong is 0.
        constant = (squares == 0).to(torch.float64)
        explained = torch.where(spread > _NO_SPREAD, 1 - squares / spread, constant)
        unit = squares.new_tensor(self.scale.std or 1.0)
        return {
            "mse": float((squares * unit * unit).mean()),
            "mae": float((absolutes * unit).mean()),
            "r2": float(explained.mean()),
            "loss": float(squares.mean()),
        }
