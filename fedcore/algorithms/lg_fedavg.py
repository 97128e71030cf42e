"""LG-FedAvg: the last layers are averaged, the representation below stays on the client.

Source: Liang et al., "Think Locally, Act Globally: Federated Learning with Local and Global
Representations", 2020, arXiv:2001.01523, Algorithm 1, without the auxiliary losses. Paper to code:
the global model is the section ``model``, the local representation what a client keeps; both are
trained together. The paper starts from weights that FedAvg has trained; here the start is random.
"""

from __future__ import annotations

from dataclasses import dataclass

from fedcore.algorithms.base import METHODS, Method
from fedcore.models.layers import last_layers, tensor_names
from fedcore.spec.algorithms import LgFedAvgSpec
from fedcore.weights import ParamView


@METHODS.implements(LgFedAvgSpec)
@dataclass(frozen=True, eq=False)
class LgFedAvg(Method[LgFedAvgSpec]):
    """FedAvg on the head; with every layer in the head, on all of the model."""

    def param_view(self) -> ParamView:
        """Return that all but the last layers stays."""
        model = self.context.model
        head = last_layers(model, self.spec.head_layers)
        return ParamView(frozenset(tensor_names(model)) - head)

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr
