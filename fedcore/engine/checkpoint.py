"""Saving and loading the state of a run, exactly.

A checkpoint is one safetensors file: tensors as they are, everything else as JSON in the header,
and a checksum over both. It appears by renaming, so there is always a whole one; the checksum
finds what goes wrong afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fedcore.errors import CheckpointError, StorageError, WireError
from fedcore.files import write_atomically
from fedcore.params import Params, Section
from fedcore.state import Broadcast, ClientState, ClientStore, RunState, Stopping, Totals
from fedcore.wire.container import header_bytes, info_of, read, read_metadata, tensor_bytes

FILE_NAME = "checkpoint.safetensors"
_FORMAT = 1


def save(folder: Path, state: RunState, *, digest: str, data_fingerprint: str) -> Path:
    """Write a state to a folder, replacing what is there, and return the file.

    Raises:
        StorageError: If it cannot be written; an older checkpoint is then still there.
    """
    tensors: list[Tensor] = []
    content = {
        "format": _FORMAT,
        "digest": digest,
        "data": data_fingerprint,
        "round_index": state.round_index,
        "tensors": _pack(state.tensors, tensors),
        "clients": [
            [
                client_id,
                _pack(kept.sections, tensors),
                dict(kept.values),
                _pack(kept.memory, tensors),
            ]
            for client_id, kept in sorted(state.clients.items())
        ],
        "combined": _pack(state.combined, tensors),
        "broadcast": _pack(state.broadcast.sections, tensors),
        "heard": sorted(state.broadcast.heard.items()),
        "norms": list(state.norms),
        "kernels": state.kernels,
        "method": dict(state.method),
        "sampler": dict(state.sampler),
        "ledger": [dict(event) for event in state.ledger],
        "totals": asdict(state.totals),
        "metrics": dict(state.metrics),
        "stopping": asdict(state.stopping),
    }
    text = json.dumps(content, separators=(",", ":"))
    parts = [tensor_bytes(tensor) for tensor in tensors]
    metadata = {"state": text, "sha256": _checksum(text, tensors, parts)}
    infos = [info_of(str(number), tensor) for number, tensor in enumerate(tensors)]
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, [header_bytes(infos, metadata), *parts])
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def load(folder: Path, *, digest: str, data_fingerprint: str, device: torch.device) -> RunState:
    """Return the state that was saved in a folder.

    Raises:
        CheckpointError: If there is none, it is damaged, or it belongs to another spec or to other
            data.
    """
    content, tensors = _read(folder / FILE_NAME)
    if content["digest"] != digest:
        raise CheckpointError(
            f"the checkpoint in {folder} belongs to another spec "
            f"({content['digest'][:12]}, not {digest[:12]})",
            found=content["digest"],
            expected=digest,
        )
    if content["data"] != data_fingerprint:
        raise CheckpointError(
            f"the data set has changed since the checkpoint in {folder} was written",
            field="dataset",
            fix="Bring back the data as they were, or start again.",
        )
    placed = [tensor.to(device) for tensor in tensors]
    return RunState(
        round_index=content["round_index"],
        tensors=_unpack(content["tensors"], placed),
        clients=ClientStore(
            {
                client_id: ClientState(_unpack(sections, placed), values, _unpack(memory, placed))
                for client_id, sections, values, memory in content["clients"]
            }
        ),
        combined=_unpack(content["combined"], placed),
        broadcast=Broadcast(
            _unpack(content["broadcast"], placed),
            dict(content["heard"]),
        ),
        norms=tuple(content["norms"]),
        kernels=content["kernels"],
        method=content["method"],
        sampler=content["sampler"],
        ledger=tuple(content["ledger"]),
        totals=Totals(**content["totals"]),
        metrics=content["metrics"],
        stopping=Stopping(**content["stopping"]),
    )


def _pack(sections: Mapping[str, Section], tensors: list[Tensor]) -> list[Any]:
    """Append the tensors of some sections and return, as JSON, which is which."""
    packed = []
    for name, section in sections.items():
        numbers = [[key, len(tensors) + i] for i, key in enumerate(section)]
        tensors.extend(section.values())
        packed.append([name, isinstance(section, Params), numbers])
    return packed


def _unpack(packed: Iterable[Any], tensors: list[Tensor]) -> dict[str, Section]:
    sections: dict[str, Section] = {}
    for name, is_flat, numbers in packed:
        named = {key: tensors[number] for key, number in numbers}
        sections[name] = Params.of(named) if is_flat else named
    return sections


def _read(path: Path) -> tuple[dict[str, Any], list[Tensor]]:
    if not path.exists():
        raise CheckpointError(f"there is no checkpoint in {path.parent}")
    try:
        payload = path.read_bytes()
        named = dict(read(payload))
        metadata = read_metadata(payload)
        tensors = [named[str(number)] for number in range(len(named))]
        text, checksum = metadata["state"], metadata["sha256"]
    except (OSError, WireError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    if checksum != _checksum(text, tensors, [tensor_bytes(tensor) for tensor in tensors]):
        raise CheckpointError(f"{path} is damaged: its checksum does not match")
    content: dict[str, Any] = json.loads(text)
    if content["format"] != _FORMAT:
        raise CheckpointError(f"{path} was written by another version of the engine")
    return content, tensors


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
