"""FedAvg: the contract, numbers worked out by hand, and its reductions."""

from typing import Any

import pytest
import torch
from torch import nn

from fedcore.clients.work import client_round
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.messages import Update
from fedcore.params import Params
from fedcore.rng import Purpose, rng
from fedcore.state import RunState
from tests.fedcore.contract import MethodContract, filled, with_model
from tests.fedcore.runs import never, play_rounds, small_spec


class TestFedAvg(MethodContract):
    algorithm = {"kind": "fedavg"}


class TestFedAvgWithServerStep(MethodContract):
    algorithm = {"kind": "fedavg", "server_lr": 0.5}


class TestFedAvgWithAdam(MethodContract):
    algorithm = {"kind": "fedavg"}
    needs = {"local": {"steps": 7, "batch_size": 25, "optimizer": "adam", "lr": 0.01}}


def update_to(target: float, weight: float, state: RunState, client_id: int = 0) -> Update:
    """Return the update of a client whose trained model is ``target`` everywhere."""
    delta = state.model.with_flat(target - state.model.flat)
    return Update(
        sections={"delta": delta},
        scalars={"loss": 1.0},
        base_version=0,
        client_id=client_id,
        weight=weight,
    )


def average(context: RunContext, state: RunState, updates: list[Update]) -> Params:
    accumulator = context.method.start(state)
    for update in updates:
        accumulator = context.method.fold(accumulator, update)
    return context.method.finish(accumulator, state).model


def context_with(folders: Folders, **overrides: Any) -> RunContext:
    return build_context(small_spec(**overrides), folders)


def test_clients_of_one_and_three_examples_that_return_constants_average_to_a_plus_3b_over_4(
    folders: Folders,
) -> None:
    context = context_with(folders)
    state = initial_state(context)
    state = with_model(state, filled(state.model, 2.0))
    updates = [update_to(10.0, 1, state), update_to(6.0, 3, state, client_id=1)]
    expected = filled(state.model, (10.0 + 3 * 6.0) / 4)
    assert torch.equal(average(context, state, updates).flat, expected.flat)


def test_uniform_weighting_ignores_the_number_of_examples(folders: Folders) -> None:
    context = context_with(folders, aggregation={"kind": "mean", "weighting": "uniform"})
    state = initial_state(context)
    state = with_model(state, filled(state.model, 0.0))
    updates = [update_to(10.0, 1, state), update_to(6.0, 3, state, client_id=1)]
    assert torch.equal(average(context, state, updates).flat, filled(state.model, 8.0).flat)


def test_half_a_server_step_goes_half_of_the_way(folders: Folders) -> None:
    context = context_with(folders, algorithm={"kind": "fedavg", "server_lr": 0.5})
    state = initial_state(context)
    state = with_model(state, filled(state.model, 2.0))
    moved = average(context, state, [update_to(10.0, 5, state)])
    assert torch.equal(moved.flat, filled(state.model, 6.0).flat)


@pytest.mark.parametrize("weight", [1.0, 3.0, 77.0, 1e-3])
def test_the_update_of_a_single_client_is_added_to_the_last_bit(
    folders: Folders, weight: float
) -> None:
    context = context_with(folders)
    state = initial_state(context)
    delta = torch.randn(state.model.flat.shape, generator=rng(0, Purpose.DATASET))
    update = Update(
        sections={"delta": state.model.with_flat(delta)},
        base_version=0,
        client_id=0,
        weight=weight,
    )
    assert torch.equal(average(context, state, [update]).flat, state.model.flat + delta)


@pytest.mark.parametrize(
    ("local", "make"),
    [
        ({"lr": 0.1}, lambda p: torch.optim.SGD(p, lr=0.1)),
        (
            {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
        ),
        (
            {"lr": 0.01, "optimizer": "adam", "weight_decay": 0.01},
            lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.01, foreach=False),
        ),
        (
            {"lr": 0.01, "optimizer": "adamw", "weight_decay": 0.1},
            lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, foreach=False),
        ),
    ],
    ids=["sgd", "momentum", "adam", "adamw"],
)
def test_one_client_reproduces_local_training_bit_for_bit(
    folders: Folders, local: dict[str, Any], make: Any
) -> None:
    """Against ordinary torch: ``nn`` modules, ``torch.optim`` and ``backward``."""
    context = context_with(
        folders,
        partition={"kind": "iid", "clients": 1},
        sampling={"kind": "full"},
        local={"epochs": 2, "batch_size": 100, **local},
    )
    before = initial_state(context)
    (task,) = plan(context, before).work.tasks
    result = client_round(context.method, task, never)

    with torch.random.fork_rng():
        module = nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))
    names = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    parameters = dict(zip(names, module.parameters(), strict=True))
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(before.model[name])
    optimizer = make(list(module.parameters()))
    orders = rng(context.spec.seed, Purpose.DATA_ORDER, 0, 0)
    for _ in range(2):
        order = torch.randperm(len(task.data), generator=orders)
        for rows in task.data.rows[order].split(100):
            optimizer.zero_grad()
            examples = context.dataset.train
            nn.functional.cross_entropy(module(examples.x[rows]), examples.y[rows]).backward()
            optimizer.step()

    after, _ = play_rounds(context, 1, before)
    for name, parameter in parameters.items():
        delta = parameter.detach() - before.model[name]
        assert torch.equal(result.update.sections["delta"][name], delta), name
        # The server adds what the client has subtracted: that is the only rounding.
        assert torch.equal(after.model[name], before.model[name] + delta), name
