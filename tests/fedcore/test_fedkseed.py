"""FedKSeed: replay of seeds, exactness, bytes, and that it learns."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from fedcore.algorithms.fedkseed import ACCUMULATED, SEEDS, STEPS, SUMS, FedKSeed
from fedcore.clients.training import Batch, batches
from fedcore.clients.work import client_round
from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.messages import Update
from fedcore.params import Params
from fedcore.rng import Purpose, rng
from fedcore.spec import RunSpec, check
from fedcore.state import RunState
from fedcore.wire import decode_message, encode, schema_of
from tests.fedcore.contract import MethodContract
from tests.fedcore.quadratic import Bed
from tests.fedcore.runs import never, play, play_rounds, small_spec

LOCAL = {"steps": 12, "batch_size": 25, "lr": 0.002}


def kseed_spec(**overrides: Any) -> RunSpec:
    algorithm = {"kind": "fedkseed", "seeds": 64, **overrides.pop("algorithm", {})}
    return small_spec(**{"algorithm": algorithm, "local": LOCAL, **overrides})


def method_of(context: RunContext) -> FedKSeed:
    assert isinstance(context.method, FedKSeed)
    return context.method


class TestFedKSeed(MethodContract):
    """Twelve steps take 72 bytes, 64 sums 256: steps are listed."""

    algorithm = {"kind": "fedkseed", "seeds": 64}
    needs = {"local": LOCAL}

    def test_messages_have_the_size_of_the_card(
        self, context: RunContext, middle: RunState
    ) -> None:
        _, report = play(context, middle)
        for client in report.clients:
            assert 0 <= client.bytes_up - 12 * 6 < self.overhead_bytes
            assert 0 <= client.bytes_down - 64 * 4 < self.overhead_bytes


class TestFedKSeedWithSums(MethodContract):
    """Eight sums take less than twelve steps, so the sums travel."""

    algorithm = {"kind": "fedkseed", "seeds": 8}
    needs = {"local": LOCAL}

    def test_messages_have_the_size_of_the_card(
        self, context: RunContext, middle: RunState
    ) -> None:
        _, report = play(context, middle)
        for client in report.clients:
            assert 0 <= client.bytes_up - 8 * 4 < self.overhead_bytes
            assert 0 <= client.bytes_down - 8 * 4 < self.overhead_bytes


@pytest.mark.parametrize("hidden", [[4], [40, 40]])
def test_the_size_of_messages_does_not_depend_on_the_model(
    folders: Folders, hidden: list[int]
) -> None:
    model = {"kind": "mlp", "hidden": hidden}
    algorithm = {"kind": "fedkseed", "seeds": 4096}
    local = {"steps": 200, "batch_size": 1, "lr": 1e-4}
    context = build_context(small_spec(algorithm=algorithm, model=model, local=local), folders)
    state = initial_state(context)
    message = context.method.travelling(context.method.downlink(state, 0), state, 0)
    update = context.method.expected_update(state, 0)
    up = sum(info.size_bytes for _, infos in update.sections for info in infos)
    # The card: 16 384 down (and a few numbers), 1 200 up, below 18 kB together.
    assert (sum(tensor.nbytes for tensor in message.tensors()), up) == (16_384, 1_200)


def test_clients_rebuild_the_servers_model_to_the_last_bit(folders: Folders) -> None:
    context = build_context(kseed_spec(), folders)
    state, _ = play_rounds(context, 3)
    message = context.method.travelling(context.method.downlink(state, 0), state, 0)
    received = decode_message(encode(message), schema_of(message), max_bytes=10_000)
    elsewhere = method_of(build_context(kseed_spec(), folders))
    rebuilt = elsewhere.rebuilt(received.sections[ACCUMULATED][SUMS])
    assert torch.equal(rebuilt.flat, state.model.flat)
    assert not torch.equal(rebuilt.flat, initial_state(context).model.flat)


def test_the_rebuilt_model_is_the_mean_of_the_trained_ones(folders: Folders) -> None:
    context = build_context(kseed_spec(), folders)
    state, _ = play_rounds(context, 2)
    after, _ = play(context, state)
    total = torch.zeros_like(state.model.flat, dtype=torch.float64)
    weight_sum = 0.0
    for task in plan(context, state).work.tasks:
        update = client_round(context.method, task, never).update
        seeds = update.sections[SEEDS]["seed"].long() & 0xFFFF
        trained = state.model.flat.double()
        for seed, step in zip(seeds.tolist(), update.sections[STEPS]["step"].tolist(), strict=True):
            direction = method_of(context).direction(seed, state.model.flat).double()
            trained = trained - step * direction
        total += update.weight * trained
        weight_sum += update.weight
    torch.testing.assert_close(after.model.flat.double(), total / weight_sum, rtol=1e-4, atol=1e-6)


def test_one_client_is_mezo(folders: Folders) -> None:
    """With one participant, the client's own path of two-sided differences, written out here."""
    spec = kseed_spec(sampling={"kind": "random", "count": 1})
    context = build_context(spec, folders)
    method, state = method_of(context), initial_state(context)
    (task,) = plan(context, state).work.tasks
    seeds = client_round(method, task, never).update.sections[SEEDS]["seed"].long().tolist()
    generator = rng(spec.seed, Purpose.DATA_ORDER, 0, task.data.client_id)
    weights, expected = state.model.flat.clone(), []
    for number, rows in enumerate(batches(method, spec.local, task.data, generator)):
        chosen = int(torch.randint(64, (), generator=generator))
        assert chosen == seeds[number]
        batch = Batch(task.data.examples.x[rows], task.data.examples.y[rows])
        z = method.direction(chosen, weights)
        both = []
        for side in (1, -1):
            params = state.model.with_flat(weights + side * 1e-3 * z)
            outputs = context.model.apply(params.named, batch.x)
            both.append(float(context.objective.loss(outputs, batch.y)))
        step = 0.002 * (both[0] - both[1]) / 2e-3
        weights = weights - step * z
        expected.append(step)
    sent = client_round(method, task, never).update.sections[STEPS]["step"]
    torch.testing.assert_close(sent, torch.tensor(expected), rtol=1e-3, atol=1e-6)
    after, _ = play(context, state)
    torch.testing.assert_close(after.model.flat, weights, rtol=1e-4, atol=1e-5)


def test_scalar_gradients_point_along_the_gradient() -> None:
    """Two thousand probes of a quadratic of 50 dimensions: g z is the gradient on average."""
    generator = torch.Generator().manual_seed(0)
    curvature = torch.rand(50, generator=generator) + 0.5
    at = torch.randn(50, generator=generator)
    method = method_of_dimension()
    found = torch.zeros(50)
    for number in range(2000):
        z = method.direction(number, at)
        ahead, behind = (
            float(0.5 * (curvature * (at + side * 1e-3 * z) ** 2).sum()) for side in (1, -1)
        )
        found += (ahead - behind) / 2e-3 * z
    assert float(torch.cosine_similarity(found, curvature * at, dim=0)) > 0.9


def method_of_dimension() -> FedKSeed:
    bed = Bed.of({"kind": "fedkseed", "seeds": 2000})
    assert isinstance(bed.method, FedKSeed)
    return bed.method


def test_directions_come_from_the_seed_of_the_run_alone() -> None:
    method = method_of_dimension()
    like = torch.zeros(100)
    assert torch.equal(method.direction(7, like), method.direction(7, like))
    assert not torch.equal(method.direction(7, like), method.direction(8, like))
    other = replace(method, context=replace(method.context, seed=1))
    assert not torch.equal(method.direction(7, like), other.direction(7, like))


def test_directions_that_do_not_exist_are_refused(folders: Folders) -> None:
    method = method_of(build_context(kseed_spec(), folders))
    update = Update(
        sections={
            SEEDS: {"seed": torch.full((12,), 64, dtype=torch.int16)},
            STEPS: Params.of({"step": torch.zeros(12)}),
        },
        base_version=0,
        client_id=0,
        weight=1.0,
    )
    assert "unknown direction" in (method.objection(update) or "")
    largest = torch.full((12,), 65_535).to(torch.int16)
    many = method_of_dimension()
    sections = {**update.sections, SEEDS: {"seed": largest}}
    assert "65535" in (many.objection(replace(update, sections=sections)) or "")


def test_a_step_without_a_finite_loss_is_left_out(folders: Folders) -> None:
    context = build_context(kseed_spec(algorithm={"seeds": 64}), folders)
    state = initial_state(context)
    (task, *_) = plan(context, state).work.tasks
    broken = state.model.with_flat(torch.full_like(state.model.flat, 1e38))
    message = replace(task.message, sections={"model": broken})
    update = client_round(context.method, replace(task, message=message), never).update
    assert torch.equal(update.sections[STEPS]["step"], torch.zeros(12))


def test_a_model_learns_from_scalars(folders: Folders) -> None:
    spec = kseed_spec(
        algorithm={"seeds": 1024},
        rounds=12,
        model={"kind": "linear"},
        local={"steps": 60, "batch_size": 32, "lr": 0.003},
        evaluation={"every": 12},
    )
    context = build_context(spec, folders)
    state, reports = play_rounds(context, 12)
    assert reports[-1].metrics["accuracy"] > 0.6  # ten classes; a tenth is chance
    assert state.tensors[ACCUMULATED][SUMS].count_nonzero() > 500


def test_a_pool_computes_the_same_bits(folders: Folders) -> None:
    models = []
    for executor in ("sequential", "pool"):
        runtime = {"executor": executor, "processes": 2, "device": "cpu"}
        engine = Engine.create(kseed_spec(runtime=runtime), cache_dir=folders.cache)
        engine.run_round()
        models.append(engine._state.model.flat)  # noqa: SLF001
        engine.close()
    assert torch.equal(*models)


def test_stacked_clients_are_trained_one_by_one(folders: Folders) -> None:
    models = []
    for executor in ("sequential", "stacked"):
        runtime = {"executor": executor, "device": "cpu"}
        engine = Engine.create(kseed_spec(runtime=runtime), cache_dir=folders.cache)
        engine.run_round()
        models.append(engine._state.model.flat)  # noqa: SLF001
        engine.close()
    assert torch.equal(*models)


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"local": {"epochs": 1}}, "local.steps"),
        ({"local": {**LOCAL, "weight_decay": 0.1}}, "local.weight_decay"),
        ({"local": {**LOCAL, "momentum": 0.9}}, "local.momentum"),
        ({"local": {**LOCAL, "optimizer": "adam"}}, "local.optimizer"),
        ({"local": LOCAL, "aggregation": {"kind": "median"}}, "aggregation.kind"),
        ({"local": LOCAL, "compression": {"uplink": [{"kind": "sign"}]}}, "compression.uplink"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_break_the_replay_is_refused(sections: dict[str, Any], path: str) -> None:
    problems = check({"algorithm": {"kind": "fedkseed"}, **sections}).problems
    assert [problem.path for problem in problems] == [path]
    assert problems[0].fix
