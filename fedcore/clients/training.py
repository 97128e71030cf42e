"""Local training: mini-batch steps of a method on one client's examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from fedcore.clients.optimizers import Slots
from fedcore.data.dataset import Examples
from fedcore.models.base import TrainingTensors, draws_numbers
from fedcore.params import Params, Section
from fedcore.spec.training import LocalSpec
from fedcore.state import MODEL
from fedcore.weights import Weights

if TYPE_CHECKING:
    from fedcore.algorithms.base import AnyMethod

ShouldStop = Callable[[], bool]

#: Batches are fetched together up to about so many bytes, which stay in the processor's cache.
_GATHERED_BYTES = 1 << 18


def never() -> bool:
    """Return False: there is nobody who could ask to stop."""
    return False


class Interrupted(Exception):  # noqa: N818  (not an error: somebody asked for it)
    """The work was asked to stop and has left everything as it was."""


@dataclass(frozen=True, eq=False)
class ClientData:
    """What one client trains on: rows of a data set that all clients share.

    Attributes:
        client_id: Whose data they are.
        examples: All training examples of the data set.
        rows: Which of them are the client's, shape (n,).
    """

    client_id: int
    examples: Examples
    rows: Tensor

    def __len__(self) -> int:
        return self.rows.shape[0]


class Batch(NamedTuple):
    """Inputs of shape (n, *input_shape) and class indices of shape (n,)."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class Phase:
    """One stage of local training.

    Attributes:
        local: How long, in which batches and with which optimiser.
        model: Which of the client's models it moves; ``model`` is the one that came from the
            server.
        trains: Names of the parameters that it moves; None for all of them.
    """

    local: LocalSpec
    model: str = MODEL
    trains: frozenset[str] | None = None


@dataclass(frozen=True, eq=False)
class LocalContext:
    """What the hooks of a method may look at while a client trains, all of it read-only.

    Only tensors differ between clients here, and they sit in mappings, so that a stack of clients
    can be given to the same hooks with a leading axis.

    Attributes:
        received: Sections of the message from the server, as named tensors.
        private: Sections that the client keeps for itself; empty the first time.
        received_flat: The vectors under those received sections that are parameters.
        private_flat: The vectors under those private sections that are parameters.
        phase: The stage of training; the same for all clients of a stack.
    """

    received: Mapping[str, Mapping[str, Tensor]]
    private: Mapping[str, Mapping[str, Tensor]]
    received_flat: Mapping[str, Tensor]
    private_flat: Mapping[str, Tensor]
    phase: Phase = Phase(LocalSpec())

    @classmethod
    def of(
        cls, received: Mapping[str, Section], private: Mapping[str, Section] | None
    ) -> LocalContext:
        """Return the context of a client that got ``received`` and has kept ``private``."""
        kept = private or {}
        return cls(named_tensors(received), named_tensors(kept), _vectors(received), _vectors(kept))

    def in_phase(self, phase: Phase) -> LocalContext:
        """Return the context of a stage of training."""
        return replace(self, phase=phase)


@dataclass(frozen=True, eq=False)
class Trained:
    """Result of local training.

    Attributes:
        params: Parameters after the last step.
        start: Parameters before the first step.
        loss: Mean training loss over the examples seen, each at the time it was seen.
        num_steps: Optimiser steps taken.
        num_seen: Examples worked through, repetitions and all of the client's models included.
        buffers: The model's buffers after the last step; empty if it has none.
        traces: What else came of training, for the method's own ``uplink`` and ``keep``.
        others: The client's other models after their last step, by name.
    """

    params: Params
    start: Params
    loss: float
    num_steps: int
    num_seen: int
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    traces: Mapping[str, Tensor] = field(default_factory=dict)
    others: Mapping[str, Weights] = field(default_factory=dict)

    @property
    def weights(self) -> Weights:
        """The model that came from the server, after the last step."""
        return Weights(self.params, self.buffers)


def named_tensors(sections: Mapping[str, Section]) -> dict[str, Mapping[str, Tensor]]:
    """Return sections as plain named tensors, split once instead of at every access."""
    return {
        name: section.named if isinstance(section, Params) else section
        for name, section in sections.items()
    }


def _vectors(sections: Mapping[str, Section]) -> dict[str, Tensor]:
    return {name: part.flat for name, part in sections.items() if isinstance(part, Params)}


def train(
    method: AnyMethod,
    start: Mapping[str, Weights],
    data: ClientData,
    *,
    context: LocalContext,
    generator: torch.Generator,
    should_stop: ShouldStop,
) -> Trained:
    """Return the result of training through all phases of a method.

    Args:
        method: Supplies phases, data order, loss, gradient and step.
        start: The client's models, by name; not changed.
        data: The client's examples.
        context: What the method's hooks may look at.
        generator: The only source of randomness.
        should_stop: Asked before every batch.

    Raises:
        Interrupted: If ``should_stop`` said so.
    """
    trainers = {name: _Trainer(method, weights, context) for name, weights in start.items()}
    noise = (
        _noise(data.rows.device, generator)
        if draws_numbers(method.context.model)
        else nullcontext()
    )
    with noise:
        for phase in method.phases():
            step = trainers[phase.model].begin(phase)
            for batch in _gathered(data.examples, batches(method, phase.local, data, generator)):
                if should_stop():
                    raise Interrupted
                step(batch)
    trainer = trainers.pop(MODEL)
    return Trained(
        params=trainer.params,
        start=start[MODEL].params,
        loss=float(trainer.loss_sum) / max(trainer.num_seen, 1),
        num_steps=trainer.num_steps,
        num_seen=trainer.num_seen + sum(other.num_seen for other in trainers.values()),
        buffers=trainer.buffers,
        others={name: Weights(other.params, other.buffers) for name, other in trainers.items()},
    )


@contextmanager
def _noise(device: torch.device, generator: torch.Generator) -> Iterator[None]:
    """Let the model draw random numbers that depend on ``generator`` alone."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        yield


def batches(
    method: AnyMethod, phase: LocalSpec, data: ClientData, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield the rows of the data set in each batch of a phase."""
    num_steps = 0
    for order in method.data_order(phase, len(data), generator):
        for rows in data.rows.index_select(0, order.to(data.rows.device)).split(phase.batch_size):
            if num_steps == phase.steps:
                return
            yield rows
            num_steps += 1


def _gathered(examples: Examples, batches: Iterator[Tensor]) -> Iterator[Batch]:
    """Yield the examples in some rows; those of a few batches are fetched together."""
    x, y = examples.x, examples.y
    example_bytes = x[:1].numel() * x.element_size()
    while (first := next(batches, None)) is not None:
        more = _GATHERED_BYTES // max(len(first) * example_bytes, 1)
        together = [first, *islice(batches, more)]
        sizes = [len(rows) for rows in together]
        rows = torch.cat(together)
        yield from map(
            Batch, x.index_select(0, rows).split(sizes), y.index_select(0, rows).split(sizes)
        )


class _Trainer:
    """One model of one client while it trains, and running sums over its steps."""

    def __init__(self, method: AnyMethod, start: Weights, context: LocalContext) -> None:
        self.method = method
        self.params = params = start.params.clone()
        self.context = context
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=params.flat.device)
        self.num_steps = 0
        self.num_seen = 0
        # Leaves share the memory of the flat vector: moving one moves the other.
        self._leaves = {
            name: view.detach().requires_grad_()
            for name, view in params.layout.views(params.flat).items()
        }
        self.buffers = {name: tensor.clone() for name, tensor in start.buffers.items()}

    def begin(self, phase: Phase) -> Callable[[Batch], None]:
        """Return the function that takes one step of a phase."""
        optimizer = self.method.local_step(phase.local)
        slots = Slots()
        context = self.context.in_phase(phase)
        is_plain = self.method.has_plain_gradient
        weights = self._moved(phase, self._leaves) if is_plain else self._moved_of_vector(phase)
        gradient = self._transformed_gradient
        if is_plain:
            gradient = partial(self._plain_gradient, self._names_moved(phase))

        def step(batch: Batch) -> None:
            loss, grads = gradient(batch, context)
            with torch.no_grad():
                optimizer.step(weights, grads, slots)
            size = batch.y.shape[0]
            self.loss_sum.add_(loss, alpha=size)
            self.num_steps += 1
            self.num_seen += size

        return step

    def _names_moved(self, phase: Phase) -> tuple[str, ...]:
        """Return the names of the parameters that a phase moves."""
        trains = phase.trains
        return tuple(name for name in self._leaves if trains is None or name in trains)

    def _moved(self, phase: Phase, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the tensors that a phase moves."""
        return [tensors[name] for name in self._names_moved(phase)]

    def _moved_of_vector(self, phase: Phase) -> list[Tensor]:
        """Return the same as few pieces of the whole vector as possible."""
        flat = self.params.flat
        return [flat] if phase.trains is None else self._pieces(phase, flat)

    def _pieces(self, phase: Phase, flat: Tensor) -> list[Tensor]:
        return self._moved(phase, self.params.layout.views(flat))

    def _gradients(
        self,
        leaves: Mapping[str, Tensor],
        moved: tuple[str, ...],
        batch: Batch,
        context: LocalContext,
        buffers: Mapping[str, Tensor],
    ) -> tuple[Tensor, ...]:
        """Return the loss of a batch and its gradients by the leaves of some names.

        The buffers are moved by what the model sees of the batch.
        """

        def function(x: Tensor, y: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
            named = dict(zip(leaves, weights, strict=True))
            at = TrainingTensors({**named, **buffers})
            loss = self.method.local_loss(at, Batch(x, y), context)
            return loss.detach(), *torch.autograd.grad(loss, [named[name] for name in moved])

        inputs = (batch.x, batch.y, *leaves.values())
        recordings = self.method.recordings
        if recordings is None or buffers or batch.x.device.type != "cpu":
            return function(*inputs)
        key = (
            moved,
            *((tensor.shape, tensor.dtype) for tensor in batch),
            torch.is_autocast_enabled("cpu"),
        )
        return recordings.gradients(key, function, inputs)

    def _buffers_for(self, batch: Batch, seen: list[Batch]) -> dict[str, Tensor]:
        """Return the buffers; copies if a batch was seen before, which must not count twice."""
        if any(batch is other for other in seen):
            return {name: tensor.clone() for name, tensor in self.buffers.items()}
        seen.append(batch)
        return self.buffers

    def _plain_gradient(
        self, moved: tuple[str, ...], batch: Batch, context: LocalContext
    ) -> tuple[Tensor, list[Tensor]]:
        """Return loss and gradient, one tensor per parameter of the names that are moved."""
        loss, *grads = self._gradients(self._leaves, moved, batch, context, self.buffers)
        return loss, grads

    def _transformed_gradient(
        self, batch: Batch, context: LocalContext
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the loss at the weights, and the direction that the method makes of gradients."""
        losses: list[Tensor] = []
        seen: list[Batch] = []

        def gradient(flat: Tensor, at: Batch) -> Tensor:
            views = self.params.layout.views(flat.detach())
            leaves = {name: view.detach().requires_grad_() for name, view in views.items()}
            buffers = self._buffers_for(at, seen)
            loss, *grads = self._gradients(leaves, tuple(leaves), at, context, buffers)
            losses.append(loss)
            return torch.cat([grad.reshape(-1) for grad in grads])

        direction = self.method.transform_grad(gradient, self.params.flat, batch, context)
        is_whole = context.phase.trains is None
        return losses[0], [direction] if is_whole else self._pieces(context.phase, direction)
