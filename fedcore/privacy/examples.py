"""Example-level differential privacy: what each client has spent, over the whole run.

What leaves a client is private already (``fedcore.privacy.steps``), so the server may do with it
what it likes, and whoever sees it learns no more. A client spends in the rounds in which it takes
part, and nothing is gained by not being asked, as the server knows whom it asks. Examples belong to
one client each, so a run has spent as much as the client that has spent most (parallel
composition).

Numbers of examples are taken to be public: they weigh updates, and decide how many steps there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import structlog

from fedcore.clients.training import ClientData
from fedcore.privacy.accounts import Account
from fedcore.privacy.ledgers import event_of, number, sums_in
from fedcore.privacy.noise import SeededDraws, fresh_draws
from fedcore.privacy.steps import Batches, Protection
from fedcore.rng import Purpose, rng
from fedcore.spec import RunSpec, renyi
from fedcore.spec.privacy import DpSpec, largest_delta
from fedcore.spec.renyi import NoisySum
from fedcore.spec.rules_trust import SIMULATED
from fedcore.state import Json, RunState

log = structlog.get_logger(__name__)

#: What clients are told, and what the state keeps.
NOISE = "noise_multiplier"
_CLIENT = "client"
#: Clients that are looked at closely to find noise for all; the others spend less.
_CLOSELY = 8
#: By how much noise is raised until it is enough for every client.
_MORE = 1.001


@dataclass(frozen=True)
class ExamplePrivacy:
    """Protects each example of a client.

    Attributes:
        spec: Of the whole run.
        dp: What it asks for.
        sizes: Training examples of each client that could take part.
    """

    spec: RunSpec
    dp: DpSpec
    sizes: Mapping[int, int]

    def begin(self) -> dict[str, Json]:
        """Return what the state keeps: noise that is enough for a client that is always there.

        Raises:
            PrivacyError: If no noise is enough for the epsilon of the spec.
        """
        whole = sum(self.batches_of(size).chance == 1 for size in self.sizes.values())
        if whole:
            log.warning("some clients have all examples in every batch", clients=whole)
        if self.dp.noise_multiplier is not None:
            return {NOISE: self.dp.noise_multiplier}
        target = self.dp.epsilon or math.inf
        plans = {
            _Spent(NoisySum(batches.chance, 1.0), steps, steps)
            for batches in (self.batches_of(size) for size in self.sizes.values())
            for steps in (batches.steps * self.spec.rounds,)
        }
        suspects = sorted(plans, key=lambda plan: plan.count * plan.release.chance**2)[-_CLOSELY:]
        noise = max(
            Account(self.delta, plan.planned).noise_for(target, plan.release) for plan in suspects
        )
        while self._most([plan.with_noise(noise) for plan in plans]) > target:
            noise *= _MORE
        return {NOISE: noise}

    @cached_property
    def _own_noise(self) -> float:
        return number(self.begin(), NOISE)

    @property
    def delta(self) -> float:
        """Chance that the promise does not hold."""
        return self.dp.delta or largest_delta(sum(self.sizes.values()))

    def batches_of(self, size: int) -> Batches:
        """Return how a client with so many examples draws its batches in a round."""
        return Batches.of(self.spec.local, size)

    def scalars(self, state: RunState) -> dict[str, float]:
        """Return what clients are told beside the model."""
        return {NOISE: number(state.privacy, NOISE)}

    def protection(
        self, told: Mapping[str, float], data: ClientData, round_index: int
    ) -> Protection:
        """Return what protects a client's examples in a round.

        A real site does not believe a server that says that less noise is enough than the site has
        worked out for its own examples.
        """
        clip, noise = self.dp.clip_norm, told[NOISE]
        if self.spec.runtime.placement not in SIMULATED:
            return Protection(clip, max(noise, self._own_noise), fresh_draws())
        generator = rng(self.spec.seed, Purpose.PRIVACY, round_index, data.client_id)
        return Protection(clip, noise, SeededDraws(generator))

    def accounted(self, state: RunState, client_ids: Iterable[int]) -> RunState:
        """Return the state after these clients have trained once more."""
        noise = number(state.privacy, NOISE)
        events = {int(number(event, _CLIENT)): event for event in state.ledger}
        for client_id in client_ids:
            batches = self.batches_of(self.sizes[client_id])
            before = events.get(client_id)
            done = 0 if before is None else sums_in(before)[1]
            event = event_of(NoisySum(batches.chance, noise), done + batches.steps)
            events[client_id] = {_CLIENT: client_id, **event}
        return replace(state, ledger=tuple(events[client] for client in sorted(events)))

    def metrics(self, state: RunState) -> dict[str, float]:
        """Return what the client that has spent most has spent."""
        found = set()
        for event in state.ledger:
            release, count = sums_in(event)
            steps = self.batches_of(self.sizes[int(number(event, _CLIENT))]).steps
            found.add(_Spent(release, count, steps * self.spec.rounds))
        return {"epsilon": self._most(found)}

    def _most(self, accounts: Iterable[_Spent]) -> float:
        """Return the largest epsilon of clients with accounts of their own.

        Our own account, which is quick, says which of them it can be.
        """
        bounds = {one: renyi.epsilon(one.release, one.count, self.delta) for one in accounts}
        largest = 0.0
        for one, bound in sorted(bounds.items(), key=lambda item: -item[1]):
            if bound <= largest:
                break
            spent = Account(self.delta, one.planned).epsilon([(one.release, one.count)])
            largest = max(largest, spent)
        return largest


@dataclass(frozen=True)
class _Spent:
    """So many equal sums of one client, of so many that there will be at most."""

    release: NoisySum
    count: int
    planned: int

    def with_noise(self, noise: float) -> _Spent:
        return replace(self, release=replace(self.release, noise=noise))
