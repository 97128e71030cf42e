"""Recorded operations as a graph for torch's interpreter, which plays them without Python between.

The graph is written from the operations themselves, each typed by its schema, with the same
arguments; nothing is traced or compiled. torch offers that under private names alone: where one of
them is missing, or an operation cannot be written so, there is no graph, and Python plays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

#: Returns tensors for tensors.
Play = Callable[..., tuple[Tensor, ...]]

# As torch's interpreter counts them.
_MEMORY_FORMATS = {
    torch.contiguous_format: 0,
    torch.preserve_format: 1,
    torch.channels_last: 2,
    torch.channels_last_3d: 3,
}
# Of these, a list is a constant as it is.
_PLAIN = {"IntType": int, "FloatType": float, "BoolType": bool}
# What a graph for the interpreter may fail with: private names and their arguments may change.
_FAILURES = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of an operator, with the slots of its arguments and of its results.

    An argument that is a list with tensors is a tuple of the slots of its elements.
    """

    function: Any
    slots: tuple[int | tuple[int, ...], ...]
    kwargs: Mapping[str, Any]
    results: tuple[int, ...]


def interpreted(
    operations: Iterable[Operation],
    values: Sequence[Any],
    num_inputs: int,
    outputs: Sequence[int],
) -> Play | None:
    """Return operations as torch's interpreter plays them; None if it cannot be told them.

    It leaves the operations as they are: optimised, it takes some apart and rounds otherwise.

    Args:
        operations: What to play, in order.
        values: What lies in each slot at the beginning: constants, else None.
        num_inputs: So many slots, the first ones, are given for every play.
        outputs: The slots to return.
    """
    try:
        is_optimized = torch._C._get_graph_executor_optimize  # noqa: SLF001
        set_optimized = torch._C._set_graph_executor_optimize  # noqa: SLF001
        graph = _Graph(values, num_inputs)
        for operation in operations:
            graph.add(operation)
        function = graph.function(outputs)
    except _FAILURES:
        return None

    def play(*given: Tensor) -> tuple[Tensor, ...]:
        # Without the context manager that torch makes of them, which takes microseconds.
        before = is_optimized()
        set_optimized(False)
        try:
            with torch.no_grad():
                return function(*given)
        finally:
            set_optimized(before)

    return play


@dataclass(frozen=True, slots=True)
class _Signature:
    """What a schema says; asked for once, for every answer is copied."""

    name: str
    #: Name, type, whether it is positional, and default of each argument.
    arguments: Sequence[tuple[str, Any, bool, Any]]
    returns: Sequence[Any]
    #: The type of the elements, where the only result is a list.
    listed: Any


@cache
def _signature(function: Any) -> _Signature:
    schema = function._schema  # noqa: SLF001
    returns = [returned.type for returned in schema.returns]
    return _Signature(
        schema.name,
        [
            (argument.name, argument.type, not argument.kwarg_only, argument.default_value)
            for argument in schema.arguments
        ],
        returns,
        returns[0].getElementType()
        if [type_.kind() for type_ in returns] == ["ListType"]
        else None,
    )


class _Graph:
    """A graph that is being written; slots are turned into its values when they are needed."""

    def __init__(self, template: Sequence[Any], num_inputs: int) -> None:
        self._graph: Any = torch._C.Graph()  # noqa: SLF001  (its stubs lack methods)
        self._template = template
        self._constants: dict[str, Any] = {}
        self._values = {slot: self._graph.addInput() for slot in range(num_inputs)}

    def add(self, operation: Operation) -> None:
        """Add a call of an operator.

        Raises:
            TypeError: If an argument cannot be written.
        """
        signature = _signature(operation.function)
        given = iter(operation.slots)
        arguments = []
        for name, type_, is_positional, default in signature.arguments:
            slot = next(given, None) if is_positional else None
            if slot is not None:
                arguments.append(self._of_slot(slot, type_))
            else:
                arguments.append(self._constant(operation.kwargs.get(name, default), type_))
        made = self._node(signature.name, arguments, signature.returns)
        if signature.listed is not None:
            elements = [signature.listed] * len(operation.results)
            made = self._node("prim::ListUnpack", made, elements)
        self._values.update(zip(operation.results, made, strict=False))

    def function(self, outputs: Sequence[int]) -> Play:
        """Return what calls the graph for the values of some slots."""
        values = [self._values[slot] for slot in outputs]
        together = torch._C.TupleType([value.type() for value in values])  # noqa: SLF001
        for output in self._node("prim::TupleConstruct", values, [together]):
            self._graph.registerOutput(output)
        play: Play = torch._C._create_function_from_graph("recording", self._graph)  # noqa: SLF001
        return play

    def _of_slot(self, slot: int | tuple[int, ...], type_: Any) -> Any:
        if isinstance(slot, tuple):
            listed = _required(type_)
            elements = [self._of_slot(element, listed.getElementType()) for element in slot]
            return self._node("prim::ListConstruct", elements, [listed])[0]
        if slot not in self._values:
            self._values[slot] = self._constant(self._template[slot], type_)
        return self._values[slot]

    def _constant(self, value: Any, type_: Any) -> Any:
        """Return a constant as an argument of a type takes it."""
        if isinstance(value, list | tuple):
            listed = _required(type_)
            element_type = listed.getElementType()
            if value and {*map(type, value)} == {_PLAIN.get(element_type.kind())}:
                return self._inserted(list(value))
            elements = [self._constant(element, element_type) for element in value]
            return self._node("prim::ListConstruct", elements, [listed])[0]
        if isinstance(value, int) and _required(type_).kind() == "FloatType":
            value = float(value)
        if isinstance(value, torch.memory_format):
            value = _MEMORY_FORMATS[value]
        return self._inserted(value)

    def _inserted(self, value: Any) -> Any:
        """Return a constant; the same one for numbers and names that are alike to the last bit."""
        if isinstance(value, Tensor):
            return self._graph.insertConstant(value)
        name = repr(value)
        if name not in self._constants:
            self._constants[name] = self._graph.insertConstant(value)
        return self._constants[name]

    def _node(self, name: str, arguments: Sequence[Any], types: Sequence[Any]) -> list[Any]:
        """Return the values, each of its type, that a node makes."""
        node = self._graph.insertNode(self._graph.create(name, arguments, len(types)))
        made = [node.outputsAt(position) for position in range(len(types))]
        for value, type_ in zip(made, types, strict=True):
            if type_.kind() != "TensorType":  # as values are, unless they are told otherwise
                value.setType(type_)
        return made


def _required(type_: Any) -> Any:
    """Return a type without the None that it may also be."""
    return type_.getElementType() if type_.kind() == "OptionalType" else type_
