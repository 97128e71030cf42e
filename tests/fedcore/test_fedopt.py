"""FedAdam, FedYogi, FedAdagrad and FedAvgM against the formulas of their cards."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fedcore.algorithms.fedopt import FIRST, SECOND
from fedcore.params import vector
from tests.fedcore.quadratic import Bed

TAU, RATE = 1e-3, 0.1
KINDS = ["fedadam", "fedyogi", "fedadagrad"]


def update_of_first_round() -> Tensor:
    plain = Bed.of({"kind": "fedavg"})
    plain.play(range(10))
    return plain.state.model.flat


def second_moment(kind: str, second: Tensor, squared: Tensor) -> Tensor:
    if kind == "fedadam":
        return 0.99 * second + 0.01 * squared
    if kind == "fedyogi":
        return second - 0.01 * squared * torch.sign(second - squared)
    return second + squared


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_step_follows_the_formula(kind: str) -> None:
    update = update_of_first_round()
    bed = Bed.of({"kind": kind, "server_lr": RATE, "tau": TAU})
    bed.play(range(10))
    second = second_moment(kind, torch.full_like(update, TAU**2), update**2)
    first = update * (1.0 if kind == "fedadagrad" else 0.1)
    torch.testing.assert_close(vector(bed.state.tensors, SECOND).flat, second)
    torch.testing.assert_close(vector(bed.state.tensors, FIRST).flat, first)
    torch.testing.assert_close(bed.state.model.flat, RATE * first / (second.sqrt() + TAU))


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_step_carries_both_moments_on(kind: str) -> None:
    bed = Bed.of({"kind": kind, "server_lr": RATE, "tau": TAU})
    bed.play(range(10))
    model, first, second = (
        bed.state.model.flat.clone(),
        vector(bed.state.tensors, FIRST).flat.clone(),
        vector(bed.state.tensors, SECOND).flat.clone(),
    )
    plain = Bed.of({"kind": "fedavg"})
    plain.state = type(plain.state)(0, {"model": bed.state.model})
    plain.play(range(10))
    update = plain.state.model.flat - model
    beta1 = 0.0 if kind == "fedadagrad" else 0.9
    first = beta1 * first + (1 - beta1) * update
    second = second_moment(kind, second, update**2)
    bed.play(range(10))
    torch.testing.assert_close(bed.state.model.flat, model + RATE * first / (second.sqrt() + TAU))


def test_fedavgm_without_momentum_is_fedavg_to_the_last_bit() -> None:
    first, second = Bed.of({"kind": "fedavgm", "beta": 0.0}), Bed.of({"kind": "fedavg"})
    for bed in (first, second):
        bed.run(4, cohort_size=5)
    assert torch.equal(first.state.model.flat, second.state.model.flat)


def test_fedavgm_adds_the_old_momentum_without_damping_the_update() -> None:
    bed = Bed.of({"kind": "fedavgm", "beta": 0.9})
    bed.play(range(10))
    first = bed.state.model.flat.clone()
    momentum = vector(bed.state.tensors, FIRST).flat.clone()
    torch.testing.assert_close(momentum, first)
    plain = Bed.of({"kind": "fedavg"})
    plain.state = type(plain.state)(0, {"model": bed.state.model})
    plain.play(range(10))
    update = plain.state.model.flat - first
    bed.play(range(10))
    torch.testing.assert_close(bed.state.model.flat, first + update + 0.9 * momentum)
