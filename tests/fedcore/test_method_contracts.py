"""The contract of the methods that change the client's gradient or the server's step."""

import math
from typing import Any

import pytest
import torch

from fedcore.algorithms.moon import contrast
from fedcore.engine.context import build_context
from fedcore.environment import Folders
from fedcore.spec import check
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


class TestMoon(MethodContract):
    algorithm = {"kind": "moon", "mu": 2.0}


@pytest.mark.parametrize(
    "neutral",
    [
        {"kind": "fedprox", "mu": 0.0},
        {"kind": "fedavgm", "beta": 0.0},
        {"kind": "moon", "mu": 0.0},
    ],
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


def test_moon_turns_the_representation_towards_the_global_model() -> None:
    generator = torch.Generator().manual_seed(0)
    own, near, far = (torch.randn(64, 10, generator=generator) for _ in range(3))
    own.requires_grad_()

    def advantage(features: torch.Tensor) -> float:
        features = features.detach()
        towards = torch.cosine_similarity(features, near, dim=1)
        return float((towards - torch.cosine_similarity(features, far, dim=1)).mean())

    (gradient,) = torch.autograd.grad(contrast(own, near, far, 0.5), own)
    assert advantage(own - 0.1 * gradient) > advantage(own)


def test_moon_without_a_difference_is_log_2_and_pulls_nowhere() -> None:
    generator = torch.Generator().manual_seed(0)
    own, other = (torch.randn(8, 10, generator=generator) for _ in range(2))
    own.requires_grad_()
    loss = contrast(own, other, other, 0.5)
    (gradient,) = torch.autograd.grad(loss, own)
    assert float(loss.detach()) == pytest.approx(math.log(2))
    assert float(gradient.abs().max()) < 1e-7


def test_moon_needs_a_model_with_a_hidden_layer() -> None:
    result = check({"algorithm": {"kind": "moon"}, "model": {"kind": "linear"}})
    assert {problem.path for problem in result.problems} == {"model.kind"}
