"""FRL: votes on rankings, what travels, and what malicious voters can do."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from fedcore.algorithms.frl import RANKING, VOTES, Frl
from fedcore.clients.training import Batch, LocalContext
from fedcore.clients.work import client_round
from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.messages import Update
from fedcore.spec import check
from fedcore.state import RunState
from fedcore.wire import decode_message, encode, schema_of
from tests.fedcore.contract import MethodContract
from tests.fedcore.runs import never, play, play_rounds, small_spec

FRL = {"kind": "frl", "keep": 0.5}
#: 64 x 12 edges take 10 bits each, 12 x 10 take 7.
BYTES = 768 * 10 // 8 + 120 * 7 // 8


class TestFrl(MethodContract):
    algorithm = FRL

    def test_messages_have_the_size_of_the_card(
        self, context: RunContext, middle: RunState
    ) -> None:
        _, report = play(context, middle)
        for client in report.clients:
            assert 0 <= client.bytes_up - BYTES < self.overhead_bytes
            assert 0 <= client.bytes_down - BYTES < self.overhead_bytes


@pytest.fixture
def context(folders: Folders) -> RunContext:
    return build_context(small_spec(algorithm=FRL), folders)


def frl_of(context: RunContext) -> Frl:
    assert isinstance(context.method, Frl)
    return context.method


def update_of(method: Frl, rankings: dict[str, torch.Tensor], client_id: int = 0) -> Update:
    return Update(
        sections={RANKING: method.packed(rankings)},
        scalars={"loss": 1.0},
        base_version=0,
        client_id=client_id,
        weight=1.0,
    )


def test_votes_are_sums_of_places(context: RunContext) -> None:
    """The card's known answer: three voters over four edges, at the start of a longer layer."""
    method, state = frl_of(context), initial_state(context)
    voters = ([2, 0, 3, 1], [2, 3, 0, 1], [0, 2, 1, 3])
    sizes = {name: len(order) for name, order in method.unpacked(state.tensors[RANKING]).items()}
    accumulator = method.start(state)
    for client, votes in enumerate(voters):
        rankings = {
            name: torch.cat([torch.tensor(votes), torch.arange(4, size)])
            for name, size in sizes.items()
        }
        accumulator = method.fold(accumulator, update_of(method, rankings, client))
    places = accumulator.sections[VOTES]["layers.0.weight"]
    assert places[:5].tolist() == [3, 8, 1, 6, 12]
    after = method.finish(accumulator, state)
    ranking = method.unpacked(after.tensors[RANKING])["layers.0.weight"]
    assert ranking[:6].tolist() == [2, 0, 3, 1, 4, 5]


def test_a_client_cannot_vote_louder(context: RunContext) -> None:
    method, state = frl_of(context), initial_state(context)
    (task, *_) = plan(context, state).work.tasks
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(state.model.flat.shape, generator=generator)
    scores = state.model.with_flat(noise)
    louder = state.model.with_flat(noise * 1e9)
    monotone = state.model.with_flat(noise.double().pow(3).sign().float() + noise)
    sent = []
    for params in (scores, louder, monotone):
        trained = replace(_trained(state), params=params)
        sent.append(encode(method.uplink(trained, task.message, task.data)))
    assert sent[0] == sent[1] == sent[2]


def _trained(state: RunState) -> Any:
    from fedcore.clients.training import Trained  # noqa: PLC0415

    return Trained(params=state.model, start=state.model, loss=1.0, num_steps=1, num_seen=1)


def test_weights_and_the_set_of_scores_never_change(context: RunContext) -> None:
    method = frl_of(context)
    start = initial_state(context)
    state, _ = play_rounds(context, 3)
    assert not torch.equal(state.model.flat, start.model.flat)
    for name, scores in state.model.items():
        assert torch.equal(
            scores.flatten().sort().values, start.model[name].flatten().sort().values
        )
    model = method.evaluate_model(state).params
    scale = {"layers.0.weight": (2 / 64) ** 0.5, "layers.1.weight": (2 / 12) ** 0.5}
    for name, size in scale.items():
        sizes = model[name].abs().unique()
        torch.testing.assert_close(sizes, torch.tensor([0.0, size]))
        count = model[name].numel()
        assert int((model[name] == 0).sum()) == count // 2
    assert torch.equal(model["layers.0.bias"], torch.zeros(12))


def test_the_gradient_reaches_edges_that_are_left_out(context: RunContext) -> None:
    method, state = frl_of(context), initial_state(context)
    leaves = {name: part.clone().requires_grad_() for name, part in state.model.items()}
    x, y = context.dataset.train.x[:64], context.dataset.train.y[:64]
    loss = method.local_loss(leaves, Batch(x, y), LocalContext({}, {}, {}, {}))
    grads = torch.autograd.grad(loss, list(leaves.values()))
    # The derivative by an edge's mask is that by its weight, times its constant.
    weights = {
        name: part.clone().requires_grad_()
        for name, part in method.evaluate_model(state).params.items()
    }
    outputs = context.model.apply(weights, x)
    expected = torch.autograd.grad(context.objective.loss(outputs, y), list(weights.values()))
    by_name = dict(zip(weights, expected, strict=True))
    fixed = method._fixed  # noqa: SLF001
    for name, grad in zip(leaves, grads, strict=True):
        torch.testing.assert_close(grad, by_name[name] * fixed[name], rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(loss.detach(), context.objective.loss(outputs, y).detach())


def test_clients_deal_the_servers_scores_from_what_travels(
    context: RunContext, folders: Folders
) -> None:
    state, _ = play_rounds(context, 2)
    message = context.method.travelling(context.method.downlink(state, 0), state, 0)
    received = decode_message(encode(message), schema_of(message), max_bytes=10_000)
    elsewhere = frl_of(build_context(small_spec(algorithm=FRL), folders))
    scores = elsewhere.dealt(elsewhere.unpacked(received.sections[RANKING]))
    assert torch.equal(scores.flat, state.model.flat)


def test_one_client_is_edge_popup_with_scores_dealt_anew(folders: Folders) -> None:
    spec = small_spec(algorithm=FRL, sampling={"kind": "random", "count": 1})
    context = build_context(spec, folders)
    method, state = frl_of(context), initial_state(context)
    (task,) = plan(context, state).work.tasks
    own = method.unpacked(client_round(method, task, never).update.sections[RANKING])
    after, _ = play(context, state)
    assert torch.equal(after.model.flat, method.dealt(own).flat)


@pytest.mark.parametrize(
    "spoil",
    [lambda order: order.clone().fill_(3), lambda order: order.clone().add_(1)],
    ids=["one edge again and again", "an edge that is not there"],
)
def test_what_is_no_ranking_is_refused(context: RunContext, spoil: Any) -> None:
    method, state = frl_of(context), initial_state(context)
    honest = method.unpacked(state.tensors[RANKING])
    assert method.objection(update_of(method, honest)) is None
    bad = {**honest, "layers.1.weight": spoil(honest["layers.1.weight"])}
    assert "layers.1.weight" in (method.objection(update_of(method, bad)) or "")


def test_a_refused_ranking_is_counted_and_named(context: RunContext) -> None:
    class Cheat(Frl):
        def uplink(self, *arguments: Any) -> Update:
            update = super().uplink(*arguments)
            if update.client_id != cheat:
                return update
            zeros = {
                name: torch.zeros_like(part) for name, part in update.sections[RANKING].items()
            }
            return replace(update, sections={RANKING: zeros})

    cheat = plan(context, initial_state(context)).work.tasks[0].data.client_id
    method = frl_of(context)
    cheated = replace(context, methods=(Cheat(method.spec, method.context),))
    _, report = play(cheated, initial_state(cheated))
    status = {client.client_id: (client.status, client.reason or "") for client in report.clients}
    assert status[cheat][0] == "refused"
    assert "no ranking" in status[cheat][1]
    assert report.participants == len(status) - 1


def test_a_reversed_ranking_is_the_honest_one_backwards(context: RunContext) -> None:
    method, state = frl_of(context), initial_state(context)
    honest = method.unpacked(state.tensors[RANKING])
    attacked = method.distorted(update_of(method, honest), lambda part: part * -5)
    for name, order in method.unpacked(attacked.sections[RANKING]).items():
        assert torch.equal(order, honest[name].flip(0))


def accuracy(folders: Folders, algorithm: dict[str, Any], malicious: int) -> float:
    attack = {"kind": "sign_flip", "count": malicious, "scale": 5.0} if malicious else None
    is_frl = algorithm["kind"] == "frl"
    local = {"epochs": 2, "batch_size": 16, "lr": 0.4 if is_frl else 0.1}
    spec = small_spec(
        algorithm=algorithm,
        rounds=8,
        model={"kind": "mlp", "hidden": [128]},
        partition={"kind": "iid", "clients": 10},
        sampling={"kind": "full"},
        local={**local, "momentum": 0.9 if is_frl else 0.0},
        attack=attack,
        evaluation={"every": 8},
    )
    context = build_context(spec, folders)
    _, reports = play_rounds(context, 8)
    assert len(reports[0].adversaries) == malicious
    return reports[-1].metrics["accuracy"]


def test_reversed_votes_cost_little_where_reversed_updates_ruin_the_mean(folders: Folders) -> None:
    """The card's check on digits: a fifth of the voters vote the other way round."""
    clean, attacked = accuracy(folders, FRL, 0), accuracy(folders, FRL, 2)
    assert clean > 0.85
    assert attacked > clean - 0.08
    assert accuracy(folders, {"kind": "fedavg"}, 2) < 0.5


@pytest.mark.parametrize("executor", ["pool", "stacked"])
def test_other_executors_vote_the_same(folders: Folders, executor: str) -> None:
    rankings = []
    for name in ("sequential", executor):
        runtime = {"executor": name, "processes": 2, "device": "cpu"}
        engine = Engine.create(small_spec(algorithm=FRL, runtime=runtime), cache_dir=folders.cache)
        engine.run_round()
        rankings.append(engine._state.model.flat)  # noqa: SLF001
        engine.close()
    if executor == "pool":
        assert torch.equal(*rankings)
    else:  # scores that differ in the last digit may change places with a neighbour
        assert float((rankings[0] - rankings[1]).abs().max()) < 0.02


@pytest.mark.parametrize("model", [{"kind": "cnn", "channels": [4, 8], "hidden": 16}])
def test_convolutions_are_layers_like_any_other(folders: Folders, model: dict[str, Any]) -> None:
    context = build_context(small_spec(algorithm=FRL, model=model), folders)
    state, reports = play_rounds(context, 1)
    assert set(state.model) == {n for n in context.layout.names if n.endswith("weight")}
    assert reports[0].metrics["loss"] > 0


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"peft": {"kind": "head"}}, "peft.kind"),
        ({"aggregation": {"kind": "median"}}, "aggregation.kind"),
        ({"compression": {"downlink": [{"kind": "cast"}]}}, "compression.downlink"),
        ({"model": {"kind": "resnet", "norm": "batch"}}, "model.norm"),
        ({"model": {"kind": "vit"}}, "model.kind"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_ranked_is_refused(sections: dict[str, Any], path: str) -> None:
    problems = check({"algorithm": FRL, **sections}).problems
    assert path in {problem.path for problem in problems}
    assert all(problem.fix for problem in problems)
