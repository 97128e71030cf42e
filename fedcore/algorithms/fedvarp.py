"""FedVARP: absent clients are represented by their last update.

Source: Jhunjhunwala, Sharma, Nagarkatti and Joshi, "FedVARP: Tackling the Variance Due to Partial
Client Participation in Federated Learning", UAI 2022, arXiv:2207.14130, Algorithm 1. Paper to code:
y_i is remembered in the state's ``records``, their mean over all N clients is the section
``recalled``, eta_g is ``server_lr``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from fedcore.algorithms.base import METHODS
from fedcore.algorithms.remembering import RECALLED, Remembering
from fedcore.messages import Update
from fedcore.params import vector
from fedcore.spec.algorithms import FedVarpSpec
from fedcore.state import RunState


@METHODS.implements(FedVarpSpec)
@dataclass(frozen=True, eq=False)
class FedVarp(Remembering[FedVarpSpec]):
    """``v = 1/N sum_j y_j + 1/m sum_S (delta_i - y_i)``; with everybody it is uniform FedAvg."""

    def share(self, client_id: int) -> float:  # noqa: ARG002
        """Return 1/N, counting clients that have examples."""
        return 1.0 / len(self.context.population.sizes)

    def direction(self, updates: Sequence[Update], state: RunState) -> Tensor:
        """Return v; without updates the mean of what is remembered."""
        v = vector(state.tensors, RECALLED).flat.clone()
        for update in updates:
            v.add_(self.news(update, state), alpha=1.0 / len(updates))
        return v

    @property
    def server_lr(self) -> float:
        """Step of the server along v."""
        return self.spec.server_lr
