"""FedPer: the last layers of the model stay on the client, the body is averaged.

Source: Arivazhagan, Aggarwal, Singh and Choudhary, "Federated Learning with Personalization
Layers", 2019, arXiv:1912.00818, Algorithms 1 and 2. Paper to code: the base layers W_B are the
section ``model``, the personalization layers W_P what a client keeps; both are trained together.
Clients are weighted by examples.
"""

from __future__ import annotations

from dataclasses import dataclass

from fedcore.algorithms.base import METHODS, Method
from fedcore.models.layers import last_layers
from fedcore.spec.algorithms import FedPerSpec
from fedcore.weights import ParamView


@METHODS.implements(FedPerSpec)
@dataclass(frozen=True, eq=False)
class FedPer(Method[FedPerSpec]):
    """FedAvg on the body; without a head, on all of the model."""

    def param_view(self) -> ParamView:
        """Return that the last layers stay."""
        return ParamView(last_layers(self.context.model, self.spec.head_layers))

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr
