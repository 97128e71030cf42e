"""FedRep: each client trains its own head on the shared body, then the body on that head.

Source: Collins, Hassani, Mokhtari and Shakkottai, "Exploiting Shared Representations for
Personalized Federated Learning", ICML 2021, arXiv:2102.07078, Algorithm 1. Paper to code: the
representation phi is the section ``model``, the head h_i what a client keeps, tau_h is
``spec.head_epochs``. Clients are weighted by examples, as in the authors' experiments; the analysis
weights them alike, which ``aggregation.weighting: uniform`` does. Normalisation goes by the batch
in both phases (our choice), so statistics of the body move while only the head is trained.
"""

from __future__ import annotations

from dataclasses import dataclass

from fedcore.algorithms.base import METHODS, Method
from fedcore.clients.training import Phase
from fedcore.models.layers import last_layers
from fedcore.spec.algorithms import FedRepSpec
from fedcore.weights import ParamView


@METHODS.implements(FedRepSpec)
@dataclass(frozen=True, eq=False)
class FedRep(Method[FedRepSpec]):
    """FedAvg on the body, of what clients make of it after they have fitted their heads."""

    def param_view(self) -> ParamView:
        """Return that the last layers stay."""
        return ParamView(last_layers(self.context.model, self.spec.head_layers))

    def phases(self) -> tuple[Phase, ...]:
        """Return the head's epochs, then the body's; FedAvg's without a head."""
        local, head = self.context.local, self.view.private
        if not head:
            return (Phase(local),)
        alone = local.model_copy(update={"epochs": self.spec.head_epochs, "steps": None})
        body = frozenset(self.context.layout.names) - head
        return tuple(
            Phase(each, trains=names) for each, names in ((alone, head), (local, body)) if names
        )

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr
