"""What travels in a round, and how many bytes that is."""

from __future__ import annotations

from collections.abc import Mapping

from fedcore.algorithms.base import AnyMethod
from fedcore.engine.buffers import expect_buffers, with_buffers
from fedcore.messages import Message
from fedcore.params import Section
from fedcore.pipeline import Pipeline
from fedcore.state import RunState
from fedcore.wire import Schema, encoded_size, schema_of


class Traffic:
    """Messages between server and clients in one state of a run."""

    def __init__(self, method: AnyMethod, pipeline: Pipeline, state: RunState, seed: int) -> None:
        self._method = method
        self._pipeline = pipeline
        self._state = state
        self._schemas: dict[Schema, Schema] = {}
        self._bytes_up: dict[int, int] = {}
        self._sizes: dict[tuple[object, ...], tuple[int, Mapping[str, Section]]] = {}
        self.announcer = pipeline.announcer(state, seed)

    def deliver(self, client_id: int) -> tuple[Message, int]:
        """Return a message as a client gets it, and its size on the wire."""
        method, state = self._method, self._state
        exchanges = method.exchanges(state, client_id)
        if exchanges is not None:
            return method.downlink(state, client_id), exchanges * self._update_bytes(client_id)
        message = self._pipeline.promises.announced(method.downlink(state, client_id), state)
        delivery = self.announcer.deliver(with_buffers(message, state), client_id)
        travelling = method.travelling(message, state, client_id)
        if travelling is not message:
            return delivery.message, self._size(with_buffers(travelling, state))
        if delivery.num_bytes is not None:
            return delivery.message, delivery.num_bytes
        return delivery.message, self._size(delivery.message)

    def _size(self, message: Message) -> int:
        """Return the size of a message on the wire; most clients are sent the same sections."""
        sections = message.sections
        key = (*sections, *message.scalars, *map(id, sections.values()))
        if key not in self._sizes:
            # With the sections, so that no other has the id of one of them.
            self._sizes[key] = encoded_size(schema_of(message)), sections
        return self._sizes[key][0]

    def expected(self, client_id: int) -> Schema:
        """Return what a client's update must look like; equal schemas are one object."""
        plain = self._method.expected_update(self._state, client_id)
        if plain not in self._schemas:
            expected = self._pipeline.promises.expected(plain)
            self._schemas[plain] = expect_buffers(expected, self._state)
        return self._schemas[plain]

    def copies(self, client_id: int) -> int:
        """Return how often a client sends its update."""
        exchanges = self._method.exchanges(self._state, client_id)
        return 1 if exchanges is None else exchanges

    def bytes_up(self, client_id: int) -> int:
        """Return the size of all that a client sends."""
        return self.copies(client_id) * self._update_bytes(client_id)

    def _update_bytes(self, client_id: int) -> int:
        """Return the size of a client's update on the wire."""
        plain = self.expected(client_id)
        if id(plain) not in self._bytes_up:
            on_wire = self._pipeline.on_wire(plain, self._state.round_index)
            self._bytes_up[id(plain)] = encoded_size(on_wire)
        return self._bytes_up[id(plain)]
