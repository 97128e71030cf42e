"""FedSpeed: its contract, reductions and the checks of its card."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.clients.training import Batch, LocalContext
from fedcore.clients.work import client_round
from fedcore.engine.context import build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.state import BUFFERS
from tests.fedcore.contract import MethodContract
from tests.fedcore.quadratic import Bed
from tests.fedcore.runs import never, small_spec


class TestFedSpeed(MethodContract):
    algorithm = {"kind": "fedspeed", "lamb": 0.2, "alpha": 0.7}


def close(first: Bed, second: Bed) -> bool:
    return torch.allclose(first.state.model.flat, second.state.model.flat, rtol=1e-12, atol=1e-13)


def played(algorithm: dict[str, object], cohorts: list[list[int]], **settings: Any) -> Bed:
    bed = Bed.of(algorithm, steps=3, lr=0.1, **settings)
    for cohort in cohorts:
        bed.play(cohort)
    return bed


SOME = [[0, 3, 7], [1, 3, 9], [2, 3, 4], [0, 1, 2], [7, 8, 9]]
EVERYBODY = [list(range(10))] * 4


@pytest.mark.parametrize("cohorts", [SOME, EVERYBODY], ids=["some", "everybody"])
def test_fedspeed_without_a_look_ahead_is_feddyn(cohorts: list[list[int]]) -> None:
    speed = {"kind": "fedspeed", "rho": 0.0, "lamb": 0.5, "clip": None}
    assert close(played(speed, cohorts), played({"kind": "feddyn", "alpha": 0.5}, cohorts))


def test_fedspeed_with_nothing_left_is_fedavg() -> None:
    speed = {"kind": "fedspeed", "rho": 0.0, "lamb": 0.0, "clip": None}
    bed = played(speed, SOME)
    assert close(bed, played({"kind": "fedavg"}, SOME))
    assert not bed.state.clients


@pytest.mark.parametrize(("cohort_size", "bound"), [(10, 1e-10), (3, 1e-8)])
def test_fedspeed_reaches_the_optimum(cohort_size: int, bound: float) -> None:
    bed = Bed.of({"kind": "fedspeed", "rho": 0.0, "lamb": 1.0}, steps=5, lr=0.4)
    assert bed.run(120 if cohort_size == 10 else 300, cohort_size=cohort_size) < bound


@pytest.mark.parametrize(
    ("settings", "gradients"),
    [({}, 2), ({"alpha": 0.0}, 1), ({"rho": 0.0}, 1), ({"alpha": 0.5}, 2)],
)
def test_fedspeed_takes_two_gradients_where_it_needs_them(
    settings: dict[str, float], gradients: int
) -> None:
    bed = Bed.of({"kind": "fedspeed", **settings})
    calls: list[Tensor] = []

    def gradient(weights: Tensor, batch: Any) -> Tensor:  # noqa: ARG001
        calls.append(weights)
        return torch.ones_like(weights)

    _direction(bed, gradient)
    assert len(calls) == gradients


def test_fedspeeds_direction_by_hand() -> None:
    bed = Bed.of({"kind": "fedspeed", "rho": 0.2, "alpha": 0.25, "lamb": 0.5, "clip": None})
    # f(x) = |x|^2: the gradient is 2x, and 0.2 further uphill it is 2x (1 + 0.2 / |x|).
    x = torch.tensor([0.0, 3.0, 0.0, 4.0, 0.0], dtype=torch.float64)
    found = _direction(bed, lambda weights, _: 2 * weights, x)
    torch.testing.assert_close(found, 2 * x * (1 + 0.25 * 0.2 / 5) + 0.5 * x)
    clipped = Bed.of({"kind": "fedspeed", "rho": 0.2, "alpha": 0.25, "lamb": 0.5, "clip": 0.1})
    short = _direction(clipped, lambda weights, _: 2 * weights, x)
    assert float(short.norm()) == pytest.approx(0.1)


def _direction(bed: Bed, gradient: Any, x: Tensor | None = None) -> Tensor:
    x = torch.ones(5, dtype=torch.float64) if x is None else x
    context = LocalContext.of({"model": bed.state.model}, None)
    return bed.method.transform_grad(gradient, x, Batch(x, x), context)


def test_a_second_look_at_a_batch_leaves_running_statistics_alone(folders: Folders) -> None:
    def sent(rho: float) -> dict[str, Tensor]:
        spec = small_spec(
            algorithm={"kind": "fedspeed", "rho": rho},
            model={"kind": "resnet", "depth": 8, "width": 4, "norm": "batch"},
            dataset={"kind": "digits", "max_train": 60, "max_test": 20},
            local={"steps": 1, "batch_size": 8},
        )
        context = build_context(spec, folders)
        (task, *_) = plan(context, initial_state(context)).work.tasks
        return dict(client_round(context.method, task, never).update.sections[BUFFERS])

    once, twice = sent(0.0), sent(5.0)
    assert once
    assert all(torch.equal(tensor, twice[name]) for name, tensor in once.items())
