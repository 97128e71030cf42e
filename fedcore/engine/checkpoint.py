"""Saving and loading the state of a run, exactly.

A checkpoint is one safetensors file: tensors as they are, everything else as JSON in the header,
and a checksum over both. It appears by renaming, so there is always a whole one; the checksum
finds what goes wrong afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fedcore.errors import CheckpointError, StorageError, WireError
from fedcore.files import write_atomically
from fedcore.messages import Message
from fedcore.params import Params, Section
from fedcore.state import (
    Broadcast,
    ClientState,
    ClientStore,
    Flight,
    RunState,
    Stopping,
    Totals,
)
from fedcore.wire.container import header_bytes, info_of, read, read_metadata, tensor_bytes

FILE_NAME = "checkpoint.safetensors"
_FORMAT = 2
#: What reading JSON of another shape than ours comes to.
_MALFORMED = (KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError)


def save(folder: Path, state: RunState, *, digest: str, data_fingerprint: str) -> Path:
    """Write a state to a folder, replacing what is there, and return the file.

    Raises:
        StorageError: If it cannot be written; an older checkpoint is then still there.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, encode(state, digest=digest, data_fingerprint=data_fingerprint))
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def encode(state: RunState, *, digest: str, data_fingerprint: str) -> list[bytes | memoryview]:
    """Return a state as the bytes of a file, in pieces that are views of its tensors."""
    packer = StatePacker()
    content = {
        "format": _FORMAT,
        "digest": digest,
        "data": data_fingerprint,
        "round_index": state.round_index,
        "tensors": packer.sections(state.tensors),
        "clients": packer.store(state.clients),
        "records": packer.store(state.records),
        "flights": packer.flights(state.flights),
        "combined": packer.sections(state.combined),
        "broadcast": packer.sections(state.broadcast.sections),
        "heard": sorted(state.broadcast.heard.items()),
        "norms": list(state.norms),
        "kernels": state.kernels,
        "method": dict(state.method),
        "sampler": dict(state.sampler),
        "ledger": [dict(event) for event in state.ledger],
        "privacy": dict(state.privacy),
        "totals": asdict(state.totals),
        "metrics": dict(state.metrics),
        "stopping": asdict(state.stopping),
    }
    tensors = packer.tensors
    text = json.dumps(content, separators=(",", ":"))
    parts = [tensor_bytes(tensor) for tensor in tensors]
    metadata = {"state": text, "sha256": _checksum(text, tensors, parts)}
    infos = [info_of(str(number), tensor) for number, tensor in enumerate(tensors)]
    return [header_bytes(infos, metadata), *parts]


def load(folder: Path, *, digest: str, data_fingerprint: str, device: torch.device) -> RunState:
    """Return the state that was saved in a folder.

    Raises:
        CheckpointError: If there is none, it is damaged, or it belongs to another spec or to other
            data.
    """
    path = folder / FILE_NAME
    if not path.exists():
        raise CheckpointError(f"there is no checkpoint in {folder}")
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    return decode(
        payload, str(path), digest=digest, data_fingerprint=data_fingerprint, device=device
    )


def decode(
    payload: bytes, origin: str, *, digest: str, data_fingerprint: str, device: torch.device
) -> RunState:
    """Return the state that was encoded.

    Args:
        payload: The bytes.
        origin: Where they are from, for messages.
        digest: Of the spec that it must belong to.
        data_fingerprint: Of the data that it must belong to.
        device: Where its tensors are to live.

    Raises:
        CheckpointError: As ``load``.
    """
    content, tensors = _read(payload, origin)
    if content.get("digest") != digest:
        found = str(content.get("digest"))
        raise CheckpointError(
            f"{origin} belongs to another spec ({found[:12]}, not {digest[:12]})",
            found=found,
            expected=digest,
        )
    if content.get("data") != data_fingerprint:
        raise CheckpointError(
            f"the data set has changed since {origin} was written",
            field="dataset",
            fix="Bring back the data as they were, or start again.",
        )
    try:
        return _state(content, [tensor.to(device) for tensor in tensors])
    except (*_MALFORMED, AttributeError, RuntimeError) as error:
        # A checksum proves that bytes are the ones that were written, not who wrote them.
        raise CheckpointError(f"{origin} holds no state: {error!r}") from error


def _state(content: dict[str, Any], tensors: list[Tensor]) -> RunState:
    if not _is_count(content["round_index"]):
        raise ValueError(f"round_index is {content['round_index']!r}")
    unpacker = StateUnpacker(tensors)
    return RunState(
        round_index=content["round_index"],
        tensors=unpacker.sections(content["tensors"]),
        clients=unpacker.store(content["clients"]),
        records=unpacker.store(content["records"]),
        flights=unpacker.flights(content["flights"]),
        combined=unpacker.sections(content["combined"]),
        broadcast=Broadcast(unpacker.sections(content["broadcast"]), dict(content["heard"])),
        norms=tuple(content["norms"]),
        kernels=content["kernels"],
        method=content["method"],
        sampler=content["sampler"],
        ledger=tuple(content["ledger"]),
        privacy=content["privacy"],
        totals=Totals(**content["totals"]),
        metrics=content["metrics"],
        stopping=Stopping(**content["stopping"]),
    )


class StatePacker:
    """Turns parts of a state into JSON and a list of tensors; a shared section is written once."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self._known: dict[int, tuple[Section, list[Any]]] = {}

    def sections(self, sections: Mapping[str, Section]) -> list[Any]:
        """Return, as JSON, which of the tensors are which."""
        return [
            [name, isinstance(section, Params), self._numbers(section)]
            for name, section in sections.items()
        ]

    def _numbers(self, section: Section) -> list[Any]:
        known = self._known.get(id(section))
        if known is None:
            first = len(self.tensors)
            known = section, [[key, first + place] for place, key in enumerate(section)]
            self.tensors.extend(section.values())
            self._known[id(section)] = known  # holding it keeps its id from being reused
        return known[1]

    def store(self, store: ClientStore) -> list[Any]:
        """Return what is kept of clients."""
        return [
            [client_id, self.sections(kept.sections), dict(kept.values), self.sections(kept.memory)]
            for client_id, kept in sorted(store.items())
        ]

    def flights(self, flights: Mapping[int, Flight]) -> list[Any]:
        """Return the clients at work."""
        return [
            [
                client_id,
                self.sections(flight.message.sections),
                dict(flight.message.scalars),
                flight.message.base_version,
                {name: getattr(flight, name) for name in _FLIGHT_NUMBERS},
            ]
            for client_id, flight in sorted(flights.items())
        ]


_FLIGHT_NUMBERS = tuple(part.name for part in fields(Flight) if part.name != "message")


class StateUnpacker:
    """The reverse of a packer; a section that was shared is one object again."""

    def __init__(self, tensors: list[Tensor]) -> None:
        self._tensors = tensors
        self._known: dict[tuple[int, ...], Params] = {}

    def sections(self, packed: Iterable[Any]) -> dict[str, Section]:
        """Return named sections."""
        return {name: self._section(numbers, is_flat) for name, is_flat, numbers in packed}

    def _section(self, numbers: list[Any], is_flat: bool) -> Section:  # noqa: FBT001
        if not all(_is_count(number) for _, number in numbers):
            raise ValueError("a tensor is not named by its number")
        named = {str(key): self._tensors[number] for key, number in numbers}
        if not is_flat:
            return named
        places = tuple(number for _, number in numbers)
        if places not in self._known:
            self._known[places] = Params.of(named)
        return self._known[places]

    def store(self, packed: Iterable[Any]) -> ClientStore:
        """Return what is kept of clients."""
        return ClientStore(
            {
                client_id: ClientState(self.sections(sections), values, self.sections(memory))
                for client_id, sections, values, memory in packed
            }
        )

    def flights(self, packed: Iterable[Any]) -> dict[int, Flight]:
        """Return the clients at work."""
        return {
            client_id: Flight(
                message=Message(
                    sections=self.sections(sections), scalars=scalars, base_version=version
                ),
                **numbers,
            )
            for client_id, sections, scalars, version, numbers in packed
        }


def _read(payload: bytes, origin: str) -> tuple[dict[str, Any], list[Tensor]]:
    try:
        named = dict(read(payload))
        metadata = read_metadata(payload)
        tensors = [named[str(number)] for number in range(len(named))]
        text, checksum = metadata["state"], metadata["sha256"]
    except (WireError, *_MALFORMED) as error:
        raise CheckpointError(f"{origin} is damaged: {error}") from error
    if checksum != _checksum(text, tensors, [tensor_bytes(tensor) for tensor in tensors]):
        raise CheckpointError(f"{origin} is damaged: its checksum does not match")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{origin} is damaged: its state is no JSON") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise CheckpointError(f"{origin} was written by another version of the engine")
    return content, tensors


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _checksum(text: str, tensors: list[Tensor], parts: list[memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(text, tensors, parts):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(
    text: str, tensors: list[Tensor], parts: list[memoryview]
) -> Iterator[bytes | memoryview]:
    yield text.encode()
    for tensor, part in zip(tensors, parts, strict=True):
        yield f"|{tensor.dtype}{list(tensor.shape)}|".encode()
        yield part
