"""FedKSeed: a model is tuned along K shared random directions, and only scalars are sent.

Source: Qin et al., "Federated Full-Parameter Tuning of Billion-Sized Language Models with
Communication Cost under 18 Kilobytes", ICML 2024, arXiv:2312.06353, Algorithm 1. Paper to code: z_j
is ``FedKSeed.direction(j)``, drawn from the seed of the run and j; eta is ``local.lr``, tau is
``local.steps``; the scalar gradient of a step is ``g = (L(w + eps z) - L(w - eps z)) / (2 eps)``,
both losses on one batch. The section ``accumulated`` holds ``a_j``, the weighted sums of
``eta g`` over all steps of all clients: with eta in it, a model rebuilt later is the same whatever
the learning rate is by then. Everybody holds ``w0 - sum_j a_j z_j``.

Down travel K numbers. Up travel, per step, two bytes for j and four for the scalar, or the K sums
where those are smaller. A step whose loss is not finite is left out. The paper's Pro variant, which
draws directions by the size of their gradients, is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.algorithms.base import DELTA, LOSS, METHODS, Method
from fedcore.clients.training import (
    Batch,
    ClientData,
    Interrupted,
    LocalContext,
    ShouldStop,
    Trained,
    batches,
)
from fedcore.messages import Message, Update
from fedcore.params import Layout, Params, Section, vector
from fedcore.rng import Purpose, rng
from fedcore.spec.algorithms import FedKSeedSpec
from fedcore.spec.algorithms.codes import STEP_BYTES, SUM_BYTES
from fedcore.state import MODEL, RunState
from fedcore.weights import Weights
from fedcore.wire.container import TensorInfo
from fedcore.wire.schema import Schema, layout_infos

#: Section of the state, and of what travels down: one number per direction.
ACCUMULATED = "accumulated"
SUMS = "sums"
#: Sections of an update that lists its steps.
SEEDS, STEPS = "seeds", "steps"
SEED, STEP = "seed", "step"
_SIXTEEN_BITS = 0xFFFF


@METHODS.implements(FedKSeedSpec)
@dataclass(frozen=True, eq=False)
class FedKSeed(Method[FedKSeedSpec]):
    """``w <- w0 - sum_j a_j z_j``, where clients add to the a_j."""

    def direction(self, number: int, like: Tensor) -> Tensor:
        """Return direction z_j, standard normal, for a flat vector of weights.

        It is drawn on the CPU, whatever the device: others draw other numbers.
        """
        generator = rng(self.context.seed, Purpose.DIRECTION, client_id=number)
        return torch.randn(like.shape, generator=generator).to(like.device, like.dtype)

    def rebuilt(self, sums: Tensor) -> Params:
        """Return the model that accumulated sums of shape ``(K,)`` stand for."""
        start = self._start
        flat = start.flat.clone()
        for number in sums.nonzero().flatten().tolist():
            flat.sub_(self.direction(number, flat), alpha=float(sums[number]))
        return start.with_flat(flat)

    @cached_property
    def _start(self) -> Params:
        """The model before round 0, which everybody makes from the seed."""
        return self.context.initial().params

    @property
    def _num_steps(self) -> int:
        return self.context.local.steps or 0

    @property
    def _lists_steps(self) -> bool:
        """Whether the steps of a client take less room than one sum per direction."""
        return STEP_BYTES * self._num_steps < SUM_BYTES * self.spec.seeds

    # --- server, before a round --------------------------------------------------------------

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the model and nothing accumulated."""
        return {MODEL: model, ACCUMULATED: _sums(torch.zeros(self.spec.seeds))}

    def travelling(self, message: Message, state: RunState, client_id: int) -> Message:  # noqa: ARG002
        """Return one number per direction, from which a client rebuilds the model."""
        return replace(message, sections={ACCUMULATED: state.tensors[ACCUMULATED]})

    def expected_update(self, state: RunState, client_id: int) -> Schema:  # noqa: ARG002
        """Return direction and length of every step, or one sum per direction."""
        if not self._lists_steps:
            sums = layout_infos(Layout((SUMS,), ((self.spec.seeds,),)))
            return Schema("update", ((ACCUMULATED, sums),), (LOSS,))
        shape = (self._num_steps,)
        seeds, steps = TensorInfo(SEED, torch.int16, shape), TensorInfo(STEP, torch.float32, shape)
        return Schema("update", ((SEEDS, (seeds,)), (STEPS, (steps,))), (LOSS,))

    # --- client ----------------------------------------------------------------------------------

    def train_client(
        self,
        start: Mapping[str, Weights],
        data: ClientData,
        *,
        context: LocalContext,
        generator: torch.Generator,
        should_stop: ShouldStop,
    ) -> Trained:
        """Return the model after a step along a random direction per batch, and the steps."""
        first = start[MODEL].params
        flat, seeds, steps, num_seen, loss_sum = first.flat.clone(), [], [], 0, 0.0
        (phase,) = self.phases()
        for rows in batches(self, phase.local, data, generator):
            if should_stop():
                raise Interrupted
            x, y = data.examples.x, data.examples.y
            batch = Batch(x.index_select(0, rows), y.index_select(0, rows))
            number = int(torch.randint(self.spec.seeds, (), generator=generator))
            direction = self.direction(number, flat)
            loss, slope = self._probe(first.with_flat(flat), direction, batch, context)
            step = phase.local.lr * slope
            flat.sub_(direction, alpha=step)
            seeds.append(number)
            steps.append(step)
            num_seen += len(rows)
            loss_sum += loss * len(rows)
        return Trained(
            params=first.with_flat(flat),
            start=first,
            loss=loss_sum / max(num_seen, 1),
            num_steps=len(steps),
            num_seen=num_seen,
            traces={SEEDS: torch.tensor(seeds), STEPS: torch.tensor(steps)},
        )

    def _probe(
        self, at: Params, direction: Tensor, batch: Batch, context: LocalContext
    ) -> tuple[float, float]:
        """Return the loss around some weights, and its slope along a direction.

        The slope is 0 where one of the losses is not finite.
        """
        epsilon = self.spec.epsilon
        with torch.no_grad():
            ahead, behind = (
                float(self.local_loss(at.layout.views(weights), batch, context))
                for weights in (
                    torch.add(at.flat, direction, alpha=epsilon),
                    torch.sub(at.flat, direction, alpha=epsilon),
                )
            )
        slope = (ahead - behind) / (2 * epsilon)
        is_finite = bool(torch.isfinite(torch.tensor(slope)))
        return (ahead + behind) / 2, slope if is_finite else 0.0

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        """Return the steps, or their sums."""
        seeds, steps = trained.traces[SEEDS], trained.traces[STEPS].to(torch.float32)
        sections: dict[str, Section] = {ACCUMULATED: _sums(self._summed(seeds, steps))}
        if self._lists_steps:
            sections = {SEEDS: {SEED: seeds.to(torch.int16)}, STEPS: Params.of({STEP: steps})}
        return Update(
            sections=sections,
            scalars={LOSS: trained.loss},
            base_version=message.base_version,
            client_id=data.client_id,
            weight=self.weight(data),
        )

    # --- server, with the updates ----------------------------------------------------------------

    def objection(self, update: Update) -> str | None:
        """Return why an update is refused: it names a direction that there is not."""
        if not self._lists_steps:
            return None
        largest = int(_seeds(update).max())
        if largest < self.spec.seeds:
            return None
        return f"unknown direction: {largest} of {self.spec.seeds}, counted from 0"

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the accumulator with the sums of one more client."""
        if self._lists_steps:
            sums = self._summed(_seeds(update), update.sections[STEPS][STEP])
        else:
            sums = update.sections[ACCUMULATED][SUMS]
        return super().fold(accumulator, replace(update, sections={DELTA: _sums(sums)}))

    def server_step(self, state: RunState, combined: Mapping[str, Section]) -> RunState:
        """Return the state with the sums added and the model rebuilt from them."""
        sums = state.tensors[ACCUMULATED][SUMS] + vector(combined, DELTA)[SUMS]
        model = self.rebuilt(sums).to(state.model.flat.device)
        return replace(state, tensors={**state.tensors, MODEL: model, ACCUMULATED: _sums(sums)})

    def _summed(self, seeds: Tensor, steps: Tensor) -> Tensor:
        """Return the sum of the steps along each direction, shape ``(K,)``."""
        total = torch.zeros(self.spec.seeds, dtype=torch.float64)
        return total.index_add_(0, seeds.cpu(), steps.cpu().double()).to(torch.float32)


def _sums(values: Tensor) -> Params:
    return Params.of({SUMS: values})


def _seeds(update: Update) -> Tensor:
    """Return the numbers of directions, which travel as sixteen bits without a sign."""
    return update.sections[SEEDS][SEED].to(torch.int64) & _SIXTEEN_BITS
