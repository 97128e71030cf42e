"""What the codec tests share: sample updates, and one chain from its description."""

from __future__ import annotations

from typing import Any

import torch

from fedcore.compression import Chain, CodecContext
from fedcore.params import Params
from fedcore.spec.compression import CompressionSpec

CONTEXT = CodecContext(seed=5, round_index=3, client_id=2, cohort_size=4)


def chain(*links: dict[str, Any]) -> Chain:
    return Chain(CompressionSpec.model_validate({"uplink": list(links)}).uplink)


def sample(seed: int = 0, scale: float = 0.01) -> Params:
    """Return an update with a matrix, a vector, a tensor of no axes and an empty one."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"weight": (37, 11), "bias": (37,), "scalar": (), "empty": (0, 4)}
    return Params.of(
        {name: scale * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    )


def vector(*values: float) -> Params:
    return Params.of({"x": torch.tensor(values)})


def seen(codec: Chain, params: Params, context: CodecContext = CONTEXT) -> Params:
    """Return what the receiver sees."""
    packed = codec.encode(params, context)
    return codec.decode(packed.data, params.layout, context.round_index)
