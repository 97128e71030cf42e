"""What compression costs and robust rules withstand on MNIST, on a tenth of it.

``benchmarks/compression.py`` and ``benchmarks/robustness.py`` measure the same on all of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fedcore.engine import Engine
from fedcore.spec import RunSpec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Played:
    """Runs of a tenth of MNIST, each played once."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._known: dict[str, tuple[float, int]] = {}

    def __call__(self, **sections: Any) -> tuple[float, int]:
        """Return the final accuracy and the bytes sent by clients."""
        spec = RunSpec.parse(
            {
                "dataset": {"kind": "mnist", "max_train": 6000},
                "model": {"kind": "mlp", "hidden": [200, 200]},
                "sampling": {"kind": "full"},
                "evaluation": {"every": 1000},
                "runtime": {"executor": "sequential", "device": "cpu"},
                **sections,
            }
        )
        if spec.digest() not in self._known:
            self._known[spec.digest()] = self._play(spec)
        return self._known[spec.digest()]

    def _play(self, spec: RunSpec) -> tuple[float, int]:
        engine = Engine.create(spec, data_dir=self._data)
        try:
            while not engine.is_finished:
                engine.run_round()
            return engine.metrics["accuracy"], engine.totals.bytes_up
        finally:
            engine.close()


@pytest.fixture(scope="module")
def play(real_data: Path) -> Played:
    """Decoding 70,000 images takes seconds, so they stay in the cache of this machine."""
    return Played(real_data)


THREE_CLIENTS: dict[str, Any] = {
    "rounds": 20,
    "partition": {"kind": "iid", "clients": 3},
    "local": {"epochs": 2, "batch_size": 32, "lr": 0.1},
}


@pytest.mark.parametrize(
    ("link", "points", "share"),
    [({"kind": "quantize"}, 0.3, 0.26), ({"kind": "topk", "ratio": 0.01}, 1.0, 0.03)],
)
def test_compressed_uploads_cost_little_accuracy(
    play: Played, link: dict[str, Any], points: float, share: float
) -> None:
    plain_accuracy, plain_bytes = play(**THREE_CLIENTS)
    accuracy, num_bytes = play(**THREE_CLIENTS, compression={"uplink": [link]})
    assert accuracy >= plain_accuracy - points / 100
    assert num_bytes <= share * plain_bytes


def test_what_topk_leaves_out_has_to_be_remembered(play: Played) -> None:
    link = {"kind": "topk", "ratio": 0.01}
    with_memory, _ = play(**THREE_CLIENTS, compression={"uplink": [link]})
    without, _ = play(**THREE_CLIENTS, compression={"uplink": [{**link, "error_feedback": False}]})
    assert without < with_memory - 0.005


TEN_CLIENTS: dict[str, Any] = {
    "rounds": 8,
    "partition": {"kind": "iid", "clients": 10},
    "local": {"epochs": 1, "batch_size": 32, "lr": 0.1},
}
FLIPPED: dict[str, Any] = {"kind": "sign_flip", "fraction": 0.2}


def test_the_mean_collapses_when_a_fifth_flips_signs(play: Played) -> None:
    clean, _ = play(**TEN_CLIENTS)
    attacked, _ = play(**TEN_CLIENTS, attack=FLIPPED)
    assert clean > 0.85
    assert attacked < 0.3


@pytest.mark.parametrize("kind", ["median", "trimmed_mean", "multi_krum"])
def test_robust_rules_stay_within_three_points_of_clean(play: Played, kind: str) -> None:
    clean, _ = play(**TEN_CLIENTS)
    attacked, _ = play(**TEN_CLIENTS, attack=FLIPPED, aggregation={"kind": kind})
    assert attacked >= clean - 0.03
