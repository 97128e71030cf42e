"""DFedSAM and DFedSAM-MGS: sharpness-aware steps on every client, then gossip.

Source: Shi, Shen, Wei, Sun, Yuan, Wang and Tao, "Improving the Model Consistency of Decentralized
Federated Learning", ICML 2023, arXiv:2302.04083, Algorithm 1. Paper to code: W is
``fedcore.topology.mixing_matrix`` of the round's graph, Q is ``spec.exchanges``, z_i the update.
``W = 11'/N``, the complete graph, is federated averaging in which all clients count alike.

The paper's settings (rho 0.01, Q 4, ten random neighbours, momentum 0.9, a learning rate that
decays over the rounds) are from memory, and there is no official code to compare with. A client's
momentum starts afresh in every round, as in all methods here; the learning rate does not decay.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from fedcore.algorithms.base import METHODS, Gradient
from fedcore.algorithms.gossiping import Gossiping
from fedcore.algorithms.look_ahead import gradient_ahead
from fedcore.clients.training import Batch, LocalContext
from fedcore.spec.algorithms import DfedSamMgsSpec, DfedSamSpec

TINY = 1e-12


@METHODS.implements(DfedSamMgsSpec)
@METHODS.implements(DfedSamSpec)
@dataclass(frozen=True, eq=False)
class DfedSam(Gossiping[DfedSamSpec | DfedSamMgsSpec]):
    """``rho = 0`` is decentralised FedAvg; one gossip step is DFedSAM."""

    def transform_grad(
        self,
        gradient: Gradient,
        weights: Tensor,
        batch: Batch,
        context: LocalContext,  # noqa: ARG002
    ) -> Tensor:
        """Return the gradient ``rho`` further up the hill, on the same batch."""
        first = gradient(weights, batch)
        if self.spec.rho == 0:
            return first
        return gradient_ahead(gradient, weights, batch, first=first, rho=self.spec.rho, tiny=TINY)

    @property
    def has_plain_gradient(self) -> bool:
        """Without a look ahead, steps follow the gradient as it is."""
        return self.spec.rho == 0
