"""FedDyn: a regulariser that changes with every round makes the clients' optima agree.

Source: Acar et al., "Federated Learning Based on Dynamic Regularization", ICLR 2021,
arXiv:2111.04263, Algorithm 1. Paper to code: the gradient correction of client i is the section
``correction`` that it keeps, h is the section ``drift`` of the state, alpha is ``spec.alpha``. The
division of h by all N clients, not by the m that took part, is the algorithm's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import DELTA, METHODS, Gradient
from fedcore.algorithms.drifting import DRIFT, Drifting
from fedcore.clients.training import Batch, LocalContext, Trained
from fedcore.messages import Message
from fedcore.params import add, subtract, vector, zeros_like
from fedcore.spec.algorithms import FedDynSpec
from fedcore.state import MODEL, ClientState, RunState

CORRECTION = "correction"


@METHODS.implements(FedDynSpec)
@dataclass(frozen=True, eq=False)
class FedDyn(Drifting[FedDynSpec]):
    """Clients minimise ``f_i(x) - <g_i, x> + alpha/2 |x - w^t|^2``.

    All participants count alike.
    """

    def transform_grad(
        self, gradient: Gradient, weights: Tensor, batch: Batch, context: LocalContext
    ) -> Tensor:
        """Return ``g - g_i + alpha (x - w^t)``; g_i is zero the first time."""
        pull = weights - context.received_flat[MODEL]
        direction = gradient(weights, batch).add(pull, alpha=self.spec.alpha)
        own = context.private_flat.get(CORRECTION)
        return direction if own is None else direction.sub_(own)

    def keep(
        self,
        trained: Trained,
        message: Message,  # noqa: ARG002
        private: ClientState | None,
    ) -> ClientState | None:
        """Return the new correction ``g_i - alpha (x_K - w^t)``."""
        moved = subtract(trained.params, trained.start)
        old = zeros_like(moved) if private is None else vector(private.sections, CORRECTION)
        return ClientState({CORRECTION: add(old, moved, scale=-self.spec.alpha)})

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state after ``h -= alpha m/N mean(d)``, then ``w += mean(d) - h / alpha``."""
        delta = vector(self.context.aggregator.finish(accumulator), DELTA)
        share = accumulator.count / self.context.num_clients
        drift = add(vector(state.tensors, DRIFT), delta, scale=-self.spec.alpha * share)
        model = add(add(state.model, delta), drift, scale=-1.0 / self.spec.alpha)
        return replace(state, tensors={**state.tensors, MODEL: model, DRIFT: drift})
