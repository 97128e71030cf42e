"""Compression, attacks and robust rules give the same bits in one process and in several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fedcore.engine import Engine
from fedcore.engine.report import RoundReport
from tests.fedcore.runs import small_spec, timeless

TOPK = {"kind": "topk", "ratio": 0.05}


def play(tmp_path: Path, executor: str, **overrides: Any) -> list[RoundReport]:
    spec = small_spec(runtime={"executor": executor, "processes": 2, "device": "cpu"}, **overrides)
    engine = Engine.create(spec, cache_dir=tmp_path)
    try:
        return [engine.run_round() for _ in range(3)]
    finally:
        engine.close()


@pytest.mark.parametrize(
    "overrides",
    [
        {
            "aggregation": {"kind": "median"},
            "compression": {"uplink": [TOPK], "downlink": [{"kind": "quantize"}]},
            "attack": {"kind": "additive_noise", "fraction": 0.5},
        },
        {
            "aggregation": {"kind": "centered_clipping", "radius": 1.0},
            "compression": {
                "uplink": [{"kind": "dgc", "ratio": 0.05, "clip_norm": 1.0}, {"kind": "qsgd"}],
                "downlink": [{"kind": "topk", "ratio": 0.2}],
            },
            "attack": {"kind": "label_flip", "fraction": 0.5},
        },
        {"compression": {"uplink": [TOPK, {"kind": "sign"}]}},
    ],
)
def test_a_pool_computes_what_one_process_does(tmp_path: Path, overrides: dict[str, Any]) -> None:
    alone = play(tmp_path, "sequential", **overrides)
    pooled = play(tmp_path, "pool", **overrides)
    assert "pool" in pooled[0].executor
    for one, other in zip(alone, pooled, strict=True):
        assert timeless(one) | {"executor": ""} == timeless(other) | {"executor": ""}
