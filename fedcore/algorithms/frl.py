"""FRL: clients rank the edges of a network with fixed weights, and the server counts votes.

Source: Mozaffari, Shejwalkar and Houmansadr, "Every Vote Counts: Ranking-Based Training of
Federated Learning to Resist Poisoning Attacks", USENIX Security 2023, arXiv:2110.04350, Algorithms
1 and 2; edge-popup: Ramanujan et al., CVPR 2020, arXiv:1911.13299. Paper to code: theta is
``Frl._fixed``, signed constants ``sqrt(2 / fan_in)``; the scores s are what clients train, one
vector per layer; v is ``Frl._levels``, the sorted scores before round 0, dealt again in the order
of every new ranking R; ``keep`` is k.

All are drawn from the seed of the run, so only rankings travel, ``ceil(log2 n)`` bits for each of a
layer's n edges. Layers have no bias, and norms do not scale. The authors' code ranks by the score
and masks by its size; here one quantity, the score, does both (our choice).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import LOSS, METHODS, Method
from fedcore.clients.training import Batch, ClientData, LocalContext, Trained
from fedcore.compression.bits import pack_bits, unpack_bits
from fedcore.messages import Message, Update
from fedcore.models.base import ParameterInfo, Start
from fedcore.params import Layout, Params, Section
from fedcore.rng import Purpose, rng
from fedcore.spec.algorithms import FrlSpec
from fedcore.spec.algorithms.codes import rank_bits, ranking_bytes
from fedcore.state import MODEL, RunState
from fedcore.weights import Weights
from fedcore.wire.container import TensorInfo
from fedcore.wire.schema import Schema

#: Section of the state, of what travels and of updates: one ranking per layer, as packed bits.
RANKING = "ranking"
#: Section of an accumulator: the sum of the places of each edge, by layer.
VOTES = "votes"


@METHODS.implements(FrlSpec)
@dataclass(frozen=True, eq=False)
class Frl(Method[FrlSpec]):
    """Votes on which edges of a random network to keep."""

    @cached_property
    def _layers(self) -> dict[str, ParameterInfo]:
        """The tensors whose edges are ranked: those with inputs and outputs."""
        parameters = self.context.model.parameters()
        return {name: info for name, info in parameters.items() if len(info.shape) > 1}

    @cached_property
    def _layout(self) -> Layout:
        return Layout(tuple(self._layers), tuple(info.shape for info in self._layers.values()))

    @cached_property
    def _first_scores(self) -> Params:
        """The scores before round 0, uniform within ``1 / sqrt(fan_in)`` of zero."""
        generator = rng(self.context.seed, Purpose.SCORES)
        scores = Params(self._layout, torch.empty(self._layout.total))
        for name, info in self._layers.items():
            bound = 1 / math.sqrt(info.fan_in)
            scores[name].uniform_(-bound, bound, generator=generator)
        return scores

    @cached_property
    def _levels(self) -> dict[str, Tensor]:
        """The scores of each layer in ascending order, which are dealt anew in every round."""
        return {name: part.reshape(-1).sort().values for name, part in self._first_scores.items()}

    @cached_property
    def _fixed(self) -> dict[str, Tensor]:
        """Every parameter of the model as it is for ever; edges are left out by a mask."""
        generator = rng(self.context.seed, Purpose.SIGNS)
        fixed = {}
        for name, info in self.context.model.parameters().items():
            if name in self._layers:
                signs = torch.randint(2, info.shape, generator=generator) * 2.0 - 1
                fixed[name] = signs * math.sqrt(2 / info.fan_in)
            else:
                fixed[name] = torch.full(info.shape, 1.0 if info.start is Start.ONES else 0.0)
        return fixed

    def _num_dropped(self, count: int) -> int:
        return int((1 - self.spec.keep) * count)

    # --- rankings and scores -----------------------------------------------------------------

    def packed(self, rankings: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return rankings, edges from the least to the most important, as bits."""
        return {name: pack_bits(order, rank_bits(len(order))) for name, order in rankings.items()}

    def unpacked(self, packed: Section) -> dict[str, Tensor]:
        """Return the rankings in packed ones, shape ``(edges,)`` each."""
        sizes = dict(zip(self._layout.names, self._layout.sizes, strict=True))
        return {
            name: unpack_bits(bits, rank_bits(sizes[name]), sizes[name]).long()
            for name, bits in packed.items()
        }

    def dealt(self, rankings: Mapping[str, Tensor]) -> Params:
        """Return scores in the order of rankings: ``s[R[j]] = v[j]``."""
        scores = Params(self._layout, torch.empty(self._layout.total))
        for name, order in rankings.items():
            scores[name].view(-1)[order.cpu()] = self._levels[name]
        return scores

    def masked(self, rankings: Mapping[str, Tensor]) -> Params:
        """Return the model of which only the best edges are left."""
        weights = {name: tensor.clone() for name, tensor in self._fixed.items()}
        for name, order in rankings.items():
            weights[name].view(-1)[order[: self._num_dropped(len(order))].cpu()] = 0.0
        return Params.of(weights)

    # --- server, before a round --------------------------------------------------------------

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return scores from the seed, and their ranking."""
        rankings = _rankings(self._first_scores)
        packed = {n: bits.to(model.flat.device) for n, bits in self.packed(rankings).items()}
        return {MODEL: self._first_scores.to(model.flat.device), RANKING: packed}

    def travelling(self, message: Message, state: RunState, client_id: int) -> Message:  # noqa: ARG002
        """Return the ranking, from which a client deals the scores."""
        return replace(message, sections={RANKING: state.tensors[RANKING]})

    def expected_update(self, state: RunState, client_id: int) -> Schema:  # noqa: ARG002
        """Return one ranking per layer."""
        layers = zip(self._layout.names, self._layout.sizes, strict=True)
        infos = tuple(
            TensorInfo(name, torch.uint8, (ranking_bytes(size),)) for name, size in layers
        )
        return Schema("update", ((RANKING, infos),), (LOSS,))

    # --- client ----------------------------------------------------------------------------------

    def local_loss(
        self,
        params: Mapping[str, Tensor],
        batch: Batch,
        context: LocalContext,  # noqa: ARG002
    ) -> Tensor:
        """Return the loss of the best edges by score.

        The gradient of an edge's mask is that of its score, also for edges that are left out.
        """
        weights = {name: part.to(batch.x.device) for name, part in self._fixed.items()}
        for name, scores in params.items():
            if name in self._layers:
                kept = self._mask(scores.detach()) + (scores - scores.detach())
                weights[name] = weights[name] * kept
        outputs = self.context.model.apply(weights, batch.x)
        return self.context.objective.loss(outputs, batch.y)

    def _mask(self, scores: Tensor) -> Tensor:
        flat = scores.reshape(-1)
        best = flat.topk(flat.numel() - self._num_dropped(flat.numel()), sorted=False).indices
        return torch.zeros_like(flat).scatter(0, best, 1.0).view_as(scores)

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        """Return the ranking of the trained scores."""
        return Update(
            sections={RANKING: self.packed(_rankings(trained.params))},
            scalars={LOSS: trained.loss},
            base_version=message.base_version,
            client_id=data.client_id,
            weight=self.weight(data),
        )

    def weight(self, data: ClientData) -> float:  # noqa: ARG002
        """Return 1: every client has one vote."""
        return 1.0

    def distorted(self, update: Update, attack: Callable[[Tensor], Tensor]) -> Update:
        """Return the ranking of distorted places, which lie from -1 to 1."""
        places = {
            name: _places(order) for name, order in self.unpacked(update.sections[RANKING]).items()
        }
        attacked = {
            name: attack(2.0 * place / max(len(place) - 1, 1) - 1) for name, place in places.items()
        }
        return replace(update, sections={RANKING: self.packed(_rankings(attacked))})

    # --- server, with the updates ----------------------------------------------------------------

    def objection(self, update: Update) -> str | None:
        """Return why an update is refused: a ranking must name every edge once."""
        for name, order in self.unpacked(update.sections[RANKING]).items():
            is_known = bool((order < len(order)).all())
            if not is_known or int(torch.bincount(order, minlength=1).max()) > 1:
                return f"no ranking: {name} does not name every edge once"
        return None

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with the places that one more client gives to the edges."""
        rankings = self.unpacked(update.sections[RANKING])
        votes = {name: _places(order) for name, order in rankings.items()}
        return self.merge(accumulator, Accumulator({VOTES: votes}, 1.0, 1))

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the votes of both, whose sum is exact."""
        if first.count == 0 or second.count == 0:
            return second if first.count == 0 else first
        one, two = first.sections[VOTES], second.sections[VOTES]
        votes = {name: places + two[name] for name, places in one.items()}
        return Accumulator({VOTES: votes}, first.weight + second.weight, first.count + second.count)

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state with the ranking that the votes make; ties go by the edges' numbers."""
        rankings = _rankings(accumulator.sections[VOTES])
        scores = self.dealt(rankings).to(state.model.flat.device)
        return replace(state, tensors={MODEL: scores, RANKING: self.packed(rankings)})

    # --- afterwards ------------------------------------------------------------------------------

    def evaluate_model(self, state: RunState) -> Weights:
        """Return the random network with the best edges only."""
        model = self.masked(self.unpacked(state.tensors[RANKING]))
        return Weights(model.to(state.model.flat.device))


def _rankings(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the edges of each layer from the lowest to the highest value."""
    return {name: torch.argsort(part.reshape(-1), stable=True) for name, part in values.items()}


def _places(order: Tensor) -> Tensor:
    """Return the place of each edge in a ranking, from 0: the inverse permutation."""
    places = torch.empty_like(order)
    places[order] = torch.arange(len(order), device=order.device)
    return places
