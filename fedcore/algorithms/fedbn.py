"""FedBN: normalisation layers stay on the clients, everything else is FedAvg.

Source: Li, Jiang, Zhang, Kamp and Dou, "FedBN: Federated Learning on Non-IID Features via Local
Batch Normalization", ICLR 2021, arXiv:2102.07623, Algorithm 1. Layers are found by what they are,
not by their names. A client that has never taken part has the initial layers; the global model,
for those who are no clients, has the mean of the clients' layers (our choice, as the paper tests
its clients only). With ``norms: all`` group norm and layer norm stay, too, which goes beyond the
paper.
"""

from __future__ import annotations

from dataclasses import dataclass

from fedcore.algorithms.base import METHODS, Method
from fedcore.models.layers import norm_layers
from fedcore.spec.algorithms import FedBnSpec
from fedcore.weights import ParamView


@METHODS.implements(FedBnSpec)
@dataclass(frozen=True, eq=False)
class FedBn(Method[FedBnSpec]):
    """FedAvg on what is no normalisation; all of the model without such layers."""

    def param_view(self) -> ParamView:
        """Return that normalisation layers stay, with their statistics."""
        return ParamView(norm_layers(self.context.model, only_batch=self.spec.norms == "batch"))

    @property
    def server_lr(self) -> float:
        """Step of the server along the mean update."""
        return self.spec.server_lr
