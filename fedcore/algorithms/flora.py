"""FLoRA: clients' LoRA factors are stacked, so that their products add up exactly.

Source: Wang et al., "FLoRA: Federated Fine-Tuning Large Language Models with Heterogeneous
Low-Rank Adaptations", NeurIPS 2024, arXiv:2409.05976, section 3.2. Paper to code: p_k is a client's
share of the weights, s is ``LoraSpec.scale``; the stack has the rows ``p_k s A_k`` and the columns
``B_k``, so its product is the increment of the base model W. All clients have one s, as in the
authors' code (alpha is twice the rank there), whatever their rank.

The state's model is W in the layers that have factors, and the head, which is averaged as FedAvg
does. Clients hold W, and are sent the stacks that they have missed, or W where that is smaller.
Stacks are kept only as long as they are smaller than W together. New factors are drawn from the
seed of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import DELTA, LOSS, METHODS, Method
from fedcore.attacks.base import distort_vectors
from fedcore.clients.training import Batch, ClientData, LocalContext, Trained
from fedcore.messages import Message, Update
from fedcore.models.base import TrainingTensors
from fedcore.models.lora import LoraModel, Target, lora_of
from fedcore.params import Layout, Params, Section, vector
from fedcore.rng import Purpose, rng
from fedcore.spec.algorithms import FloraSpec
from fedcore.state import MODEL, RunState
from fedcore.wire.schema import Schema, layout_infos

#: Section of what a client sees: the layers that have factors, as they are now.
BASE = "base"
#: Section of what travels: the head.
HEAD = "head"
#: Section of an update: a client's factors.
FACTORS = "factors"
#: Sections of an accumulator: factors of all clients, and whose each row of a stack is.
STACK_A, STACK_B, OWNERS = "stack_a", "stack_b", "owners"
CLIENT, WEIGHT = "client", "weight"
#: Start of the name of a section that holds the stack of one round.
STACK = "stack."
RANK = "stacked_rank"


@METHODS.implements(FloraSpec)
@dataclass(frozen=True, eq=False)
class Flora(Method[FloraSpec]):
    """``W <- W + sum_k p_k s B_k A_k``, and every client starts again with new factors."""

    @property
    def _lora(self) -> LoraModel:
        return lora_of(self.context.model)

    @property
    def tracks_listeners(self) -> bool:
        """Whether it matters when a client was last sent something: it does."""
        return True

    # --- server, before a round --------------------------------------------------------------

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the layers that have factors, and the head."""
        weights = {target.weight: self._lora.start[target.weight] for target in self._lora.targets}
        return {MODEL: placed(Params.of({**weights, **self._head(model)}), model)}

    def downlink(self, state: RunState, client_id: int) -> Message:
        """Return the base model as the client holds it from now on, and its new factors."""
        rank = self._lora.spec.rank_of(client_id)
        generator = rng(self.context.seed, Purpose.ADAPTER, state.round_index, client_id)
        factors = self._lora.fresh_factors(generator, rank)
        start = placed(Params.of({**factors, **self._head(state.model)}), state.model)
        return Message(sections={MODEL: start, BASE: state.model}, base_version=state.round_index)

    def travelling(self, message: Message, state: RunState, client_id: int) -> Message:
        """Return the head and the stacks that a client has missed, or the layers themselves."""
        sections: dict[str, Section] = {}
        head = self._head(state.model)
        if head:
            sections[HEAD] = Params.of(head)
        missed = range(state.broadcast.heard.get(client_id, 0), state.round_index)
        stacks = {f"{STACK}{number}": state.tensors.get(f"{STACK}{number}") for number in missed}
        held = {name: stack for name, stack in stacks.items() if stack is not None}
        layers = self._layers(state.model)
        if len(held) == len(stacks) and _bytes_of(held.values()) < _bytes_of([layers]):
            sections |= held
        else:
            sections[BASE] = layers
        return replace(message, sections=sections)

    def expected_update(self, state: RunState, client_id: int) -> Schema:
        """Return factors of the client's rank and the change of the head."""
        infos = self._lora.factor_infos(self._lora.spec.rank_of(client_id))
        factors = Layout(tuple(infos), tuple(info.shape for info in infos.values()))
        head = self._head(state.model)
        sections = [(FACTORS, layout_infos(factors))]
        if head:
            sections.append((DELTA, layout_infos(Layout.of(head))))
        return Schema("update", tuple(sections), (LOSS,))

    # --- client ----------------------------------------------------------------------------------

    def local_loss(
        self, params: Mapping[str, Tensor], batch: Batch, context: LocalContext
    ) -> Tensor:
        """Return the loss of a batch with the factors beside the present base model."""
        tensors = {**context.received[BASE], **params}
        known = TrainingTensors(tensors) if isinstance(params, TrainingTensors) else tensors
        return self.context.objective.loss(self.context.model.apply(known, batch.x), batch.y)

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        """Return the trained factors and the change of the head."""
        after, before = trained.params, trained.start
        names = [name for target in self._lora.targets for name in (target.a, target.b)]
        head = {name: after[name] - before[name] for name in self._head(after)}
        sections: dict[str, Section] = {
            FACTORS: placed(Params.of({name: after[name] for name in names}), after)
        }
        if head:
            sections[DELTA] = placed(Params.of(head), after)
        return Update(
            sections=sections,
            scalars={LOSS: trained.loss},
            base_version=message.base_version,
            client_id=data.client_id,
            weight=self.weight(data),
        )

    def distorted(self, update: Update, attack: Callable[[Tensor], Tensor]) -> Update:
        """Return an update whose products were distorted: of two reversed factors it is the same.

        B alone is distorted, and the head.
        """
        factors = vector(update.sections, FACTORS)
        attacked = {
            name: attack(tensor.reshape(-1)).view_as(tensor) if ".lora_B." in name else tensor
            for name, tensor in factors.items()
        }
        others = {name: part for name, part in update.sections.items() if name != FACTORS}
        rest = distort_vectors(replace(update, sections=others), attack)
        sections = {FACTORS: placed(Params.of(attacked), factors), **rest.sections}
        return replace(update, sections=sections)

    # --- server, with the updates ----------------------------------------------------------------

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with one more client at the end of the stack."""
        factors = vector(update.sections, FACTORS)
        targets = self._lora.targets
        rank = factors[targets[0].a].shape[0]
        head = {name: part for name, part in update.sections.items() if name == DELTA}
        # The aggregator says how much an update counts: by its examples, or like any other.
        mean = self.context.aggregator.fold(Accumulator({}), replace(update, sections=head))
        stack: dict[str, Section] = {
            STACK_A: {target.name: factors[target.a].clone() for target in targets},
            STACK_B: {target.name: factors[target.b].clone() for target in targets},
            OWNERS: {
                CLIENT: torch.full((rank,), update.client_id, dtype=torch.int64),
                WEIGHT: torch.full((rank,), mean.weight, dtype=torch.float64),
            },
        }
        return self.merge(accumulator, replace(mean, sections={**mean.sections, **stack}))

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the accumulator of the clients of both, those of the first in front."""
        if first.count == 0 or second.count == 0:
            return second if first.count == 0 else first
        heads = [
            replace(part, sections={n: s for n, s in part.sections.items() if n == DELTA})
            for part in (first, second)
        ]
        mean = self.context.aggregator.merge(*heads)
        pair = (first.sections, second.sections)
        stack: dict[str, Section] = {
            STACK_A: _joined([sections[STACK_A] for sections in pair], 0),
            STACK_B: _joined([sections[STACK_B] for sections in pair], 1),
            OWNERS: _joined([sections[OWNERS] for sections in pair], 0),
        }
        return replace(mean, sections={**mean.sections, **stack})

    def finish(self, accumulator: Accumulator, state: RunState) -> RunState:
        """Return the state with the stack's product in the base model, and the mean head."""
        stack = self._stack(accumulator)
        moved = dict(merged(self._lora, state.model, stack))
        for name, change in accumulator.sections.get(DELTA, {}).items():
            moved[name] = moved[name] + change
        model = placed(Params.of(moved), state.model)
        stacks = {name: part for name, part in state.tensors.items() if name.startswith(STACK)}
        kept = _latest(
            {**stacks, f"{STACK}{state.round_index}": stack}, _bytes_of([self._layers(model)])
        )
        rank = len(accumulator.sections[OWNERS][CLIENT])
        return replace(state, tensors={MODEL: model, **kept}, method={RANK: rank})

    def round_metrics(self, state: RunState) -> Mapping[str, float]:
        """Return the rank of the stack, which is what the next message is as long as."""
        rank = state.method.get(RANK)
        return {RANK: float(rank)} if isinstance(rank, int) else {}

    def _stack(self, accumulator: Accumulator) -> Params:
        """Return the stacked factors in the order of the clients' ids, weights in A alone."""
        owners = accumulator.sections[OWNERS]
        order = torch.argsort(owners[CLIENT], stable=True)
        shares = owners[WEIGHT][order] / accumulator.weight
        rows = (self._lora.spec.scale * shares).to(torch.float32).unsqueeze(1)
        stacked = {}
        for target in self._lora.targets:
            a = accumulator.sections[STACK_A][target.name]
            b = accumulator.sections[STACK_B][target.name]
            stacked[target.a] = a[order.to(a.device)] * rows.to(a.device)
            stacked[target.b] = b[:, order.to(b.device)]
        return placed(Params.of(stacked), next(iter(stacked.values())))

    def _head(self, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: params[name] for name in self._lora.base.head()}

    def _layers(self, model: Params) -> Params:
        weights = {target.weight: model[target.weight] for target in self._lora.targets}
        return Params.of(weights)


def merged(lora: LoraModel, model: Mapping[str, Tensor], stack: Mapping[str, Tensor]) -> Section:
    """Return a base model with the product of a stack added; server and clients do this alike."""

    def increment(target: Target) -> Tensor:
        return target.oriented(stack[target.b] @ stack[target.a])

    changed = {target.weight: model[target.weight] + increment(target) for target in lora.targets}
    return {**model, **changed}


def placed(params: Params, like: Params | Tensor) -> Params:
    """Return parameters on the device of others."""
    return params.to(like.flat.device if isinstance(like, Params) else like.device)


def _joined(parts: Sequence[Section], dim: int) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts], dim=dim) for name in parts[0]}


def _bytes_of(sections: Iterable[Section]) -> int:
    return sum(tensor.nbytes for section in sections for tensor in section.values())


def _latest(stacks: Mapping[str, Section], limit: int) -> dict[str, Section]:
    """Return the latest stacks that are smaller than ``limit`` bytes together."""
    kept: dict[str, Section] = {}
    size = 0
    for name, stack in reversed(list(stacks.items())):
        size += _bytes_of([stack])
        if size >= limit:
            break
        kept[name] = stack
    return dict(reversed(list(kept.items())))
