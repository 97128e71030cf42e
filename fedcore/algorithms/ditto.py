"""Ditto: a personal model on each client, pulled towards the global model, which is FedAvg's.

Source: Li, Hu, Beirami and Smith, "Ditto: Fair and Robust Federated Learning Through
Personalization", ICML 2021, arXiv:2012.04221, Algorithm 1. Paper to code: w^t is the section
``model``, v_k the client's model ``personal``, lambda is ``spec.pull``. In each round a client
trains its copy of w^t, which it sends, and then v_k towards w^t as it was received. v_k starts as
the model before round 0, and its batches come after the global ones in the client's own order, so
that nothing that is personal changes what the server sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from fedcore.algorithms.base import METHODS, Gradient, Method
from fedcore.clients.training import Batch, LocalContext, Phase, Trained
from fedcore.messages import Message
from fedcore.params import Section, vector
from fedcore.spec.algorithms import DittoSpec
from fedcore.state import MODEL, ClientState, RunState
from fedcore.weights import Weights

PERSONAL = "personal"
PERSONAL_BUFFERS = "personal_buffers"


@METHODS.implements(DittoSpec)
@dataclass(frozen=True, eq=False)
class Ditto(Method[DittoSpec]):
    """FedAvg for the server; clients predict with ``argmin f_k(v) + pull/2 |v - w^t|^2``."""

    def receive(self, message: Message, private: ClientState | None) -> Mapping[str, Weights]:
        """Return the global model and the client's own."""
        return {**super().receive(message, private), PERSONAL: self._personal(private)}

    def phases(self) -> tuple[Phase, ...]:
        """Return the global model's training, then the personal one's."""
        local = self.context.local
        own = local
        if self.spec.personal_epochs is not None:
            own = local.model_copy(update={"epochs": self.spec.personal_epochs, "steps": None})
        return (Phase(local), Phase(own, model=PERSONAL))

    def transform_grad(
        self, gradient: Gradient, weights: Tensor, batch: Batch, context: LocalContext
    ) -> Tensor:
        """Return the gradient, for the personal model plus ``pull (v - w^t)``."""
        direction = gradient(weights, batch)
        if context.phase.model == MODEL or self.spec.pull == 0:
            return direction
        return direction.add(weights - context.received_flat[MODEL], alpha=self.spec.pull)

    @property
    def has_plain_gradient(self) -> bool:
        """Without a pull, all steps follow the gradient as it is."""
        return self.spec.pull == 0

    def keep(
        self,
        trained: Trained,
        message: Message,  # noqa: ARG002
        private: ClientState | None,  # noqa: ARG002
    ) -> ClientState | None:
        """Return the personal model."""
        own = trained.others[PERSONAL]
        sections: dict[str, Section] = {PERSONAL: own.params}
        if own.buffers:
            sections[PERSONAL_BUFFERS] = own.buffers
        return ClientState(sections)

    @property
    def has_personal_models(self) -> bool:
        """Whether clients predict with models of their own: they do."""
        return True

    def personal_model(self, state: RunState, client_id: int) -> Weights:
        """Return a client's personal model; the initial one before it has taken part."""
        return self._personal(state.clients.get(client_id))

    def _personal(self, private: ClientState | None) -> Weights:
        if private is None or PERSONAL not in private.sections:
            return self.context.initial()
        sections = private.sections
        return Weights(vector(sections, PERSONAL), sections.get(PERSONAL_BUFFERS, {}))

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr
