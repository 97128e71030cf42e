"""The contract of the methods that change the client's gradient or the server's step."""

from typing import Any

import pytest
import torch

from fedcore.engine.context import build_context
from fedcore.environment import Folders
from tests.fedcore.contract import MethodContract
from tests.fedcore.runs import play_rounds, small_spec


class TestFedSgd(MethodContract):
    algorithm = {"kind": "fedsgd"}


class TestFedProx(MethodContract):
    algorithm = {"kind": "fedprox", "mu": 0.5}


class TestScaffold(MethodContract):
    algorithm = {"kind": "scaffold"}
    models_up = 2
    models_down = 2


class TestFedAdam(MethodContract):
    algorithm = {"kind": "fedadam"}


class TestFedYogi(MethodContract):
    algorithm = {"kind": "fedyogi"}


class TestFedAdagrad(MethodContract):
    algorithm = {"kind": "fedadagrad"}


class TestFedAvgM(MethodContract):
    algorithm = {"kind": "fedavgm"}


class TestFedNova(MethodContract):
    algorithm = {"kind": "fednova"}


class TestFedDyn(MethodContract):
    algorithm = {"kind": "feddyn", "alpha": 0.1}


@pytest.mark.parametrize(
    "neutral",
    [{"kind": "fedprox", "mu": 0.0}, {"kind": "fedavgm", "beta": 0.0}],
    ids=lambda settings: str(settings["kind"]),
)
def test_a_neutral_setting_is_fedavg_to_the_last_bit(
    neutral: dict[str, Any], folders: Folders
) -> None:
    plain, other = (
        play_rounds(build_context(small_spec(algorithm=algorithm), folders), 3)[0]
        for algorithm in ({"kind": "fedavg"}, neutral)
    )
    assert torch.equal(plain.model.flat, other.model.flat)


def test_fedsgd_is_fedavg_with_one_full_batch(folders: Folders) -> None:
    one_batch = {"epochs": 1, "batch_size": 1_000_000, "lr": 0.1}
    plain = small_spec(algorithm={"kind": "fedavg"}, local=one_batch)
    gradients = small_spec(algorithm={"kind": "fedsgd"}, local={**one_batch, "batch_size": 8})
    first, second = (
        play_rounds(build_context(spec, folders), 2)[0].model.flat for spec in (plain, gradients)
    )
    torch.testing.assert_close(first, second)
