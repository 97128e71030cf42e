"""Gradients that are recorded once and played again: autograd without its own cost.

A step on a small batch spends more time in Python's modules and in autograd's graph than in
arithmetic. The operations that they come to are the same for every batch of one shape, so they are
written down once, below autograd, and from then on called one after the other, by torch's own
interpreter where it can. That computes the same numbers to the last bit, for any model; a recording
is used only after it has shown that, on a batch other than the one that it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from operator import itemgetter
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from fedcore.clients.interpreter import Operation, interpreted

#: Returns the loss, and its gradient by each of the weights, for inputs, targets and weights.
GradientFunction = Callable[..., tuple[Tensor, ...]]

#: A shape is recorded after so many batches of it; about as many steps pay for the recording.
BATCHES_BEFORE_RECORDING = 16
#: Longer steps gain nothing, and recording keeps all that lies between their operations in memory.
LONGEST_STEP_S = 0.005

# What may come out differently another time, or for another batch.
_UNREPEATABLE = {
    torch.Tag.nondeterministic_seeded,
    torch.Tag.data_dependent_output,
    torch.Tag.dynamic_output_shape,
}

_DETACH = torch.ops.aten.detach.default
_ONES_LIKE = torch.ops.aten.ones_like.default
_TRANSPOSE = torch.ops.aten.t.default


class UnrepeatableError(Exception):
    """A function does what cannot be recorded."""


class _Tape(TorchDispatchMode):
    """Writes down the operations below autograd, and keeps their tensors alive."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from importing its compiler, four seconds, to keep it away from this class."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result


_Values = list[Any]
_Step = Callable[[_Values], None]


class Recording:
    """The operations that a function came to for one set of inputs.

    Values live in slots of a list: first the inputs, then constants and results as they come up.
    """

    def __init__(self, function: GradientFunction, inputs: Sequence[Tensor]) -> None:
        """Record ``function(*inputs)``.

        Raises:
            UnrepeatableError: If it could do something else for other inputs of these shapes.
        """
        with _Tape() as tape:
            outputs = function(*inputs)
        self._template: _Values = [None] * len(inputs)
        self._slot_of = {id(tensor): slot for slot, tensor in enumerate(inputs)}
        self._transposed: dict[int, int] = {}
        self._is_pure = not any(call[0]._schema.is_mutable for call in tape.calls)  # noqa: SLF001
        self._operations = [made for call in tape.calls for made in self._written(*call)]
        self._outputs = tuple(self._slot(tensor) for tensor in outputs)
        if not {slot for made in self._operations for slot in made.results} >= {*self._outputs}:
            raise UnrepeatableError("a result is an input, or a constant")
        self._num_inputs = len(inputs)
        self._slot_of.clear()

    @cached_property
    def _steps(self) -> list[_Step]:
        return list(self._bound([step for made in self._operations for step in self._called(made)]))

    def interpreted(self) -> GradientFunction | None:
        """Return ``play`` as torch's interpreter does it, without Python between the operations."""
        return interpreted(self._operations, self._template, self._num_inputs, self._outputs)

    def play(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return what the function would for other inputs of the same shapes, without its graph."""
        steps = self._steps
        values = self._template.copy()
        values[: len(inputs)] = inputs
        with torch.no_grad():
            for step in steps:
                step(values)
        return tuple(values[slot] for slot in self._outputs)

    def _written(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> Iterator[Operation]:
        """Yield the operation of a call, unless its result needs none."""
        if _is_unrepeatable(function) or any(map(torch.is_tensor, kwargs.values())):
            raise UnrepeatableError(str(function))
        if self._is_known(function, args, result):
            return
        slots = tuple(
            tuple(map(self._slot, value)) if _is_list_of_tensors(value) else self._slot(value)
            for value in args
        )
        results = result if isinstance(result, list | tuple) else (result,)
        result_slots = tuple(map(self._result_slot, results))
        if function is _TRANSPOSE:
            self._transposed[result_slots[0]] = self._slot(args[0])
        yield Operation(function, slots, kwargs, result_slots)

    def _called(
        self, operation: Operation
    ) -> Iterator[tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...]]]:
        """Yield what to call for an operation, with the slots of arguments and of results."""
        slots = []
        for slot in operation.slots:
            if isinstance(slot, tuple):
                together = self._new_slot()
                yield _listed, slot, (together,)
                slots.append(together)
            else:
                slots.append(slot)
        call = operation.function._op  # noqa: SLF001  (the operator without a frame of Python)
        if operation.kwargs:
            call = partial(call, **operation.kwargs)
        yield call, tuple(slots), operation.results

    def _is_known(self, function: Any, args: tuple[Any, ...], result: Any) -> bool:
        """Return whether a result needs no operation: it lies in a slot, or is a constant."""
        if function is _DETACH:
            self._slot_of[id(result)] = self._slot(args[0])
        elif function is _TRANSPOSE and self._slot(args[0]) in self._transposed:
            self._slot_of[id(result)] = self._transposed[self._slot(args[0])]
        elif function is _ONES_LIKE and self._is_pure:
            self._slot(result)
        else:
            return False
        return True

    def _slot(self, value: Any) -> int:
        """Return where a value lies; what was never made is a constant."""
        if not isinstance(value, Tensor):
            return self._new_slot(value)
        if id(value) not in self._slot_of:
            self._slot_of[id(value)] = self._new_slot(value)
        return self._slot_of[id(value)]

    def _result_slot(self, value: Any) -> int:
        slot = self._new_slot()
        if isinstance(value, Tensor):
            self._slot_of[id(value)] = slot
        return slot

    def _new_slot(self, value: Any = None) -> int:
        self._template.append(value)
        return len(self._template) - 1

    def _bound(
        self, steps: Sequence[tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...]]]
    ) -> Iterator[_Step]:
        """Yield steps, each followed by letting go of what no later one needs."""
        last_use = dict.fromkeys(range(len(self._template)), -1)
        for position, (_, slots, results) in enumerate(steps):
            last_use.update(dict.fromkeys((*slots, *results), position))
        kept = {slot for slot, value in enumerate(self._template) if value is not None}
        for position, (operation, slots, results) in enumerate(steps):
            yield _step(operation, slots, results)
            done = [
                slot
                for slot in dict.fromkeys((*slots, *results))
                if last_use[slot] == position and slot not in kept and slot not in self._outputs
            ]
            if done:
                yield partial(_let_go, done)


@cache
def _is_unrepeatable(function: Any) -> bool:
    return not _UNREPEATABLE.isdisjoint(function.tags)


def _is_list_of_tensors(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(map(torch.is_tensor, value))


def _listed(*values: Any) -> list[Any]:
    return list(values)


def _let_go(slots: Sequence[int], values: _Values) -> None:
    for slot in slots:
        values[slot] = None


def _step(operation: Callable[..., Any], slots: tuple[int, ...], results: tuple[int, ...]) -> _Step:
    if len(results) > 1:
        return partial(_call_for_several, operation, slots, results)
    (result,) = results
    if len(slots) == 1:
        (slot,) = slots

        def call_with_one(values: _Values) -> None:
            values[result] = operation(values[slot])

        return call_with_one
    arguments = itemgetter(*slots)

    def call(values: _Values) -> None:
        values[result] = operation(*arguments(values))

    return call


def _call_for_several(
    operation: Callable[..., Any],
    slots: tuple[int, ...],
    results: tuple[int, ...],
    values: _Values,
) -> None:
    for slot, value in zip(results, operation(*(values[slot] for slot in slots)), strict=True):
        values[slot] = value


@dataclass(eq=False)
class _Shape:
    """What is known of the batches of one shape."""

    seen: int = 0
    seconds: float = 0.0
    candidates: Sequence[GradientFunction] = ()
    proved: GradientFunction | None = None
    is_given_up: bool = False


class Recordings:
    """A function's gradients, recorded for each shape of which many batches come."""

    def __init__(self) -> None:
        self._shapes: dict[Hashable, _Shape] = {}

    def gradients(
        self, key: Hashable, function: GradientFunction, inputs: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Return what ``function(*inputs)`` does, to the last bit.

        Args:
            key: What decides on the operations: shapes, and whatever else the function depends on.
            function: Computes loss and gradients.
            inputs: Inputs, targets and weights of a batch.
        """
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = _Shape()
        if shape.proved is not None:
            return shape.proved(*inputs)
        if shape.is_given_up:
            return function(*inputs)
        began = perf_counter()
        expected = function(*inputs)
        shape.seconds += perf_counter() - began
        shape.seen += 1
        if shape.candidates:
            proved = (play for play in shape.candidates if _plays(play, inputs, expected))
            shape.proved = next(proved, None)
            shape.is_given_up = shape.proved is None
        elif shape.seen == BATCHES_BEFORE_RECORDING:
            shape.candidates = _recorded(function, inputs, shape.seconds / shape.seen)
            shape.is_given_up = not shape.candidates
        return expected


def _recorded(
    function: GradientFunction, inputs: Sequence[Tensor], seconds: float
) -> list[GradientFunction]:
    """Return ways to play a function, the fastest first; none if there are none or none gains."""
    if seconds > LONGEST_STEP_S:
        return []
    try:
        recording = Recording(function, inputs)
    except UnrepeatableError:
        return []
    fast = recording.interpreted()
    return [recording.play] if fast is None else [fast, recording.play]


def _plays(play: GradientFunction, inputs: Sequence[Tensor], expected: Sequence[Tensor]) -> bool:
    """Return whether a recording computes what the function has computed."""
    try:
        played = play(*inputs)
    except RuntimeError:  # an operation that autograd calls in a way that Python cannot
        return False
    return all(map(torch.equal, played, expected))
