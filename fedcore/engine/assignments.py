"""What sites are sent in a round."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fedcore.engine.context import RunContext
from fedcore.engine.intake import on_wire
from fedcore.engine.planning import RoundPlan
from fedcore.engine.traffic import Traffic
from fedcore.messages import Message
from fedcore.state import RunState
from fedcore.wire import Schema, encode, encoded_size


@dataclass(frozen=True)
class Assignment:
    """What one site is sent in a round.

    Attributes:
        client_id: Which of the run's clients it is.
        version: Round whose model it starts from.
        payload: A ``fedcore.wire`` message; one object for all who are sent the same.
        max_result_bytes: Size of the update that is expected.
    """

    client_id: int
    version: int
    payload: bytes
    max_result_bytes: int


def assignments(
    context: RunContext, planned: RoundPlan, holding: Collection[int] = ()
) -> list[Assignment]:
    """Return what each site of a round is sent, by client.

    Args:
        context: The run.
        planned: Who takes part, everybody who is at work included.
        holding: Who has its message already.
    """
    schemas = schemas_of(context, planned)
    messages = {
        task.data.client_id: task.message
        for task in planned.work.tasks
        if task.data.client_id not in holding
    }
    return _encoded(messages, schemas)


def successors(context: RunContext, state: RunState, planned: RoundPlan) -> list[Assignment]:
    """Return what sites are sent in the place of those that deliver before a round is over.

    Args:
        context: The run.
        state: Before the round.
        planned: Who has delivered, and whose place is taken.
    """
    messages = {
        client: flight.message
        for client, flight in planned.flights.items()
        if flight.since > state.round_index
    }
    traffic = Traffic(context.method, context.pipeline, state, context.spec.seed)
    schemas = {
        client: context.pipeline.on_wire(traffic.expected(client), state.round_index)
        for client in messages
    }
    return _encoded(messages, schemas)


def schemas_of(context: RunContext, planned: RoundPlan) -> Mapping[int, Schema]:
    """Return the schema of each update; what it is coded with depends on when it was begun."""
    tasks, found = planned.work.tasks, dict[int, Schema]()
    for version in sorted({task.round_index for task in tasks}):
        clients = [task.data.client_id for task in tasks if task.round_index == version]
        found |= on_wire(context, planned.work.asked, clients, version)
    return found


def _encoded(messages: Mapping[int, Message], schemas: Mapping[int, Schema]) -> list[Assignment]:
    encoded: dict[object, bytes] = {}
    found = []
    for client_id, message in messages.items():
        key = _content_key(message)
        if key not in encoded:
            encoded[key] = encode(message)
        size = encoded_size(schemas[client_id])
        found.append(Assignment(client_id, message.base_version, encoded[key], size))
    return found


def _content_key(message: Message) -> object:
    sections = tuple((name, id(section)) for name, section in message.sections.items())
    return sections, tuple(message.scalars.items()), message.base_version
