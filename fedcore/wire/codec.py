"""Messages to bytes and back.

Tensors are numbered in the order of the schema, and one JSON document in the header says which
number is which tensor of which section: names are never glued together and taken apart again.
All numbers of a message travel as two small tensors of fixed type, so its size follows from its
schema alone, and a loss of 0.5 takes as many bytes as one of 0.4999999.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from fedcore.errors import WireError
from fedcore.messages import Message, Update
from fedcore.params import Params, Section, is_finite
from fedcore.wire.container import (
    TensorInfo,
    header_bytes,
    read,
    read_metadata,
    tensor_bytes,
)
from fedcore.wire.schema import Schema, schema_of

_HEADER_KEY = "roundhouse"
_INTEGERS = "integers"
_FLOATS = "floats"


def encode(message: Message) -> bytes:
    """Return a message as bytes."""
    integers, floats = _numbers(message)
    tensors = [integers, floats, *message.tensors()]
    return b"".join([_prefix(schema_of(message)), *(tensor_bytes(tensor) for tensor in tensors)])


@lru_cache(maxsize=64)
def encoded_size(schema: Schema) -> int:
    """Return how many bytes a message of this schema has on the wire, without encoding one."""
    return len(_prefix(schema)) + sum(info.size_bytes for info in _tensor_infos(schema))


def decode_message(payload: bytes, expected: Schema, *, max_bytes: int) -> Message:
    """Return the message from a server in ``payload``.

    Raises:
        WireError: If it is larger than ``max_bytes``, not well-formed, not of the expected schema,
            or holds a number that is not finite.
    """
    sections, integers, floats = _decode(payload, expected, max_bytes)
    return Message(
        sections=sections,
        base_version=integers[0],
        scalars=dict(zip(expected.scalars, floats, strict=True)),
    )


def decode_update(payload: bytes, expected: Schema, *, max_bytes: int) -> Update:
    """Return the update from a client in ``payload``.

    Raises:
        WireError: As ``decode_message``.
    """
    sections, integers, floats = _decode(payload, expected, max_bytes)
    return Update(
        sections=sections,
        base_version=integers[0],
        client_id=integers[1],
        weight=floats[0],
        scalars=dict(zip(expected.scalars, floats[1:], strict=True)),
    )


def _numbers(message: Message) -> tuple[Tensor, Tensor]:
    integers = [message.base_version]
    floats = list(message.scalars.values())
    if isinstance(message, Update):
        integers.append(message.client_id)
        floats.insert(0, message.weight)
    return torch.tensor(integers, dtype=torch.int64), torch.tensor(floats, dtype=torch.float64)


@lru_cache(maxsize=64)
def _tensor_infos(schema: Schema) -> tuple[TensorInfo, ...]:
    extra = 1 if schema.kind == "update" else 0
    numbers = (
        TensorInfo(_INTEGERS, torch.int64, (1 + extra,)),
        TensorInfo(_FLOATS, torch.float64, (len(schema.scalars) + extra,)),
    )
    tensors = [info for _, infos in schema.sections for info in infos]
    return (
        *numbers,
        *(TensorInfo(str(i), info.dtype, info.shape) for i, info in enumerate(tensors)),
    )


@lru_cache(maxsize=64)
def _prefix(schema: Schema) -> bytes:
    return header_bytes(_tensor_infos(schema), {_HEADER_KEY: _document(schema)})


def _document(schema: Schema) -> str:
    content = {
        "kind": schema.kind,
        "sections": [[name, [info.name for info in infos]] for name, infos in schema.sections],
        "scalars": list(schema.scalars),
    }
    return json.dumps(content, separators=(",", ":"))


def _decode(
    payload: bytes, expected: Schema, max_bytes: int
) -> tuple[dict[str, Section], list[int], list[float]]:
    if len(payload) > max_bytes:
        raise WireError(
            f"a message of {len(payload)} bytes is larger than the limit of {max_bytes}",
            size_bytes=len(payload),
            max_bytes=max_bytes,
        )
    tensors = dict(read(payload))
    found = _schema_in(read_metadata(payload), tensors)
    difference = expected.difference(found)
    if difference is not None:
        raise WireError(difference)
    if not is_finite(tensors.values()):
        raise WireError("the message holds numbers that are not finite")
    integers = [int(number) for number in tensors[_INTEGERS].tolist()]
    floats = [float(number) for number in tensors[_FLOATS].tolist()]
    return _sections(found, tensors), integers, floats


def _schema_in(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Schema:
    """Return the schema that a payload claims, checked against the tensors in it."""
    try:
        content = json.loads(metadata[_HEADER_KEY])
        numbers = iter(range(len(tensors)))
        sections = tuple(
            (
                str(section),
                tuple(_claimed(str(name), tensors[str(next(numbers))]) for name in names),
            )
            for section, names in content["sections"]
        )
        schema = Schema(str(content["kind"]), sections, tuple(map(str, content["scalars"])))
    except (KeyError, ValueError, TypeError, RuntimeError, RecursionError) as error:
        raise WireError("the header does not describe the tensors") from error
    found = {name: _claimed(name, tensor) for name, tensor in tensors.items()}
    if found != {info.name: info for info in _tensor_infos(schema)}:
        raise WireError("the header does not describe the tensors")
    return schema


def _claimed(name: str, tensor: Tensor) -> TensorInfo:
    return TensorInfo(name, tensor.dtype, tuple(tensor.shape))


def _sections(schema: Schema, tensors: Mapping[str, Tensor]) -> dict[str, Section]:
    sections: dict[str, Section] = {}
    position = 0
    for section, infos in schema.sections:
        named: dict[str, Tensor] = {}
        for info in infos:
            named[info.name] = tensors[str(position)]
            position += 1
        is_flat = all(info.dtype == torch.float32 for info in infos)
        sections[section] = Params.of(named) if is_flat else named
    return sections


__all__ = ["decode_message", "decode_update", "encode", "encoded_size"]
