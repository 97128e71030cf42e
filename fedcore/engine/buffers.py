"""Buffers of a model, such as the running statistics of batch norm, outside of every method.

No method knows of them. They travel beside what a method sends, uncompressed, and the new buffers
are the mean of the cohort's, weighted by the number of examples whatever weights the method gives
to updates. Numbers that are not floats have no mean; they are taken from the client with the most
examples, the first of them if several have as many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from fedcore.messages import Message, Update
from fedcore.params import Params, Section
from fedcore.state import BUFFERS, RunState
from fedcore.weights import Weights
from fedcore.wire.container import info_of
from fedcore.wire.schema import Schema


@dataclass(frozen=True, eq=False)
class BufferMean:
    """Buffers of some clients, folded one at a time.

    Attributes:
        values: The mean so far; empty before the first client.
        weight: Examples of all clients.
        largest: Examples of the client with the most.
    """

    values: Mapping[str, Tensor]
    weight: float = 0.0
    largest: int = 0

    def fold(self, values: Mapping[str, Tensor], num_samples: int) -> BufferMean:
        """Return the mean with one more client."""
        return self.merge(BufferMean(values, float(num_samples), num_samples))

    def merge(self, other: BufferMean) -> BufferMean:
        """Return the mean of the clients of both."""
        if not self.values or not other.values:
            return self if self.values else other
        weight = self.weight + other.weight
        merged = {}
        for name, mine in self.values.items():
            theirs = other.values[name]
            if mine.is_floating_point():
                merged[name] = mine.lerp(theirs, other.weight / weight)
            else:
                merged[name] = theirs if other.largest > self.largest else mine
        return BufferMean(merged, weight, max(self.largest, other.largest))


#: Before the first client.
NO_BUFFERS = BufferMean({})


def with_buffers(message: Message, state: RunState) -> Message:
    """Return what the server sends, with the buffers if the model has any."""
    section = state.tensors.get(BUFFERS)
    if section is None:
        return message
    return replace(message, sections={**message.sections, BUFFERS: section})


def expect_buffers(schema: Schema, state: RunState) -> Schema:
    """Return the schema of an update, with the buffers if the model has any."""
    section = state.tensors.get(BUFFERS)
    if section is None:
        return schema
    infos = tuple(info_of(name, tensor) for name, tensor in section.items())
    return replace(schema, sections=(*schema.sections, (BUFFERS, infos)))


def split_buffers(update: Update) -> tuple[Update, Section]:
    """Return an update as its method knows it, and the buffers beside it."""
    sections = dict(update.sections)
    buffers = sections.pop(BUFFERS, None)
    return (update, {}) if buffers is None else (replace(update, sections=sections), buffers)


def after_round(state: RunState, mean: BufferMean) -> RunState:
    """Return the state with the clients' buffers, if there are any."""
    if not mean.values:
        return state
    values = {name: tensor.clone() for name, tensor in mean.values.items()}
    return replace(state, tensors={**state.tensors, BUFFERS: values})


def model_in_use(weights: Weights, state: RunState) -> Params:
    """Return a model with the buffers that it needs to be tested or exported.

    Buffers that the model does not bring itself are those that all share.
    """
    buffers = {**state.tensors.get(BUFFERS, {}), **weights.buffers}
    return Params.of({**weights.params, **buffers}) if buffers else weights.params
