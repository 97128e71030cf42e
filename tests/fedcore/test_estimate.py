"""What a run is estimated to send is what it sends."""

from typing import Any

import pytest

from fedcore.engine.context import build_context
from fedcore.environment import Folders
from fedcore.spec import estimate
from tests.fedcore.runs import play_rounds, small_spec

STEPS = {"local": {"steps": 12, "batch_size": 8, "lr": 1e-4}}
IMAGES = {"model": {"kind": "cnn", "channels": [4], "hidden": 12}}
#: Names and numbers before the tensors of a message, and padding.
HEADERS = 1000


@pytest.mark.parametrize(
    ("algorithm", "sections"),
    [
        ({"kind": "fedavg"}, {}),
        ({"kind": "scaffold"}, {}),
        ({"kind": "scaffold"}, {"compression": {"uplink": [{"kind": "quantize", "bits": 8}]}}),
        ({"kind": "fedper"}, {}),
        ({"kind": "fedper", "head_layers": 0}, {}),
        ({"kind": "fedrep", "head_epochs": 1}, {}),
        ({"kind": "lg_fedavg"}, {}),
        ({"kind": "lg_fedavg"}, IMAGES),
        ({"kind": "fedbn"}, {}),
        ({"kind": "fedkseed", "seeds": 64}, STEPS),
        ({"kind": "fedkseed", "seeds": 8}, STEPS),
        ({"kind": "frl"}, {}),
        ({"kind": "frl"}, IMAGES),
    ],
)
def test_messages_are_as_long_as_estimated(
    folders: Folders, algorithm: dict[str, Any], sections: dict[str, Any]
) -> None:
    spec = small_spec(algorithm=algorithm, **sections)
    costs = estimate(spec)
    assert costs.bytes_up_per_round is not None
    assert costs.bytes_down_per_round is not None
    _, reports = play_rounds(build_context(spec, folders), 2)
    last = reports[-1]
    assert 0 <= last.bytes_up - costs.bytes_up_per_round < HEADERS * costs.cohort
    assert 0 <= last.bytes_down - costs.bytes_down_per_round < HEADERS * costs.cohort


def test_a_client_of_fedgh_with_all_classes_sends_what_is_estimated(folders: Folders) -> None:
    spec = small_spec(
        algorithm={"kind": "fedgh"},
        partition={"kind": "iid", "clients": 2},
        sampling={"kind": "full"},
    )
    costs = estimate(spec)
    _, reports = play_rounds(build_context(spec, folders), 1)
    assert costs.bytes_up_per_round is not None
    assert costs.bytes_down_per_round is not None
    assert 0 <= reports[0].bytes_up - costs.bytes_up_per_round < 2 * HEADERS
    assert 0 <= reports[0].bytes_down - costs.bytes_down_per_round < 2 * HEADERS


@pytest.mark.parametrize(
    ("algorithm", "sections"),
    [
        ({"kind": "fedper", "head_layers": 2}, {}),
        ({"kind": "fedbn"}, {"model": {"kind": "resnet", "depth": 8, "width": 4, "norm": "batch"}}),
    ],
)
def test_bytes_that_only_the_model_tells_are_not_guessed(
    algorithm: dict[str, Any], sections: dict[str, Any]
) -> None:
    costs = estimate(small_spec(algorithm=algorithm, **sections))
    assert costs.bytes_up_per_round is None
    assert costs.bytes_total is None
    assert costs.memory_bytes is not None
