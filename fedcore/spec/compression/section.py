"""The section of a spec, and the bytes that a chain makes of a message."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pydantic import Field

from fedcore.spec.base import BASIC, Spec
from fedcore.spec.compression import values  # noqa: F401  (a chain can hold kinds defined before)
from fedcore.spec.compression.base import (
    FLOAT_BYTES,
    CodecSpec,
    Shape,
    SupportCodecSpec,
    ValueCodecSpec,
)
from fedcore.spec.compression.support import DgcSpec


class CompressionSpec(Spec):
    """How messages are made smaller; an empty chain sends 32-bit numbers as they are."""

    uplink: tuple[CodecSpec, ...] = Field(
        (),
        max_length=2,
        description="Chain for what clients send: choose entries, then their bits.",
        json_schema_extra=BASIC,
    )
    downlink: tuple[CodecSpec, ...] = Field(
        (), max_length=2, description="Chain for the model that the server sends."
    )

    @property
    def vectors_per_client(self) -> int:
        """Vectors as long as the model that each client keeps from its first update on."""
        if any(isinstance(link, DgcSpec) for link in self.uplink):
            return 2
        return int(any(link.has_memory for link in self.uplink))


def chain_bytes(chain: Sequence[CodecSpec], shapes: Iterable[Shape], round_index: int = 0) -> int:
    """Return the bytes that one message's tensors of these shapes take under a chain."""
    support = next((link for link in chain if isinstance(link, SupportCodecSpec)), None)
    coder = next((link for link in chain if isinstance(link, ValueCodecSpec)), None)
    if support is not None and support.is_global:
        shapes = [(sum(math.prod(shape) for shape in shapes),)]
    total = sum(link.message_bytes for link in chain)
    for shape in shapes:
        size = math.prod(shape)
        kept = size if support is None else support.num_kept(shape, round_index)
        total += 0 if support is None else support.place_bytes(size, kept)
        total += kept * FLOAT_BYTES if coder is None else coder.value_bytes(kept)
    return total
