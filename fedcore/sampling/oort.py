"""Oort: clients with a high loss and short rounds are preferred, new ones are explored.

Source: Lai, Zhu, Madhyastha and Chowdhury, "Oort: Efficient Federated Learning via Guided
Participant Selection", OSDI 2021, arXiv:2010.06081, Algorithm 1, with details of the authors' code.
Paper to code: U(i) is ``utility``, T is the ``percentile`` of the known times, epsilon is
``exploration``, alpha is ``spec.penalty``. The paper's utility takes the root mean square of the
losses of single examples; clients report a mean loss here, so ``utility = n_i * mean loss``, which
ranks clients alike when losses vary little within a client (our choice).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import torch

from fedcore.sampling.base import SAMPLERS, Sample, Sampler, Seen
from fedcore.spec.sampling import OortSpec
from fedcore.state import Json, RunState

CLIENTS, PACER, EXPLORATION = "clients", "pacer", "exploration"
STALENESS = 0.1
CANDIDATES_PER_PLACE = 5
MAX_PERCENTILE = 100.0
#: Relative changes of the summed utility between two windows that make the pacer move.
FLAT, STEEP = 0.1, 5.0


@dataclass(frozen=True)
class Known:
    """What is known of a client that has taken part.

    Attributes:
        utility: Latest statistical utility.
        seconds: Latest time.
        last_round: Latest round it took part in, counted from 1.
    """

    utility: float
    seconds: float
    last_round: int


@dataclass(frozen=True)
class Pacer:
    """Trades statistical utility against time: what counts as a fast client.

    Attributes:
        percentile: Percentile of the known times that is the preferred time.
        utilities: Summed utility of each round, of the last two windows.
    """

    percentile: float
    utilities: tuple[float, ...] = ()


@SAMPLERS.implements(OortSpec)
@dataclass(frozen=True)
class OortSampler(Sampler):
    """Exploits the best known clients and explores new ones."""

    spec: OortSpec

    def select(
        self, state: RunState, available: Sequence[int], size: int, generator: torch.Generator
    ) -> Sample:
        """Return the cohort: exploited, explored, and a uniform remainder if both are too few."""
        known = {c: k for c, k in known_clients(state.sampler).items() if c in set(available)}
        share = _number(state.sampler.get(EXPLORATION), self.spec.exploration)
        share = max(share * self.spec.exploration_decay, self.spec.exploration_min)
        num_exploited = min(math.floor(size * (1 - share)), len(known))
        pacer = self.pacer(state.sampler)
        taken = self._exploit(known, pacer, num_exploited, state.round_index + 1, generator)
        fresh = [client for client in available if client not in known]
        taken += _draw(fresh, [1.0] * len(fresh), size - len(taken), generator)
        rest = [client for client in available if client not in set(taken)]
        taken += _draw(rest, [1.0] * len(rest), size - len(taken), generator)
        return Sample(tuple(sorted(taken)), {**state.sampler, EXPLORATION: share})

    def learn(
        self, memory: Mapping[str, Json], round_index: int, cohort: Sequence[Seen]
    ) -> Mapping[str, Json]:
        """Return the memory with this round's utilities and times."""
        known = known_clients(memory)
        for seen in cohort:
            if seen.loss is not None:
                utility = seen.num_samples * abs(seen.loss)
                known[seen.client_id] = Known(utility, seen.sim_seconds, round_index + 1)
        total = sum(seen.num_samples * abs(seen.loss) for seen in cohort if seen.loss is not None)
        pacer = self._paced(self.pacer(memory), total, round_index + 1)
        return {
            **memory,
            CLIENTS: {str(client): asdict(entry) for client, entry in known.items()},
            PACER: {"percentile": pacer.percentile, "utilities": list(pacer.utilities)},
        }

    def pacer(self, memory: Mapping[str, Json]) -> Pacer:
        """Return the pacer as it was after the last round."""
        stored = memory.get(PACER)
        if not isinstance(stored, dict):
            return Pacer(self.spec.preferred_percentile)
        utilities = stored["utilities"]
        values = utilities if isinstance(utilities, list) else []
        percentile = _number(stored["percentile"], self.spec.preferred_percentile)
        return Pacer(percentile, tuple(_number(value, 0.0) for value in values))

    def scores(
        self, known: Mapping[int, Known], pacer: Pacer, round_number: int
    ) -> dict[int, float]:
        """Return the score of each known client, larger is better."""
        utilities = torch.tensor([k.utility for k in known.values()], dtype=torch.float64)
        seconds = torch.tensor([k.seconds for k in known.values()], dtype=torch.float64)
        cap = float(torch.quantile(utilities, self.spec.clip))
        least = 0.999 * float(utilities.min())
        spread = max(min(float(utilities.max()), cap) - least, 1e-4)
        preferred = math.inf
        if pacer.percentile < MAX_PERCENTILE:
            preferred = float(torch.quantile(seconds, pacer.percentile / MAX_PERCENTILE))
        scores = {}
        for client, entry in known.items():
            score = (min(entry.utility, cap) - least) / spread
            score += math.sqrt(STALENESS * math.log(round_number) / entry.last_round)
            if entry.seconds > preferred:
                score *= (preferred / entry.seconds) ** self.spec.penalty
            scores[client] = score
        return scores

    def _exploit(
        self,
        known: Mapping[int, Known],
        pacer: Pacer,
        size: int,
        round_number: int,
        generator: torch.Generator,
    ) -> list[int]:
        """Return some of the best known clients, drawn by score from those near the cut-off."""
        if size <= 0:
            return []
        scores = self.scores(known, pacer, round_number)
        ranked = sorted(scores, key=lambda client: (-scores[client], client))
        cutoff = self.spec.cutoff * scores[ranked[min(size, len(ranked) - 1)]]
        candidates = [client for client in ranked if scores[client] >= cutoff]
        return _draw(candidates, [scores[client] for client in candidates], size, generator)

    def _paced(self, pacer: Pacer, utility: float, round_number: int) -> Pacer:
        """Return the pacer after a round: slower clients are let in when utility stands still."""
        window = self.spec.pacer_window
        utilities = (*pacer.utilities, utility)[-2 * window :]
        pacer = replace(pacer, utilities=utilities)
        if round_number < 2 * window or round_number % window:
            return pacer
        before, now = sum(utilities[:window]), sum(utilities[window:])
        change = abs(now - before) / max(before, 1e-12)
        step = self.spec.pacer_step
        if change <= FLAT:
            return replace(pacer, percentile=min(pacer.percentile + step, MAX_PERCENTILE))
        if change >= STEEP:
            return replace(pacer, percentile=max(pacer.percentile - step, step))
        return pacer


def known_clients(memory: Mapping[str, Json]) -> dict[int, Known]:
    """Return what is known of the clients that have taken part."""
    stored = memory.get(CLIENTS)
    if not isinstance(stored, dict):
        return {}
    return {
        int(client): Known(
            _number(entry["utility"], 0.0),
            _number(entry["seconds"], 0.0),
            int(_number(entry["last_round"], 1)),
        )
        for client, entry in stored.items()
        if isinstance(entry, dict)
    }


def _draw(
    clients: Sequence[int], weights: Sequence[float], size: int, generator: torch.Generator
) -> list[int]:
    """Return up to ``size`` of the clients, without replacement, in proportion to the weights."""
    size = min(size, len(clients))
    if size <= 0:
        return []
    chances = torch.tensor(weights, dtype=torch.float64).clamp(min=0) + 1e-12
    drawn = torch.multinomial(chances, size, replacement=False, generator=generator)
    return [clients[i] for i in drawn.tolist()]


def _number(value: Json, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default
