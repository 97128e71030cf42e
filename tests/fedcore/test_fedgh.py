"""FedGH: clients of different architecture, messages of class means, training on the server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from fedcore.clients.training import LocalContext, train
from fedcore.clients.work import client_round
from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.errors import ModelError
from fedcore.messages import Update
from fedcore.models import load_exported
from fedcore.params import Params
from fedcore.rng import Purpose, rng
from fedcore.spec import check
from fedcore.state import MODEL, ClientStore, RunState
from fedcore.wire import decode_update, encode, schema_of
from tests.fedcore.contract import MethodContract
from tests.fedcore.personal import (
    TWO_CLASSES,
    assert_same_in_a_pool,
    assert_same_tensors,
    played,
)
from tests.fedcore.runs import never, play, play_rounds, small_spec

#: Three extractors that share nothing but the width of their last hidden layer.
MIXED: list[dict[str, Any]] = [
    {"kind": "mlp", "hidden": [20, 12]},
    {"kind": "cnn", "channels": [4], "hidden": 12},
]
#: A digit per class and client, so that nobody holds all classes.
NUM_CLASSES, WIDTH = 10, 12


class TestFedGh(MethodContract):
    algorithm = {"kind": "fedgh", "header_lr": 0.1, "models": MIXED}

    def test_messages_have_the_size_of_the_card(
        self, context: RunContext, middle: RunState
    ) -> None:
        """A header down; per class that a client holds its label, its count and its mean up."""
        _, report = play(context, middle)
        for client in report.clients:
            held = context.client_data(client.client_id)
            classes = len(held.examples.y[held.rows].unique())
            up, down = 4 * classes * (WIDTH + 2), 4 * NUM_CLASSES * (WIDTH + 1)
            assert 0 <= client.bytes_up - up < self.overhead_bytes
            assert 0 <= client.bytes_down - down < self.overhead_bytes

    def test_an_update_survives_the_wire(self, context: RunContext, middle: RunState) -> None:
        for result in self.results(context, middle):
            update = result.update
            expected = context.method.expected_update(middle, update.client_id)
            assert expected.difference(schema_of(update)) is None
            decoded = decode_update(encode(update), expected, max_bytes=10**9)
            assert encode(decoded) == encode(update)


@pytest.fixture(scope="module")
def mixed(folders: Folders) -> tuple[RunContext, RunState, list[Any]]:
    """Six rounds of eight clients with three architectures and two classes each."""
    algorithm = {"kind": "fedgh", "header_lr": 0.1, "models": MIXED}
    return played(folders, algorithm, 6, **TWO_CLASSES)


def test_clients_of_three_architectures_learn_together(
    mixed: tuple[RunContext, RunState, list[Any]], folders: Folders
) -> None:
    context, state, reports = mixed
    layouts = {client: context.method_of(client).context.layout for client in range(3)}
    assert len(set(layouts.values())) == 3
    for client, layout in layouts.items():
        weights = context.method_of(client).personal_model(state, client)
        assert weights.params.layout == layout
    per_client = {"evaluation": {"per_client": True}}
    _, _, plain = played(folders, {"kind": "fedavg"}, 6, **TWO_CLASSES, **per_client)
    metrics = reports[-1].metrics
    assert metrics["personal_accuracy_mean"] > plain[-1].metrics["client_accuracy_mean"] + 0.1
    assert metrics["accuracy"] == metrics["personal_accuracy"]


def test_the_header_learns_to_tell_the_class_means_apart(
    mixed: tuple[RunContext, RunState, list[Any]],
) -> None:
    losses = [report.metrics["header_loss"] for report in mixed[2]]
    assert losses[-1] < losses[2] < losses[0]


def test_the_server_takes_one_step_per_class_mean_in_the_order_of_the_clients(
    folders: Folders,
) -> None:
    """Against ``torch.optim``, with its own module and backward."""
    context = build_context(
        small_spec(algorithm={"kind": "fedgh", "header_lr": 0.3, "header_epochs": 2}), folders
    )
    state = initial_state(context)
    updates = [
        client_round(context.method, task, never).update for task in plan(context, state).work.tasks
    ]
    with torch.random.fork_rng():
        header = torch.nn.Linear(WIDTH, NUM_CLASSES)
    with torch.no_grad():
        header.weight.copy_(state.model["weight"])
        header.bias.copy_(state.model["bias"])
    optimizer = torch.optim.SGD(header.parameters(), lr=0.3)
    for _ in range(2):
        for update in updates:
            means, labels = update.sections["prototypes"]["mean"], update.sections["classes"]
            for mean, label in zip(means, labels["label"], strict=True):
                optimizer.zero_grad()
                functional.cross_entropy(header(mean), label.long()).backward()
                optimizer.step()
    after = after_folding(context, state, updates[::-1])
    torch.testing.assert_close(after.model["weight"], header.weight.detach())
    torch.testing.assert_close(after.model["bias"], header.bias.detach())


def after_folding(context: RunContext, state: RunState, updates: list[Update]) -> RunState:
    accumulator = context.method.start(state)
    for update in updates:
        accumulator = context.method.fold(accumulator, update)
    return context.method.finish(accumulator, state)


def test_shuffled_batches_and_weights_change_what_the_server_learns(folders: Folders) -> None:
    models = []
    for settings in ({}, {"header_batch": 8}, {"header_batch": 8, "weighted": True}):
        algorithm = {"kind": "fedgh", "header_lr": 0.1, **settings}
        models.append(played(folders, algorithm, 1)[1].model.flat)
    assert not torch.equal(models[0], models[1])
    assert not torch.equal(models[1], models[2])


def test_a_class_mean_is_the_exact_mean_of_its_features(folders: Folders) -> None:
    context = build_context(small_spec(algorithm={"kind": "fedgh"}), folders)
    method = context.method
    (task, *_) = plan(context, initial_state(context)).work.tasks
    result = client_round(method, task, never)
    assert result.kept is not None
    state = replace(initial_state(context), clients=ClientStore({task.data.client_id: result.kept}))
    weights = method.personal_model(state, task.data.client_id)
    x, y = (part[task.data.rows] for part in (task.data.examples.x, task.data.examples.y))
    classes = result.update.sections["classes"]
    for place, label in enumerate(classes["label"].tolist()):
        own = context.model.features(weights.params, x[y == label])  # type: ignore[attr-defined]
        assert int(classes["count"][place]) == len(own)
        torch.testing.assert_close(
            result.update.sections["prototypes"]["mean"][place], own.mean(0), rtol=1e-4, atol=1e-5
        )


def test_without_server_and_header_every_client_trains_alone(folders: Folders) -> None:
    algorithm = {"kind": "fedgh", "header_lr": 0.0, "replace_header": False}
    context, state, _ = played(folders, algorithm, 3, sampling={"kind": "full"})
    plain = build_context(small_spec(algorithm={"kind": "fedavg"}), folders).method
    weights = plain.context.initial()
    for round_index in range(3):
        weights = trained_alone(context, plain, weights, round_index)
    assert_same_tensors(context.method.personal_model(state, 2).params, weights.params)


def test_a_server_that_does_not_train_resets_the_header_every_round(folders: Folders) -> None:
    context, state, _ = played(
        folders, {"kind": "fedgh", "header_lr": 0.0}, 2, sampling={"kind": "full"}
    )
    plain = build_context(small_spec(algorithm={"kind": "fedavg"}), folders).method
    first = plain.context.initial()
    weights = trained_alone(context, plain, first, 0)
    reset = {
        name: first.params[name] if name.startswith("layers.1") else tensor
        for name, tensor in weights.params.items()
    }
    weights = trained_alone(context, plain, replace(first, params=Params.of(reset)), 1)
    assert_same_tensors(context.method.personal_model(state, 2).params, weights.params)


def trained_alone(context: RunContext, method: Any, weights: Any, round_index: int) -> Any:
    return train(
        method,
        {MODEL: weights},
        context.client_data(2),
        context=LocalContext.of({}, None),
        generator=rng(context.spec.seed, Purpose.DATA_ORDER, round_index, 2),
        should_stop=never,
    ).weights


def test_the_header_gives_classes_a_chance_that_a_client_has_never_seen(folders: Folders) -> None:
    """Clients with disjoint classes: a local model never names one that it has not seen."""
    disjoint = {**TWO_CLASSES, "partition": {"kind": "shards", "clients": 5}}
    alone = {"kind": "fedgh", "header_lr": 0.0}
    taught = {"kind": "fedgh", "header_lr": 0.5, "header_epochs": 5}
    named_alone, rank_alone = on_foreign_classes(folders, alone, disjoint)
    tested = {"predict_with": "global_header"}
    named, rank = on_foreign_classes(folders, {**taught, **tested}, disjoint)
    assert named_alone == 0
    assert named > 0.1
    assert rank < rank_alone - 1


def on_foreign_classes(
    folders: Folders, algorithm: dict[str, Any], overrides: dict[str, Any]
) -> tuple[float, float]:
    """Return how the first client does on test examples of classes that it has never seen.

    How often it names any of these classes, and how many classes it finds likelier than the right
    one, on average.
    """
    context, state, _ = played(folders, algorithm, 3, **overrides)
    data, test = context.client_data(0), context.dataset.test
    seen = data.examples.y[data.rows].unique()
    is_foreign = ~torch.isin(test.y, seen)
    y = test.y[is_foreign]
    weights = context.method.personal_model(state, 0)
    logits = context.model.apply(weights.params, test.x[is_foreign])
    named = ~torch.isin(logits.argmax(1), seen)
    rank = (logits > logits.gather(1, y.unsqueeze(1))).sum(1)
    return float(named.float().mean()), float(rank.float().mean())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": [0, 0]}, "one appears twice"),
        ({"label": [0, 10]}, "there are only 10"),
        ({"count": [3, 0]}, "has no examples"),
        ({"count": [3]}, "2 labels, 1 counts"),
    ],
)
def test_class_means_that_cannot_be_are_refused(
    change: dict[str, list[int]], reason: str, folders: Folders
) -> None:
    context = build_context(small_spec(algorithm={"kind": "fedgh"}), folders)
    sound = {"label": [0, 3], "count": [5, 2]}

    def update(classes: dict[str, list[int]]) -> Update:
        tensors = {
            name: torch.tensor(numbers, dtype=torch.int32) for name, numbers in classes.items()
        }
        means = Params.of({"mean": torch.zeros(2, WIDTH)})
        sections = {"prototypes": means, "classes": tensors}
        return Update(sections=sections, base_version=0, client_id=0, weight=1.0)

    assert context.method.objection(update(sound)) is None
    assert reason in str(context.method.objection(update({**sound, **change})))


def test_a_pool_computes_what_one_process_does(folders: Folders) -> None:
    spec = small_spec(algorithm={"kind": "fedgh", "models": MIXED})
    assert_same_in_a_pool(build_context(spec, folders))


def test_there_is_a_model_per_client_and_none_for_all(folders: Folders, tmp_path: Path) -> None:
    spec = small_spec(algorithm={"kind": "fedgh", "models": MIXED})
    engine = Engine.create(spec, cache_dir=folders.cache)
    engine.run_round()
    assert not engine.has_global_model
    with pytest.raises(ModelError, match="no global model"):
        engine.export_model(tmp_path)
    engine.export_model(tmp_path, client_id=2)
    x = engine._context.dataset.test.x[:4]  # noqa: SLF001
    assert load_exported(tmp_path)(x).shape == (4, NUM_CLASSES)
    assert "convolutions.0.weight" in dict(load_exported(tmp_path).named_parameters())
    engine.close()


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"algorithm": {"kind": "fedgh"}, "model": {"kind": "linear"}}, "model.kind"),
        (
            {"algorithm": {"kind": "fedgh", "models": [{"kind": "linear"}]}},
            "algorithm.models.0.kind",
        ),
        (
            {"algorithm": {"kind": "fedgh", "models": [{"kind": "mlp", "hidden": [7]}]}},
            "algorithm.models.0",
        ),
        (
            {"algorithm": {"kind": "fedgh", "models": [{"kind": "dan", "hidden": [200]}]}},
            "algorithm.models.0.kind",
        ),
        (
            {
                "algorithm": {
                    "kind": "fedgh",
                    "models": [{"kind": "cnn", "channels": [2] * 4, "hidden": 200}],
                }
            },
            "algorithm.models.0.channels",
        ),
        ({"algorithm": {"kind": "fedgh"}, "aggregation": {"kind": "median"}}, "aggregation.kind"),
        (
            {"algorithm": {"kind": "fedgh"}, "compression": {"uplink": [{"kind": "cast"}]}},
            "compression.uplink",
        ),
        (
            {
                "algorithm": {"kind": "fedgh"},
                "dataset": {"kind": "shakespeare"},
                "model": {"kind": "char_lstm"},
                "partition": {"kind": "natural", "clients": 5},
            },
            "algorithm.kind",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_by_path(spec: dict[str, Any], path: str) -> None:
    assert path in {problem.path for problem in check(spec).problems}


def test_play_goes_on_after_a_test_without_a_global_model(folders: Folders) -> None:
    _, reports = play_rounds(build_context(small_spec(algorithm={"kind": "fedgh"}), folders), 2)
    assert {"accuracy", "loss", "personal_accuracy_worst_tenth"} <= set(reports[-1].metrics)
