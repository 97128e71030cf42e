"""Orders and results between processes: JSON, with tensors left in an arena."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from fedcore.aggregators import Accumulator
from fedcore.clients.work import ClientResult, ClientTask
from fedcore.engine.buffers import BufferMean
from fedcore.engine.context import RunContext
from fedcore.engine.intake import ClientFailure, Outcome, Progress, owned
from fedcore.engine.pool.arena import Arena
from fedcore.engine.report import ClientReport
from fedcore.messages import Message, Update
from fedcore.params import Layout, Params, Section
from fedcore.state import ClientState
from fedcore.wire.container import DTYPE_NAMES, DTYPES, TensorInfo
from fedcore.wire.schema import Schema

#: What JSON can hold.
Packed = Any


def encoded(message: Mapping[str, Packed]) -> bytes:
    """Return a message as it is sent to another process."""
    return json.dumps(message, separators=(",", ":")).encode()


def send(pipe: Connection, message: Mapping[str, Packed]) -> None:
    """Send a message to another process."""
    pipe.send_bytes(encoded(message))


def receive(pipe: Connection) -> dict[str, Packed]:
    """Return the next message from another process.

    Raises:
        EOFError: If the other process is gone.
    """
    message: dict[str, Packed] = json.loads(pipe.recv_bytes())
    return message


@dataclass(frozen=True, eq=False)
class Packer:
    """Turns parts of a round into JSON; what appears several times is written once.

    Attributes:
        layout: Layout of the model, which goes without saying.
        arena: Where tensors are put.
    """

    layout: Layout
    arena: Arena
    _known: dict[int, tuple[Section, Packed]] = field(default_factory=dict)

    def forget(self) -> None:
        """Start over, in the same memory."""
        self._known.clear()
        self.arena.forget()

    def sections(self, sections: Mapping[str, Section]) -> Packed:
        """Return named sections as JSON."""
        return [[name, self.section(section)] for name, section in sections.items()]

    def section(self, section: Section) -> Packed:
        """Return one section as JSON."""
        known = self._known.get(id(section))
        if known is not None:
            return known[1]
        if isinstance(section, Params):
            is_model = section.layout == self.layout
            layout = None if is_model else [section.layout.names, section.layout.shapes]
            packed: Packed = {"flat": self.arena.put(section.flat), "layout": layout}
        else:
            packed = {"named": [[name, self.arena.put(part)] for name, part in section.items()]}
        self._known[id(section)] = (section, packed)  # holding it keeps its id from being reused
        return packed

    def task(self, task: ClientTask) -> Packed:
        """Return a client's task as JSON; its data are known by the client's id."""
        return {
            "client": task.data.client_id,
            "round": task.round_index,
            "since": task.since,
            "sim_seconds": task.sim_seconds,
            "fate": task.fate,
            "message": self.message(task.message),
            "private": None if task.private is None else self.client_state(task.private),
            "cohort": task.cohort_size,
            "bytes_down": task.bytes_down,
            "copies": task.copies,
        }

    def message(self, message: Message) -> Packed:
        """Return a message as JSON."""
        return {
            "sections": self.sections(message.sections),
            "version": message.base_version,
            "scalars": dict(message.scalars),
        }

    def client_state(self, state: ClientState) -> Packed:
        """Return what a client keeps as JSON."""
        return {
            "sections": self.sections(state.sections),
            "values": dict(state.values),
            "memory": self.sections(state.memory),
        }

    def progress(self, progress: Progress) -> Packed:
        """Return what came of a lane whose updates were folded."""
        return {
            "sections": self.sections(progress.accumulator.sections),
            "weight": progress.accumulator.weight,
            "count": progress.accumulator.count,
            "reports": [vars(report) for report in progress.reports],
            "kept": [[client, self.client_state(kept)] for client, kept in progress.kept.items()],
            "sums": [progress.loss_sum, progress.weight_sum],
            "buffers": {
                "values": self.section(progress.buffers.values),
                "weight": progress.buffers.weight,
                "largest": progress.buffers.largest,
            },
        }

    def outcome(self, outcome: Outcome) -> Packed:
        """Return what came of one client's work."""
        if isinstance(outcome, ClientFailure):
            return {"failure": outcome.reason, "duration_s": outcome.duration_s}
        update = outcome.update
        return {
            "update": self.message(update),
            "client": update.client_id,
            "weight": update.weight,
            "kept": None if outcome.kept is None else self.client_state(outcome.kept),
            "num_seen": outcome.num_seen,
            "duration_s": outcome.duration_s,
        }


@dataclass(frozen=True, eq=False)
class Unpacker:
    """The reverse of a ``Packer``; tensors are views of the arena.

    A section that several messages of a round have in common is one object here, too.
    """

    layout: Layout
    arena: Arena
    _known: dict[tuple[int, ...], Params] = field(default_factory=dict)

    def forget(self) -> None:
        """Start over, because the arena is written again."""
        self._known.clear()

    def sections(self, packed: Packed) -> dict[str, Section]:
        """Return named sections."""
        return {name: self.section(part) for name, part in packed}

    def section(self, packed: Packed) -> Section:
        """Return one section."""
        if "named" in packed:
            return {name: self.arena.get(place) for name, place in packed["named"]}
        place = packed["flat"]
        key = (place[0], *place[2])  # an empty tensor lies where the next one begins
        known = self._known.get(key)
        if known is not None:
            return known
        layout = self.layout
        if packed["layout"] is not None:
            names, shapes = packed["layout"]
            layout = Layout(tuple(names), tuple(tuple(shape) for shape in shapes))
        params = self._known[key] = Params(layout, self.arena.get(place))
        return params

    def params(self, packed: Packed) -> Params:
        """Return a section that is one vector."""
        section = self.section(packed)
        if not isinstance(section, Params):
            raise TypeError("a model is one vector")
        return section

    def task(self, packed: Packed, context: RunContext) -> ClientTask:
        """Return a client's task."""
        private = packed["private"]
        return ClientTask(
            seed=context.spec.seed,
            round_index=packed["round"],
            message=self.message(packed["message"]),
            data=context.client_data(packed["client"]),
            private=None if private is None else self.client_state(private),
            cohort_size=packed["cohort"],
            bytes_down=packed["bytes_down"],
            copies=packed["copies"],
            since=packed["since"],
            sim_seconds=packed["sim_seconds"],
            fate=packed["fate"],
        )

    def message(self, packed: Packed) -> Message:
        """Return a message."""
        return Message(
            sections=self.sections(packed["sections"]),
            base_version=packed["version"],
            scalars=packed["scalars"],
        )

    def client_state(self, packed: Packed) -> ClientState:
        """Return what a client keeps, in memory of its own, because it outlives the round."""
        return ClientState(
            owned(self.sections(packed["sections"])),
            packed["values"],
            owned(self.sections(packed["memory"])),
        )

    def progress(self, packed: Packed) -> Progress:
        """Return what came of a lane."""
        loss_sum, weight_sum = packed["sums"]
        return Progress(
            accumulator=Accumulator(
                self.sections(packed["sections"]), packed["weight"], packed["count"]
            ),
            reports=[ClientReport(**report) for report in packed["reports"]],
            kept={client: self.client_state(kept) for client, kept in packed["kept"]},
            loss_sum=loss_sum,
            weight_sum=weight_sum,
            is_borrowed=True,
            buffers=BufferMean(
                self.section(packed["buffers"]["values"]),
                packed["buffers"]["weight"],
                packed["buffers"]["largest"],
            ),
        )

    def outcome(self, packed: Packed) -> Outcome:
        """Return what came of one client's work, in memory of its own."""
        if "failure" in packed:
            return ClientFailure(packed["failure"], packed["duration_s"])
        message = self.message(packed["update"])
        kept = packed["kept"]
        return ClientResult(
            update=Update(
                sections=owned(message.sections),
                base_version=message.base_version,
                scalars=message.scalars,
                client_id=packed["client"],
                weight=packed["weight"],
            ),
            kept=None if kept is None else self.client_state(kept),
            num_seen=packed["num_seen"],
            duration_s=packed["duration_s"],
        )


def pack_schemas(schemas: Mapping[int, Schema]) -> Packed:
    """Return each client's schema as JSON; one that several have in common is written once."""
    unique = {id(schema): schema for schema in schemas.values()}
    places = {key: place for place, key in enumerate(unique)}
    return {
        "schemas": [_pack_schema(schema) for schema in unique.values()],
        "clients": [[client_id, places[id(schema)]] for client_id, schema in schemas.items()],
    }


def unpack_schemas(packed: Packed) -> dict[int, Schema]:
    """Return each client's schema."""
    schemas = [_unpack_schema(schema) for schema in packed["schemas"]]
    return {client_id: schemas[place] for client_id, place in packed["clients"]}


def _pack_schema(schema: Schema) -> Packed:
    """Return a schema as JSON."""
    return {
        "kind": schema.kind,
        "sections": [
            [
                name,
                [
                    [info.name, DTYPE_NAMES[info.dtype], info.shape, info.is_longest]
                    for info in infos
                ],
            ]
            for name, infos in schema.sections
        ],
        "scalars": schema.scalars,
    }


def _unpack_schema(packed: Packed) -> Schema:
    """Return a schema."""
    return Schema(
        packed["kind"],
        tuple(
            (
                name,
                tuple(
                    TensorInfo(key, DTYPES[dtype], tuple(shape), is_longest)
                    for key, dtype, shape, is_longest in infos
                ),
            )
            for name, infos in packed["sections"]
        ),
        tuple(packed["scalars"]),
    )
