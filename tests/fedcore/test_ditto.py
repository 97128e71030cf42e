"""Ditto: the contract, its reductions, and personal models that know their client."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fedcore.clients.training import LocalContext, train
from fedcore.engine.context import build_context
from fedcore.environment import Folders
from fedcore.params import Params
from fedcore.rng import Purpose, rng
from fedcore.spec import check
from fedcore.state import MODEL, RunState
from tests.fedcore.contract import MethodContract
from tests.fedcore.personal import (
    TWO_CLASSES,
    assert_same_in_a_pool,
    assert_same_tensors,
    assert_trains_like_fedavg,
    played,
)
from tests.fedcore.runs import never, play, small_spec

BATCH_NORM: dict[str, Any] = {
    "model": {"kind": "resnet", "depth": 8, "width": 4, "norm": "batch"},
    "dataset": {"kind": "digits", "max_train": 120, "max_test": 60},
    "partition": {"kind": "iid", "clients": 3},
}


class TestDitto(MethodContract):
    algorithm = {"kind": "ditto", "pull": 0.5}


class TestDittoWithMoreEpochs(MethodContract):
    algorithm = {"kind": "ditto", "personal_epochs": 2}
    needs = {"local": {"epochs": 1, "batch_size": 25, "lr": 0.05, "momentum": 0.9}}


def personal(state: RunState, client_id: int) -> Params:
    own = state.clients[client_id].sections["personal"]
    assert isinstance(own, Params)
    return own


@pytest.mark.parametrize("pull", [0.0, 1.0])
def test_the_global_model_is_that_of_fedavg(pull: float, folders: Folders) -> None:
    assert_trains_like_fedavg(folders, {"kind": "ditto", "pull": pull})


def test_without_a_pull_a_personal_model_is_trained_alone(folders: Folders) -> None:
    full = {"sampling": {"kind": "full"}}
    context, state, _ = played(folders, {"kind": "ditto", "pull": 0.0}, 3, **full)
    method = build_context(small_spec(algorithm={"kind": "fedavg"}), folders).method
    weights = context.method.context.initial()
    data = context.client_data(4)
    for round_index in range(3):
        generator = rng(context.spec.seed, Purpose.DATA_ORDER, round_index, 4)
        torch.randperm(len(data), generator=generator)  # the order of the global model
        weights = train(
            method,
            {MODEL: weights},
            data,
            context=LocalContext.of({}, None),
            generator=generator,
            should_stop=never,
        ).weights
    assert_same_tensors(personal(state, 4), weights.params)


def test_a_stronger_pull_keeps_personal_models_nearer(folders: Folders) -> None:
    distances = []
    for pull in (0.0, 0.1, 1.0, 5.0):
        algorithm = {"kind": "ditto", "pull": pull}
        context, before, _ = played(folders, algorithm, 2, sampling={"kind": "full"})
        state, _ = play(context, before)
        received = before.model.flat
        distances.append(float((personal(state, 0).flat - received).norm()))
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.5 * distances[0]


def test_one_step_adds_the_pull_times_the_distance(folders: Folders) -> None:
    """lambda/2 |v - w|^2 has the gradient lambda (v - w), not twice that."""
    one_step = {
        "local": {"steps": 1, "batch_size": 10_000, "lr": 0.1},
        "sampling": {"kind": "full"},
    }
    context, before, _ = played(folders, {"kind": "ditto", "pull": 0.0}, 1, **one_step)
    method = context.method
    message = method.downlink(before, 0)
    stepped = {}
    for pull in (0.0, 2.0):
        spec = small_spec(algorithm={"kind": "ditto", "pull": pull}, **one_step)
        method = build_context(spec, folders).method
        stepped[pull] = train(
            method,
            method.receive(message, before.clients[0]),
            context.client_data(0),
            context=LocalContext.of(message.sections, before.clients[0].sections),
            generator=rng(0, Purpose.DATA_ORDER),
            should_stop=never,
        ).others["personal"]
    distance = personal(before, 0).flat - before.model.flat
    expected = stepped[0.0].params.flat - 0.1 * 2.0 * distance
    torch.testing.assert_close(stepped[2.0].params.flat, expected)


def test_personal_models_help_clients_that_know_two_classes_each(folders: Folders) -> None:
    per_client = {"evaluation": {"per_client": True}}
    _, _, reports = played(folders, {"kind": "ditto"}, 6, **TWO_CLASSES, **per_client)
    metrics = reports[-1].metrics
    assert metrics["personal_accuracy_mean"] > metrics["client_accuracy_mean"] + 0.15
    assert metrics["personal_accuracy_worst_tenth"] > metrics["client_accuracy_worst_tenth"] + 0.3
    assert metrics["personal_accuracy_std"] < metrics["client_accuracy_std"]


def test_a_personal_model_has_statistics_of_its_own(folders: Folders) -> None:
    context, state, _ = played(folders, {"kind": "ditto"}, 2, **BATCH_NORM)
    client_id = next(iter(state.clients))
    own = state.clients[client_id].sections["personal_buffers"]
    shared = state.tensors["buffers"]
    assert set(own) == set(shared)
    assert not torch.equal(own["norm.running_mean"], shared["norm.running_mean"])
    weights = context.method.personal_model(state, client_id)
    assert weights.buffers["norm.running_mean"] is own["norm.running_mean"]


def test_a_pool_computes_what_one_process_does(folders: Folders) -> None:
    assert_same_in_a_pool(
        build_context(small_spec(**BATCH_NORM, algorithm={"kind": "ditto"}), folders)
    )


def test_a_pull_that_diverges_is_refused() -> None:
    result = check({"algorithm": {"kind": "ditto", "pull": 20}, "local": {"lr": 0.1}})
    assert {problem.path for problem in result.problems} == {"algorithm.pull"}
