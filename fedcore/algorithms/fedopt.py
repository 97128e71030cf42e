"""FedAdam, FedYogi, FedAdagrad and FedAvgM: an optimiser on the server walks along the mean update.

Source: Reddi et al., "Adaptive Federated Optimization", ICLR 2021, arXiv:2003.00295, Algorithm 2;
Hsu et al., "Measuring the Effects of Non-Identical Data Distribution for Federated Visual
Classification", 2019, arXiv:1909.06335, for FedAvgM. Paper to code: Delta_t is the combined section
``delta`` (it points downhill, and the server adds), m and v are the sections ``first_moment`` and
``second_moment`` of the state, eta is ``server_lr``. There is no bias correction, and tau is added
outside the root; v starts at tau squared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from fedcore.algorithms.base import DELTA, METHODS, Method
from fedcore.params import Params, Section, vector, zeros_like
from fedcore.spec.algorithms import (
    FedAdagradSpec,
    FedAdamSpec,
    FedAvgMSpec,
    FedYogiSpec,
)
from fedcore.state import MODEL, RunState

FIRST, SECOND = "first_moment", "second_moment"

AdaptiveSpec = FedAdamSpec | FedYogiSpec | FedAdagradSpec
SpecT = TypeVar("SpecT", FedAdamSpec, FedYogiSpec, FedAdagradSpec)


@dataclass(frozen=True, eq=False)
class AdaptiveServer(Method[SpecT], ABC):
    """``m <- beta1 m + (1 - beta1) u``, a rule for v, ``w <- w + eta m / (sqrt(v) + tau)``."""

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the model and both moments before the first step."""
        second = model.with_flat(torch.full_like(model.flat, self.spec.tau**2))
        return {MODEL: model, FIRST: zeros_like(model), SECOND: second}

    @abstractmethod
    def next_second(self, second: Tensor, squared: Tensor) -> Tensor:
        """Return the new second moment, from the old one and the squared update."""

    def server_step(self, state: RunState, combined: Mapping[str, Section]) -> RunState:
        """Return the state after one step of the server's optimiser."""
        update = vector(combined, DELTA).flat
        beta1 = self.spec.beta1
        first = vector(state.tensors, FIRST).flat * beta1 + update * (1 - beta1)
        second = self.next_second(vector(state.tensors, SECOND).flat, update.square())
        step = self.spec.server_lr * first / (second.sqrt() + self.spec.tau)
        model = state.model
        return replace(
            state,
            tensors={
                **state.tensors,
                MODEL: model.with_flat(model.flat + step),
                FIRST: model.with_flat(first),
                SECOND: model.with_flat(second),
            },
        )


@METHODS.implements(FedAdamSpec)
@dataclass(frozen=True, eq=False)
class FedAdam(AdaptiveServer[FedAdamSpec]):
    """Adam on the server."""

    def next_second(self, second: Tensor, squared: Tensor) -> Tensor:
        """Return ``beta2 v + (1 - beta2) u^2``."""
        beta2 = self.spec.beta2
        return second * beta2 + squared * (1 - beta2)


@METHODS.implements(FedYogiSpec)
@dataclass(frozen=True, eq=False)
class FedYogi(AdaptiveServer[FedYogiSpec]):
    """Yogi on the server."""

    def next_second(self, second: Tensor, squared: Tensor) -> Tensor:
        """Return ``v - (1 - beta2) u^2 sign(v - u^2)``."""
        return second - (1 - self.spec.beta2) * squared * torch.sign(second - squared)


@METHODS.implements(FedAdagradSpec)
@dataclass(frozen=True, eq=False)
class FedAdagrad(AdaptiveServer[FedAdagradSpec]):
    """Adagrad on the server."""

    def next_second(self, second: Tensor, squared: Tensor) -> Tensor:
        """Return ``v + u^2``."""
        return second + squared


@METHODS.implements(FedAvgMSpec)
@dataclass(frozen=True, eq=False)
class FedAvgM(Method[FedAvgMSpec]):
    """Heavy-ball momentum on the server: ``b <- beta b + u``, ``w <- w + eta b``."""

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the model and a momentum of zero."""
        return {MODEL: model, FIRST: zeros_like(model)}

    def server_step(self, state: RunState, combined: Mapping[str, Section]) -> RunState:
        """Return the state after one step with momentum."""
        update = vector(combined, DELTA)
        if self.spec.beta == 0:  # FedAvg to the last bit, without adding zeros
            momentum = update
        else:
            old = vector(state.tensors, FIRST).flat
            momentum = update.with_flat(torch.add(update.flat, old, alpha=self.spec.beta))
        moved = super().server_step(state, {**combined, DELTA: momentum})
        return replace(moved, tensors={**moved.tensors, FIRST: momentum})

    @property
    def server_lr(self) -> float:
        """Step of the server along its momentum."""
        return self.spec.server_lr
