"""Asynchronous FedAvg: a step of the server at every single arrival.

Source: Fraboni, Vidal, Kameni and Lorenzi, "A General Theory for Federated Optimization with
Asynchronous and Heterogeneous Clients Updates", JMLR 24(110), 2023, arXiv:2206.10189, section 4.
Paper to code: ``d_i = p_i tau_i sum_j 1 / tau_j``; p_i is a client's share of the examples, tau_i
how long this update took (``update.arrival.seconds``), and the sum, which is the number of arrivals
per second, follows from how long clients take on average. Of real sites nobody knows that, so the
arrivals while a client was at work are counted (``update.arrival.rounds``): right on average (our
choice). The variant ``identical`` has
``d_i = 1`` and optimises for fast clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fedcore.algorithms.base import METHODS
from fedcore.algorithms.weighted_sum import WeightedSum
from fedcore.messages import Update
from fedcore.spec.algorithms import AsyncFedAvgSpec
from fedcore.triggers import Buffered, Trigger


@METHODS.implements(AsyncFedAvgSpec)
@dataclass(frozen=True, eq=False)
class AsyncFedAvg(WeightedSum[AsyncFedAvgSpec]):
    """Whoever has delivered begins again with the model that its update has just moved."""

    @property
    def trigger(self) -> Trigger:
        """Return a step at every arrival."""
        return Buffered(1)

    @cached_property
    def arrivals_per_s(self) -> float:
        """Arrivals per simulated second, all clients together."""
        return sum(1.0 / seconds for seconds in self.context.population.durations().values())

    def share(self, update: Update) -> float:
        """Return n_i times the arrivals while the client was at work, or 1."""
        if self.spec.weights == "identical":
            return 1.0
        if self.context.population.limit_s is not None:
            return update.weight * update.arrival.rounds
        return update.weight * (update.arrival.seconds * self.arrivals_per_s)

    @property
    def total(self) -> float:
        """Return the examples of all clients, or 1."""
        return 1.0 if self.spec.weights == "identical" else self.context.population.num_examples

    @property
    def server_lr(self) -> float:
        """Step of the server along the weighted sum."""
        return self.spec.server_lr
