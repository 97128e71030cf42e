"""Local training of several clients at the same time, along a leading axis of every tensor.

A GPU that is given one client's small batch spends its time on starting kernels; given a stack of
clients it computes. The hooks of a method are functions of tensors, so ``torch.func`` turns them
into functions of stacks, and optimisers work element by element.

Clients that hold different numbers of examples are not padded: at each step those whose batch has
the same length are computed together, and whoever is done drops out. So every client takes exactly
the steps that it would take alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap

from fedcore.algorithms.base import AnyMethod
from fedcore.clients.optimizers import Optimizer, Slots
from fedcore.clients.training import (
    Batch,
    ClientData,
    Interrupted,
    LocalContext,
    Phase,
    ShouldStop,
    Trained,
    batches,
)
from fedcore.models.base import draws_numbers
from fedcore.params import Layout, Params
from fedcore.state import MODEL
from fedcore.weights import Weights

#: Named tensors by section, or vectors by section.
Tensors = dict[str, dict[str, Tensor]]
Vectors = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class StackedClient:
    """One client of a stack.

    Attributes:
        method: What it trains by; clients of one stack have the same.
        start: Its models, by name; not changed.
        data: Its examples.
        context: What the method's hooks may look at.
        generator: Orders its batches.
    """

    method: AnyMethod
    start: Mapping[str, Weights]
    data: ClientData
    context: LocalContext
    generator: torch.Generator

    @property
    def structure(self) -> tuple[object, ...]:
        """What clients of one stack must have in common; the rest may differ."""
        context = self.context
        sections = (context.received, context.private, context.received_flat, context.private_flat)
        return (id(self.method), tuple(self.start), *(tuple(part) for part in sections))


def train_stack(clients: Sequence[StackedClient], should_stop: ShouldStop) -> list[Trained]:
    """Return for each client the result of training it, all of them together.

    Args:
        clients: The stack; all of the same structure.
        should_stop: Asked before every step.

    Raises:
        Interrupted: If ``should_stop`` said so.
        NotImplementedError: If the model has buffers: a function that ``torch.func`` transforms
            cannot move them in place. Or if the method trains in a way of its own, or the
            model draws random numbers.
    """
    method = clients[0].method
    if not method.has_steps:
        raise NotImplementedError("a method that trains in its own way is not stacked")
    if draws_numbers(method.context.model):
        raise NotImplementedError("a model that draws random numbers is trained client by client")
    if any(weights.buffers for client in clients for weights in client.start.values()):
        raise NotImplementedError("a model with running statistics is trained client by client")
    stacks = {name: _Stack(clients, name) for name in clients[0].start}
    for phase in method.phases():
        stacks[phase.model].train(phase, should_stop)
    return [_result(stacks, number) for number in range(len(clients))]


def _result(stacks: Mapping[str, _Stack], number: int) -> Trained:
    """Return what came of one client."""
    stack = stacks[MODEL]
    return Trained(
        params=stack.params(number),
        start=stack.clients[number].start[MODEL].params,
        loss=float(stack.loss_sums[number]) / max(stack.num_seen[number], 1),
        num_steps=stack.num_steps[number],
        num_seen=sum(each.num_seen[number] for each in stacks.values()),
        others={
            name: Weights(other.params(number)) for name, other in stacks.items() if name != MODEL
        },
    )


class _Stack:
    """Weights of one model of all clients, one per row, and running sums over their steps."""

    def __init__(self, clients: Sequence[StackedClient], model: str) -> None:
        self.method = clients[0].method
        self.model = model
        self.clients = clients
        self.layout = clients[0].start[model].params.layout
        self.weights = torch.stack([client.start[model].params.flat for client in clients])
        self.loss_sums = torch.zeros(len(clients), dtype=torch.float64, device=self.weights.device)
        self.num_steps = [0] * len(clients)
        self.num_seen = [0] * len(clients)
        self._contexts = _Contexts.of([client.context for client in clients])

    def train(self, phase: Phase, should_stop: ShouldStop) -> None:
        """Take all steps of a phase."""
        local = phase.local
        work = _Work(
            directions=vmap(_directions(self.method, self.layout, phase)),
            optimizer=self.method.local_step(local),
            slots=_StackedSlots(),
            columns=_columns(self.layout, phase, self.weights.device),
        )
        orders = [
            batches(self.method, local, client.data, client.generator) for client in self.clients
        ]
        for step in zip_longest(*orders):
            if should_stop():
                raise Interrupted
            for members, rows in _of_equal_length(step):
                self._step(members, rows, work)
            work.slots.steps += 1

    def params(self, number: int) -> Params:
        """Return the weights of one client."""
        return Params(self.layout, self.weights[number])

    def _step(self, members: list[int], rows: list[Tensor], work: _Work) -> None:
        """Move some clients, whose batches have the same length."""
        where = _Where.of(members, self.weights.device)
        x, y = self._examples(members, rows)
        weights = where.take(self.weights)
        directions, losses = work.directions(weights, x, y, *self._contexts.of_members(where))
        with torch.no_grad():
            part = work.slots.take(where)
            self._move(weights, directions, part, work)
            work.slots.put(where, part, len(self.clients))
            where.put(self.weights, weights)
            where.add(self.loss_sums, losses.detach().to(torch.float64) * len(rows[0]))
        for member in members:
            self.num_steps[member] += 1
            self.num_seen[member] += len(rows[0])

    def _move(self, weights: Tensor, directions: Tensor, slots: Slots, work: _Work) -> None:
        """Move the columns that the phase trains, in place."""
        columns = work.columns
        if columns is None:
            work.optimizer.step([weights], [directions], slots)
            return
        part = weights.index_select(1, columns)
        work.optimizer.step([part], [directions.index_select(1, columns)], slots)
        weights.index_copy_(1, columns, part)

    def _examples(self, members: list[int], rows: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return inputs and labels with an axis over clients in front."""
        sources = [self.clients[member].data.examples for member in members]
        if all(source is sources[0] for source in sources):
            index = torch.cat(rows)
            shape = (len(rows), len(rows[0]))
            x, y = sources[0].x.index_select(0, index), sources[0].y.index_select(0, index)
            return x.unflatten(0, shape), y.unflatten(0, shape)
        pairs = list(zip(sources, rows, strict=True))
        return (
            torch.stack([source.x.index_select(0, part) for source, part in pairs]),
            torch.stack([source.y.index_select(0, part) for source, part in pairs]),
        )


def _of_equal_length(
    step: Sequence[Tensor | None],
) -> list[tuple[list[int], list[Tensor]]]:
    """Return the clients that take this step and their rows, by the length of their batches."""
    groups: dict[int, tuple[list[int], list[Tensor]]] = {}
    for number, rows in enumerate(step):
        if rows is not None:
            members, all_rows = groups.setdefault(len(rows), ([], []))
            members.append(number)
            all_rows.append(rows)
    return list(groups.values())


def _columns(layout: Layout, phase: Phase, device: torch.device) -> Tensor | None:
    """Return which numbers of the vector a phase moves; None for all."""
    if phase.trains is None:
        return None
    numbers = layout.views(torch.arange(layout.total, device=device))
    return torch.cat([numbers[name].reshape(-1) for name in layout.names if name in phase.trains])


def _directions(
    method: AnyMethod, layout: Layout, phase: Phase
) -> Callable[..., tuple[Tensor, Tensor]]:
    """Return a function from one client's tensors to the direction of its step and its loss."""

    def loss_at(flat: Tensor, at: Batch, context: LocalContext) -> Tensor:
        return method.local_loss(layout.views(flat), at, context)

    gradient_and_loss: Callable[..., tuple[Tensor, Tensor]] = grad_and_value(loss_at)

    def direction(
        flat: Tensor,
        x: Tensor,
        y: Tensor,
        named: tuple[Tensors, Tensors],
        vectors: tuple[Vectors, Vectors],
    ) -> tuple[Tensor, Tensor]:
        context = LocalContext(*named, *vectors, phase=phase)
        losses: list[Tensor] = []

        def gradient(weights: Tensor, at: Batch) -> Tensor:
            grad, loss = gradient_and_loss(weights, at, context)
            losses.append(loss)
            return grad

        found = method.transform_grad(gradient, flat, Batch(x, y), context)
        return found, losses[0]

    return direction


@dataclass(frozen=True, eq=False)
class _Where:
    """Some rows of a stack: a slice if they lie together, which needs no copies, else an index."""

    rows: slice | Tensor

    @classmethod
    def of(cls, members: list[int], device: torch.device) -> _Where:
        if members[-1] - members[0] + 1 == len(members):
            return cls(slice(members[0], members[-1] + 1))
        return cls(torch.tensor(members, device=device))

    def take(self, stack: Tensor) -> Tensor:
        """Return the rows; a view if they lie together."""
        rows: Tensor = stack[self.rows]
        return rows

    def put(self, stack: Tensor, values: Tensor) -> None:
        """Write the rows, unless they were changed in place."""
        if isinstance(self.rows, Tensor) or values.data_ptr() != stack[self.rows].data_ptr():
            stack[self.rows] = values

    def add(self, stack: Tensor, values: Tensor) -> None:
        """Add to the rows."""
        stack[self.rows] += values


@dataclass(eq=False)
class _StackedSlots:
    """What the optimiser remembers, for all clients; they are all at the same step."""

    steps: int = 0
    first: Tensor | None = None
    second: Tensor | None = None

    def take(self, where: _Where) -> Slots:
        """Return the slots of some clients."""
        return Slots(
            self.steps,
            [] if self.first is None or self.steps == 0 else [where.take(self.first)],
            [] if self.second is None or self.steps == 0 else [where.take(self.second)],
        )

    def put(self, where: _Where, part: Slots, count: int) -> None:
        """Keep the slots of some clients after their step."""
        if part.first:
            self.first = _kept(self.first, where, part.first[0], count)
        if part.second:
            self.second = _kept(self.second, where, part.second[0], count)


def _kept(stack: Tensor | None, where: _Where, values: Tensor, count: int) -> Tensor:
    kept = values.new_zeros(count, values.shape[1]) if stack is None else stack
    where.put(kept, values)
    return kept


@dataclass(eq=False)
class _Work:
    """What the steps of one phase have in common.

    Attributes:
        directions: From the tensors of some clients to the directions of their steps and losses.
        optimizer: Moves weights along directions.
        slots: What it remembers.
        columns: Which numbers of the vector it moves; None for all.
    """

    directions: Callable[..., tuple[Tensor, Tensor]]
    optimizer: Optimizer
    slots: _StackedSlots
    columns: Tensor | None


@dataclass(frozen=True, eq=False)
class _Contexts:
    """Received and private tensors of all clients; those that all share are not copied."""

    named: tuple[Tensors, Tensors]
    vectors: tuple[Vectors, Vectors]

    @classmethod
    def of(cls, contexts: Sequence[LocalContext]) -> _Contexts:
        return cls(
            (
                _stack_named([context.received for context in contexts]),
                _stack_named([context.private for context in contexts]),
            ),
            (
                _stack_vectors([context.received_flat for context in contexts]),
                _stack_vectors([context.private_flat for context in contexts]),
            ),
        )

    def of_members(self, where: _Where) -> tuple[tuple[Tensors, Tensors], tuple[Vectors, Vectors]]:
        """Return the tensors of some clients."""
        received, private = (
            {
                name: {key: where.take(tensor) for key, tensor in section.items()}
                for name, section in sections.items()
            }
            for sections in self.named
        )
        first, second = (
            {name: where.take(tensor) for name, tensor in vectors.items()}
            for vectors in self.vectors
        )
        return (received, private), (first, second)


def _stack_named(parts: Sequence[Mapping[str, Mapping[str, Tensor]]]) -> Tensors:
    return {
        name: {key: _stack([part[name][key] for part in parts]) for key in section}
        for name, section in parts[0].items()
    }


def _stack_vectors(parts: Sequence[Mapping[str, Tensor]]) -> Vectors:
    return {name: _stack([part[name] for part in parts]) for name in parts[0]}


def _stack(tensors: list[Tensor]) -> Tensor:
    """Return tensors along a new first axis; without copies if they are all the same one."""
    first = tensors[0]
    if all(tensor is first for tensor in tensors):
        return first.unsqueeze(0).expand(len(tensors), *first.shape)
    return torch.stack(tensors)
