"""FedFix: a step of the server at fixed times.

Source: Fraboni, Vidal, Kameni and Lorenzi, "A General Theory for Federated Optimization with
Asynchronous and Heterogeneous Clients Updates", JMLR 24(110), 2023, arXiv:2206.10189, section 4.
Paper to code: Delta t is ``spec.tick`` times the mean time of the slowest client (of real sites:
the longest that one may take, ``runtime.round_limit_s``; our choice), and
``d_i = p_i ceil(tau_i / Delta t)``. That number of ticks is counted for every update
(``update.arrival.rounds``) instead of computed from a known tau_i, so the weights are right on
average for clients whose times vary, too (our choice; equal where they do not).
"""

from __future__ import annotations

from dataclasses import dataclass

from fedcore.algorithms.base import METHODS
from fedcore.algorithms.weighted_sum import WeightedSum
from fedcore.messages import Update
from fedcore.spec.algorithms import FedFixSpec
from fedcore.triggers import Ticking, Trigger


@METHODS.implements(FedFixSpec)
@dataclass(frozen=True, eq=False)
class FedFix(WeightedSum[FedFixSpec]):
    """Early clients wait for the tick; with a tick as long as the slowest client it is FedAvg."""

    @property
    def trigger(self) -> Trigger:
        """Return a step at every tick."""
        return Ticking(self.spec.tick * self.context.population.slowest_s)

    def share(self, update: Update) -> float:
        """Return n_i, times the ticks that the update took."""
        rounds = update.arrival.rounds if self.spec.weights == "unbiased" else 1
        return update.weight * rounds

    @property
    def total(self) -> float:
        """Return the examples of all clients."""
        return self.context.population.num_examples

    @property
    def server_lr(self) -> float:
        """Step of the server along the weighted sum."""
        return self.spec.server_lr
