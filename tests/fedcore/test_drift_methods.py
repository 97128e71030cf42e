"""Checks of the cards of fedavg, fedprox, scaffold, fednova and feddyn on quadratic clients."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from fedcore.algorithms.fednova import effective_steps
from fedcore.params import vector
from tests.fedcore.quadratic import Bed


@cache
def error(kind: str, *, cohort_size: int = 10, **settings: float) -> float:
    rounds = 120 if cohort_size == 10 else 300
    bed = Bed.of({"kind": kind, **settings}, steps=5, lr=0.4)
    return bed.run(rounds, cohort_size=cohort_size)


def test_fedavg_stops_short_of_the_optimum_on_unequal_clients() -> None:
    assert 0.05 < error("fedavg") < 1.0


def test_fedprox_drifts_less_than_fedavg() -> None:
    assert error("fedprox", mu=1.0) < 0.8 * error("fedavg")


def test_a_stronger_pull_moves_a_client_less() -> None:
    moved = []
    for mu in (0.0, 0.1, 1.0):
        bed = Bed.of({"kind": "fedprox", "mu": mu})
        bed.play([0])
        moved.append(float(bed.state.model.flat.norm()))
    assert moved[0] > moved[1] > moved[2] > 0


@pytest.mark.parametrize(("cohort_size", "bound"), [(10, 1e-10), (3, 1e-6)])
def test_scaffold_reaches_the_optimum(cohort_size: int, bound: float) -> None:
    assert error("scaffold", cohort_size=cohort_size) < bound


def test_scaffolds_server_variate_is_the_mean_of_the_clients() -> None:
    bed = Bed.of({"kind": "scaffold"})
    bed.run(7, cohort_size=3)
    kept = [vector(state.sections, "control").flat for state in bed.state.clients.values()]
    mean = torch.stack(kept).sum(0) / 10
    torch.testing.assert_close(vector(bed.state.tensors, "control").flat, mean)


def test_scaffold_is_uniform_fedavg_in_its_first_round() -> None:
    first, second = Bed.of({"kind": "scaffold"}), Bed.of({"kind": "fedavg"})
    for bed in (first, second):
        bed.play([1, 4, 6])
    assert torch.equal(first.state.model.flat, second.state.model.flat)


@pytest.mark.parametrize(("cohort_size", "bound"), [(10, 1e-12), (3, 1e-8)])
def test_feddyn_reaches_the_optimum(cohort_size: int, bound: float) -> None:
    assert error("feddyn", cohort_size=cohort_size, alpha=1.0) < bound


def test_feddyn_divides_its_drift_by_all_clients() -> None:
    bed = Bed.of({"kind": "feddyn", "alpha": 2.0})
    bed.play([3])
    drift = vector(bed.state.tensors, "drift").flat
    # w = delta - h / alpha with h = -alpha delta / N, so w = delta (1 + 1/N).
    delta = bed.state.model.flat / 1.1
    torch.testing.assert_close(drift, -2.0 * delta / 10)


def test_fednova_is_fair_to_clients_that_work_less() -> None:
    work = dict(enumerate([1, 1, 1, 1, 2, 2, 2, 3, 4, 12]))
    errors = {}
    for kind in ("fedavg", "fednova"):
        bed = Bed.of({"kind": kind}, lr=0.01)
        for _ in range(60):
            bed.play(range(10), steps=work)
        errors[kind] = bed.error
    assert errors["fednova"] < 0.2
    assert errors["fednova"] < 0.4 * errors["fedavg"]


def test_fednova_with_equal_work_is_fedavg() -> None:
    first, second = Bed.of({"kind": "fednova"}), Bed.of({"kind": "fedavg"})
    for bed in (first, second):
        bed.run(5, cohort_size=4)
    torch.testing.assert_close(first.state.model.flat, second.state.model.flat)


def test_the_effective_steps_of_momentum_are_the_sum_of_its_weights() -> None:
    momentum, steps = 0.9, 7
    weights = [(1 - momentum ** (steps - k)) / (1 - momentum) for k in range(steps)]
    assert effective_steps(steps, momentum) == pytest.approx(sum(weights))
    assert effective_steps(steps, 0.0) == steps


def test_one_fedsgd_round_is_one_step_of_full_gradient_descent() -> None:
    bed = Bed.of({"kind": "fedsgd"}, lr=0.1)
    bed.play(range(10))
    problem = bed.problem
    gradient = -(problem.curvature @ problem.centre.unsqueeze(-1)).squeeze(-1).mean(0)
    torch.testing.assert_close(bed.state.model.flat, -0.1 * gradient)
