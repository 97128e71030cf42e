"""How the steps of local training are computed: the seam for faster ways than autograd.

A trainer may use what it knows of a model and an optimiser; the order of the data, the number of
steps and what a client sends stay the method's. All trainers compute the same function. They round
differently, so a run keeps the one that it began with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from fedcore.clients.training import ClientData, LocalContext, ShouldStop, Trained

if TYPE_CHECKING:
    from fedcore.algorithms.base import AnyMethod
    from fedcore.params import Params
    from fedcore.weights import Weights


class Trainer(Protocol):
    """Computes local training and the outputs of a model."""

    @property
    def name(self) -> str:
        """Return its name in specs and checkpoints."""

    def train(
        self,
        method: AnyMethod,
        start: Mapping[str, Weights],
        data: ClientData,
        *,
        context: LocalContext,
        generator: torch.Generator,
        should_stop: ShouldStop,
    ) -> Trained:
        """Return the result of local training; see ``fedcore.clients.training.train``."""

    def outputs(self, method: AnyMethod, model: Params) -> Callable[[Tensor], Tensor]:
        """Return a function from inputs to outputs of the model, without gradients."""


@dataclass(frozen=True)
class AutogradTrainer:
    """Any model, method and optimiser; the reference for all other trainers.

    Attributes:
        dtype: Numbers that matrix products are computed with; weights are float32 all the same.
    """

    dtype: torch.dtype = torch.float32

    @property
    def name(self) -> str:
        """Return its name."""
        return "autograd"

    def _precision(self, device: torch.device) -> AbstractContextManager[Any]:
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(device.type, self.dtype, cache_enabled=False)

    def train(
        self,
        method: AnyMethod,
        start: Mapping[str, Weights],
        data: ClientData,
        *,
        context: LocalContext,
        generator: torch.Generator,
        should_stop: ShouldStop,
    ) -> Trained:
        """Return the result of training with gradients that torch derives."""
        with self._precision(data.rows.device):
            return method.train_client(
                start, data, context=context, generator=generator, should_stop=should_stop
            )

    def outputs(self, method: AnyMethod, model: Params) -> Callable[[Tensor], Tensor]:
        """Return the model as a function of its inputs."""
        params = model.layout.views(model.flat)

        def apply(x: Tensor) -> Tensor:
            with self._precision(x.device):
                return method.context.model.apply(params, x).to(torch.float32)

        return apply


AUTOGRAD = AutogradTrainer()
