"""A part of a round as bytes: what some lanes came to, folded to one accumulator.

It is a safetensors file whose header says, as JSON, which round and lanes it belongs to. Whoever
merges it checks that, so a part that was left over from something else is never counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import Tensor

from fedcore.engine.buffers import BufferMean
from fedcore.engine.checkpoint import StatePacker, StateUnpacker
from fedcore.engine.context import RunContext
from fedcore.engine.intake import Asked, Progress
from fedcore.engine.report import ClientReport
from fedcore.errors import AggregationError, WireError
from fedcore.state import ClientStore
from fedcore.wire.container import header_bytes, info_of, read, read_metadata, tensor_bytes

_FORMAT = 1
_KEY = "partial"
_BUFFERS = "buffers"


@dataclass(frozen=True)
class Place:
    """Where in a run a part belongs.

    Attributes:
        digest: Of the run's spec.
        round_index: Which round.
        first_lane: First of its lanes.
        end_lane: The lane after its last one.
    """

    digest: str
    round_index: int
    first_lane: int
    end_lane: int


def encode_partial(place: Place, progress: Progress) -> bytes:
    """Return what some lanes came to as bytes.

    Raises:
        AggregationError: If the rule keeps updates one by one, so that nothing is gained by
            folding some of them elsewhere; the spec refuses such rules.
    """
    accumulator = progress.accumulator
    if accumulator.count and not accumulator.sections:
        raise AggregationError(
            "these updates are combined all at once, not in parts",
            field="runtime.placement",
            fix="Set runtime.placement: local.",
        )
    packer = StatePacker()
    content = {
        "format": _FORMAT,
        "place": asdict(place),
        "sections": packer.sections(accumulator.sections),
        "weight": accumulator.weight,
        "count": accumulator.count,
        "reports": [asdict(report) for report in progress.reports],
        "kept": packer.store(ClientStore(progress.kept)),
        "sums": [progress.loss_sum, progress.weight_sum],
        "buffers": [
            packer.sections({_BUFFERS: dict(progress.buffers.values)}),
            progress.buffers.weight,
            progress.buffers.largest,
        ],
    }
    infos = [info_of(str(number), tensor) for number, tensor in enumerate(packer.tensors)]
    header = header_bytes(infos, {_KEY: json.dumps(content, separators=(",", ":"))})
    return b"".join([header, *(tensor_bytes(tensor) for tensor in packer.tensors)])


def decode_partial(payload: bytes, place: Place, context: RunContext, asked: Asked) -> Progress:
    """Return what some lanes came to.

    Raises:
        WireError: If the bytes are no part of this run, round and lanes.
    """
    content, tensors = _read(payload)
    if not isinstance(content, dict):
        raise WireError("not a part of a round")
    if content.get("format") != _FORMAT or content.get("place") != asdict(place):
        raise WireError(f"not the part that was asked for: {content.get('place')}")
    placed = [tensor.to(context.device) for tensor in tensors]
    try:
        return _progress(content, placed, asked)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise WireError(f"a part of a round is damaged: {error!r}") from error


def _progress(content: dict[str, Any], tensors: list[Tensor], asked: Asked) -> Progress:
    unpacker = StateUnpacker(tensors)
    loss_sum, weight_sum = content["sums"]
    buffers, buffer_weight, largest = content["buffers"]
    return Progress(
        # What a rule remembers of the last round it takes from the state, not from elsewhere.
        accumulator=replace(
            asked.start(),
            sections=unpacker.sections(content["sections"]),
            weight=content["weight"],
            count=content["count"],
        ),
        reports=[ClientReport(**report) for report in content["reports"]],
        kept=dict(unpacker.store(content["kept"])),
        loss_sum=loss_sum,
        weight_sum=weight_sum,
        buffers=BufferMean(unpacker.sections(buffers)[_BUFFERS], buffer_weight, largest),
    )


def _read(payload: bytes) -> tuple[dict[str, Any], Sequence[Tensor]]:
    named = dict(read(payload))
    try:
        content: dict[str, Any] = json.loads(read_metadata(payload)[_KEY])
        return content, [named[str(number)] for number in range(len(named))]
    except (KeyError, ValueError, RecursionError) as error:
        raise WireError("not a part of a round") from error
