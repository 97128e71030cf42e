"""FedBuff: a step of the server whenever it has collected a number of updates.

Source: Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation", AISTATS 2022,
arXiv:2106.06639, Algorithm 1; the weights of Fraboni et al., JMLR 24(110), 2023, arXiv:2206.10189.
Paper to code: K is ``spec.buffer``, eta_g is ``server_lr``, the discount of an update that is s
steps old is ``1 / sqrt(1 + s)``. Unbiased weights are ``d_i = p_i / f_i`` with f_i the fraction of
steps in which client i takes part; as it took part in one of the last ``update.arrival.rounds``
steps, their number stands for ``1 / f_i`` (our choice: right on average, and nothing to estimate).

Nobody trains twice on one version: a client that delivers in the step in which it was sent the
model waits for the next one (our choice; ADR 7 says why).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fedcore.algorithms.base import METHODS
from fedcore.algorithms.weighted_sum import WeightedSum
from fedcore.messages import Update
from fedcore.spec.algorithms import FedBuffSpec
from fedcore.triggers import Buffered, Trigger


@METHODS.implements(FedBuffSpec)
@dataclass(frozen=True, eq=False)
class FedBuff(WeightedSum[FedBuffSpec]):
    """With a buffer for everybody, uniform weights and no discount it is uniform FedAvg."""

    @property
    def trigger(self) -> Trigger:
        """Return a step at every full buffer."""
        return Buffered(self.spec.buffer, restarts_at_once=self.spec.restart == "immediate")

    def share(self, update: Update) -> float:
        """Return 1, or n_i times the steps since the client could have delivered; discounted."""
        share = 1.0
        if self.spec.weights == "unbiased":
            share = update.weight * update.arrival.rounds
        if self.spec.staleness_discount:
            share /= math.sqrt(1 + update.arrival.staleness)
        return share

    @property
    def total(self) -> float:
        """Return the size of the buffer, or the examples of all clients."""
        if self.spec.weights == "unbiased":
            return self.context.population.num_examples
        return self.spec.buffer

    @property
    def server_lr(self) -> float:
        """Step of the server along the weighted sum."""
        return self.spec.server_lr
