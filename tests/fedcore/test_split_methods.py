"""FedBN, FedPer, FedRep and LG-FedAvg: part of the model never leaves its client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fedcore.algorithms.base import AnyMethod
from fedcore.algorithms.fedrep import FedRep
from fedcore.clients.stack import StackedClient, train_stack
from fedcore.clients.training import LocalContext, Phase, train
from fedcore.clients.work import ClientTask, client_round
from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.errors import ModelError
from fedcore.models import load_exported
from fedcore.models.layers import last_layers, norm_layers
from fedcore.params import Params
from fedcore.rng import Purpose, rng
from fedcore.state import BUFFERS, MODEL
from tests.fedcore.contract import MethodContract
from tests.fedcore.personal import (
    TWO_CLASSES,
    assert_same_in_a_pool,
    assert_same_tensors,
    assert_trains_like_fedavg,
    own_of,
    played,
)
from tests.fedcore.runs import never, play, small_spec

RESNET = {"kind": "resnet", "depth": 8, "width": 4, "norm": "batch"}
#: Clients see the same digits at contrasts from a third to three times the usual.
CONTRAST: dict[str, Any] = {
    "model": RESNET,
    "dataset": {"kind": "digits", "max_train": 240, "max_test": 120},
    "partition": {"kind": "feature", "clients": 4, "transform": "contrast", "max_contrast": 6},
    "sampling": {"kind": "full"},
    "local": {"epochs": 1, "batch_size": 20, "lr": 0.1},
}
HEAD = {"layers.1.weight", "layers.1.bias"}


class SplitContract(MethodContract):
    """The contract, with messages of the size of what is shared."""

    def test_messages_have_the_size_of_the_card(self, context: RunContext, middle: Any) -> None:
        _, report = play(context, middle)
        shared = context.method.view.shared_layout(context.layout)
        buffers = middle.tensors.get(BUFFERS, {})
        size = 4 * (shared.total + sum(tensor.numel() for tensor in buffers.values()))
        assert 0 < shared.total < context.layout.total
        for client in report.clients:
            assert 0 <= client.bytes_up - size < self.overhead_bytes
            assert 0 <= client.bytes_down - size < self.overhead_bytes

    def test_what_is_private_is_in_no_message(self, context: RunContext, middle: Any) -> None:
        private = context.method.view.private
        for task in plan(context, middle).work.tasks:
            update = client_round(context.method, task, never).update
            for message in (task.message, update):
                for section in message.sections.values():
                    assert not private & set(section)
        assert not private & set(middle.model)


class TestFedBn(SplitContract):
    algorithm = {"kind": "fedbn"}
    needs = {**CONTRAST, "sampling": {"kind": "random", "fraction": 0.5}}
    overhead_bytes = 4000


class TestFedPer(SplitContract):
    algorithm = {"kind": "fedper"}


class TestFedRep(SplitContract):
    algorithm = {"kind": "fedrep", "head_epochs": 2}


class TestLgFedAvg(SplitContract):
    algorithm = {"kind": "lg_fedavg"}


@pytest.mark.parametrize(
    "algorithm",
    [
        {"kind": "fedbn"},
        {"kind": "fedper", "head_layers": 0},
        {"kind": "fedrep", "head_layers": 0},
        {"kind": "lg_fedavg", "head_layers": 2},
    ],
    ids=lambda settings: str(settings["kind"]),
)
def test_without_a_private_part_every_one_of_them_is_fedavg(
    algorithm: dict[str, Any], folders: Folders
) -> None:
    assert_trains_like_fedavg(folders, algorithm)


def test_a_client_that_keeps_everything_trains_alone(folders: Folders) -> None:
    """FedPer with every layer in the head is training without federation, round after round."""
    context, state, _ = played(
        folders, {"kind": "fedper", "head_layers": 2}, 3, sampling={"kind": "full"}
    )
    assert state.model.flat.numel() == 0
    method = build_context(small_spec(algorithm={"kind": "fedavg"}), folders).method
    weights = {MODEL: context.method.context.initial()}
    for round_index in range(3):
        trained = train(
            method,
            weights,
            context.client_data(2),
            context=LocalContext.of({}, None),
            generator=rng(context.spec.seed, Purpose.DATA_ORDER, round_index, 2),
            should_stop=never,
        )
        weights = {MODEL: trained.weights}
    assert_same_tensors(own_of(state, 2), weights[MODEL].params)


class HeadOnly(FedRep):
    """FedRep that stops after its first phase."""

    def phases(self) -> tuple[Phase, ...]:
        return super().phases()[:1]


def test_the_body_rests_while_the_head_is_trained_and_then_the_head_rests(
    folders: Folders,
) -> None:
    context = build_context(small_spec(algorithm={"kind": "fedrep", "head_epochs": 2}), folders)
    method = context.method
    (task, *_) = plan(context, initial_state(context)).work.tasks
    received = method.receive(task.message, None)[MODEL].params
    after_head = trained(HeadOnly(method.spec, method.context), task)
    after_both = trained(method, task)
    for name in context.layout.names:
        is_head = name in HEAD
        assert torch.equal(after_head[name], received[name]) is not is_head, name
        assert torch.equal(after_head[name], after_both[name]) is is_head, name


def trained(method: AnyMethod, task: ClientTask) -> Params:
    return train(
        method,
        method.receive(task.message, None),
        task.data,
        context=LocalContext.of(task.message.sections, None),
        generator=rng(task.seed, Purpose.DATA_ORDER, task.round_index, task.data.client_id),
        should_stop=never,
    ).params


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_stack_of_clients_moves_only_what_a_phase_trains(
    momentum: float, folders: Folders
) -> None:
    local = {"epochs": 1, "batch_size": 25, "lr": 0.1, "momentum": momentum, "weight_decay": 0.01}
    context = build_context(small_spec(algorithm={"kind": "fedrep"}, local=local), folders)
    tasks = plan(context, initial_state(context)).work.tasks
    method = HeadOnly(context.method.spec, context.method.context)
    stack = [
        StackedClient(
            method=method,
            start=method.receive(task.message, None),
            data=task.data,
            context=LocalContext.of(task.message.sections, None),
            generator=rng(task.seed, Purpose.DATA_ORDER, task.round_index, task.data.client_id),
        )
        for task in tasks
    ]
    for task, found in zip(tasks, train_stack(stack, never), strict=True):
        received = method.receive(task.message, None)[MODEL].params
        expected = trained(method, task)
        for name, tensor in found.params.items():
            torch.testing.assert_close(tensor, expected[name], rtol=1e-4, atol=1e-6)
            assert torch.equal(tensor, received[name]) is (name not in HEAD)


@pytest.fixture(scope="module")
def shifted(folders: Folders) -> dict[str, Any]:
    """FedAvg and FedBN on clients whose inputs are scaled differently."""
    per_client = {"evaluation": {"per_client": True}}
    more = {"dataset": {"kind": "digits", "max_train": 400, "max_test": 200}}
    return {
        kind: played(folders, {"kind": kind}, 5, **{**CONTRAST, **per_client, **more})
        for kind in ("fedavg", "fedbn")
    }


def test_fedbn_helps_clients_whose_inputs_look_different(shifted: dict[str, Any]) -> None:
    average = shifted["fedavg"][2][-1].metrics
    own = shifted["fedbn"][2][-1].metrics
    assert own["personal_accuracy"] > average["accuracy"] + 0.1
    assert own["personal_accuracy_worst_tenth"] > average["client_accuracy_worst_tenth"] + 0.1


def test_fedbn_shares_everything_but_batch_norm(shifted: dict[str, Any]) -> None:
    context, state, reports = shifted["fedbn"]
    norms = norm_layers(context.model, only_batch=True)
    assert {"norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"} <= norms
    assert BUFFERS not in state.tensors
    assert set(own_of(state, 0)) == norms
    assert set(state.model) == set(context.layout.names) - norms
    for name in sorted(norms):
        assert not torch.equal(own_of(state, 0)[name], own_of(state, 1)[name]), name
    assert reports[0].bytes_up < shifted["fedavg"][2][0].bytes_up


def test_the_global_model_has_the_mean_of_the_clients_layers(shifted: dict[str, Any]) -> None:
    context, state, _ = shifted["fedbn"]
    weights = context.method.evaluate_model(state)
    for name in ("norm.bias", "norm.running_var"):
        mean = torch.stack([own_of(state, client)[name] for client in range(4)]).mean(0)
        found = weights.params[name] if name in weights.params else weights.buffers[name]
        torch.testing.assert_close(found, mean)


def test_norms_of_every_kind_can_stay(folders: Folders) -> None:
    model = {"kind": "resnet", "depth": 8, "width": 4, "groups": 2}
    layers = {}
    for norms in ("batch", "all"):
        spec = small_spec(algorithm={"kind": "fedbn", "norms": norms}, model=model)
        layers[norms] = build_context(spec, folders).method.view.private
    assert layers["batch"] == frozenset()
    assert {"norm.weight", "stages.2.0.norm3.bias"} <= layers["all"]
    assert not any("convolution" in name or "dense" in name for name in layers["all"])


def test_private_heads_help_clients_that_know_two_classes_each(folders: Folders) -> None:
    per_client = {"evaluation": {"per_client": True}}
    _, _, plain = played(folders, {"kind": "fedavg"}, 6, **TWO_CLASSES, **per_client)
    average = plain[-1].metrics["client_accuracy_mean"]
    for kind in ("fedper", "fedrep", "lg_fedavg"):
        _, _, reports = played(folders, {"kind": kind}, 6, **TWO_CLASSES)
        metrics = reports[-1].metrics
        assert metrics["personal_accuracy_mean"] > average + 0.15, kind
        assert (
            metrics["personal_accuracy_worst_tenth"]
            > plain[-1].metrics["client_accuracy_worst_tenth"]
        ), kind
        for score in reports[-1].scores:
            assert {"accuracy", "loss", "personal_accuracy", "personal_loss"} == set(score.metrics)


def test_a_client_that_was_not_sampled_predicts_with_the_newest_body_and_its_own_head(
    folders: Folders,
) -> None:
    context, state, _ = played(
        folders, {"kind": "fedper"}, 3, sampling={"kind": "random", "count": 1}
    )
    absent = next(client for client in range(6) if client not in state.clients)
    seen = next(iter(state.clients))
    start = context.method.context.initial().params
    for client_id, head in ((absent, start), (seen, own_of(state, seen))):
        model = context.method.personal_model(state, client_id).params
        assert torch.equal(model["layers.0.weight"], state.model["layers.0.weight"])
        assert torch.equal(model["layers.1.weight"], head["layers.1.weight"])


@pytest.mark.parametrize(
    "overrides",
    [
        {"algorithm": {"kind": "fedrep", "head_epochs": 1}},
        {"algorithm": {"kind": "fedbn"}, **CONTRAST, "evaluation": {"every": 2}},
    ],
    ids=["fedrep", "fedbn"],
)
def test_a_pool_computes_what_one_process_does(overrides: dict[str, Any], folders: Folders) -> None:
    assert_same_in_a_pool(build_context(small_spec(**overrides), folders))


def test_the_model_of_a_client_can_be_exported(folders: Folders, tmp_path: Path) -> None:
    engine = Engine.create(
        small_spec(**{**CONTRAST, "algorithm": {"kind": "fedbn"}}), cache_dir=folders.cache
    )
    engine.run_round()
    context, state = engine._context, engine._state  # noqa: SLF001
    x = context.dataset.test.x[:8]
    outputs = {}
    for client_id in (None, 0, 3):
        engine.export_model(tmp_path, client_id=client_id)
        outputs[client_id] = load_exported(tmp_path)(x).detach()
    weights = context.method.personal_model(state, 3)
    expected = context.model.apply({**weights.params, **weights.buffers}, x)
    assert torch.equal(outputs[3], expected)
    assert not torch.equal(outputs[0], outputs[3])
    assert not torch.equal(outputs[None], outputs[3])
    with pytest.raises(ModelError, match="client 4 has no model of its own"):
        engine.export_model(tmp_path, client_id=4)
    engine.close()


def test_the_head_of_a_model_is_its_last_layers(folders: Folders) -> None:
    cnn = {"kind": "cnn", "channels": [4], "hidden": 8}
    model = build_context(small_spec(model=cnn), folders).model
    assert last_layers(model, 1) == {"dense.1.weight", "dense.1.bias"}
    assert last_layers(model, 2) == last_layers(model, 1) | {"dense.0.weight", "dense.0.bias"}
    assert last_layers(model, 99) == set(model.parameters())
    assert last_layers(model, 0) == frozenset()
