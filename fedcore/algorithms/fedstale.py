"""FedStale: fresh updates weighted by rarity, mixed with remembered ones.

Source: Rodio and Neglia, "FedStale: leveraging stale client updates in federated learning", ECAI
2024, arXiv:2405.04171 (the id is from memory), Algorithm 1, and the authors' code. Paper to code:
beta is ``spec.beta``, pi_i is the chance that client i takes part (``spec.participation``), the
objective's weights are ``share``, y_i is remembered in the state's ``records``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.aggregators.gathered import in_order
from fedcore.algorithms.base import DELTA, METHODS
from fedcore.algorithms.participation import Intervals
from fedcore.algorithms.remembering import RECALLED, Remembering
from fedcore.messages import Update
from fedcore.params import vector
from fedcore.spec.algorithms import FedStaleSpec
from fedcore.state import RunState

INTERVALS = "intervals"


@METHODS.implements(FedStaleSpec)
@dataclass(frozen=True, eq=False)
class FedStale(Remembering[FedStaleSpec]):
    """``v = sum_S a_i/pi_i delta_i + beta (sum_j a_j y_j - sum_S a_i/pi_i y_i)``.

    ``beta = 0`` weighs by inverse chances alone, ``beta = 1`` with equal shares is FedVARP.
    """

    def share(self, client_id: int) -> float:
        """Return the client's share of the examples, or 1/N."""
        population = self.context.population
        if self.spec.objective == "uniform":
            return 1.0 / len(population.sizes)
        return population.sizes[client_id] / population.num_examples

    def direction(self, updates: Sequence[Update], state: RunState) -> Tensor:
        """Return v; the weights ``a_i / pi_i`` are not made to add to 1."""
        beta, rarity = self.spec.beta, self._rarity(state)
        v = vector(state.tensors, RECALLED).flat * beta
        for update in updates:
            weight = self.share(update.client_id) * rarity[update.client_id]
            v.add_(vector(update.sections, DELTA).flat, alpha=weight * (1 - beta))
            v.add_(self.news(update, state), alpha=weight * beta)
        return v

    def _rarity(self, state: RunState) -> Sequence[float]:
        """Return 1/pi_i of every client, by id, as known before this round."""
        if self.spec.participation == "sampling":
            return (1.0 / self.context.population.chance,) * self.context.num_clients
        return self._intervals(state).means

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state after the step, and after one more round of estimating chances."""
        after = super().finish(accumulator, state)
        if self.spec.participation == "sampling":
            return after
        present = [update.client_id for update in in_order(accumulator)]
        intervals = self._intervals(state).after(present)
        return replace(after, method={**after.method, INTERVALS: intervals.to_json()})

    def _intervals(self, state: RunState) -> Intervals:
        return Intervals.of(state.method.get(INTERVALS), self.context.num_clients)

    @property
    def server_lr(self) -> float:
        """Step of the server along v."""
        return self.spec.server_lr
