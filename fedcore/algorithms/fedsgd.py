"""FedSGD: every client sends one gradient over all of its data, the server takes one step.

Source: McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized
Data", AISTATS 2017, arXiv:1602.05629, section 2. Paper to code: eta is ``local.lr``; the section
``delta`` holds ``-eta * grad f_i(w^t)``, so the server's mean step is the paper's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fedcore.algorithms.base import METHODS, Gradient, Method
from fedcore.clients.training import Batch, LocalContext, Phase
from fedcore.spec.algorithms import FedSgdSpec
from fedcore.spec.training import LocalSpec

#: More examples than any client holds: one batch is all of the data.
ALL_EXAMPLES = 1_000_000
#: Examples whose activations are in memory at the same time.
CHUNK = 4096


@METHODS.implements(FedSgdSpec)
@dataclass(frozen=True, eq=False)
class FedSgd(Method[FedSgdSpec]):
    """FedAvg with a single full-batch step per round."""

    def phases(self) -> tuple[Phase, ...]:
        """Return one step over all examples, with the learning rate of the spec."""
        local = self.context.local
        once = {"epochs": None, "steps": 1, "batch_size": ALL_EXAMPLES}
        return (Phase(local.model_copy(update=once)),)

    def data_order(
        self,
        phase: LocalSpec,  # noqa: ARG002
        num_examples: int,
        generator: torch.Generator,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """Yield the examples as they are: a full batch has no order."""
        yield torch.arange(num_examples)

    def transform_grad(
        self,
        gradient: Gradient,
        weights: Tensor,
        batch: Batch,
        context: LocalContext,  # noqa: ARG002
    ) -> Tensor:
        """Return the gradient over all examples, chunk by chunk, each weighted by its size."""
        num_examples = len(batch.y)
        if num_examples <= CHUNK:
            return gradient(weights, batch)
        total = torch.zeros_like(weights)
        chunks = zip(batch.x.split(CHUNK), batch.y.split(CHUNK), strict=True)
        for x, y in chunks:
            total.add_(gradient(weights, Batch(x, y)), alpha=len(y) / num_examples)
        return total

    @property
    def server_lr(self) -> float:
        """Factor on the mean step."""
        return self.spec.server_lr
