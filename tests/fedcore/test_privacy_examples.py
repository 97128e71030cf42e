"""Example-level privacy: clipped gradients of single examples, noisy steps, accounts of clients."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.algorithms.base import METHODS, Gradient, Method
from fedcore.algorithms.fedavg import FedAvg
from fedcore.clients.trainer import AUTOGRAD
from fedcore.clients.training import Batch, ClientData, LocalContext, Trained
from fedcore.clients.work import client_round
from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.executor import SequentialExecutor
from fedcore.engine.planning import plan
from fedcore.engine.rounds import play_round
from fedcore.engine.stacked import StackedExecutor
from fedcore.environment import Folders
from fedcore.errors import PrivacyError
from fedcore.params import Params, vector
from fedcore.privacy.accounts import Account
from fedcore.privacy.examples import NOISE
from fedcore.privacy.steps import Batches, Protection, clipped_sum, per_example, train_privately
from fedcore.spec import RunSpec
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.spec.renyi import NoisySum
from fedcore.spec.training import LocalSpec
from fedcore.state import MODEL
from fedcore.weights import Weights
from tests.fedcore.runs import (
    assert_same_state,
    never,
    play,
    play_in_parts,
    play_rounds,
    small_spec,
)


def private_spec(dp: dict[str, Any] | None = None, **sections: Any) -> RunSpec:
    usual = {"privacy": {"dp": {"level": "example", "noise_multiplier": 1.0, **(dp or {})}}}
    return small_spec(**{**usual, **sections})


@dataclass
class Draws:
    """All examples in every batch, or none, and noise of ones."""

    chosen: float = 0.0

    def normal(self, count: int) -> Tensor:
        return torch.ones(count)

    def uniform(self, count: int) -> Tensor:
        return torch.full((count,), self.chosen, dtype=torch.float64)


#: The usual protection.
HIDDEN = Protection(1.0, 1.0, Draws())


@pytest.fixture
def context(folders: Folders) -> RunContext:
    return build_context(private_spec(sampling={"kind": "full"}), folders)


def model_of(context: RunContext) -> Params:
    return initial_state(context).model


def local_context(context: RunContext) -> LocalContext:
    return LocalContext.of({MODEL: model_of(context)}, None)


def train(context: RunContext, data: ClientData, protection: Protection) -> Trained:
    return train_privately(
        context.method,
        {MODEL: Weights(model_of(context))},
        data,
        context=local_context(context),
        protection=protection,
        should_stop=never,
    )


# --- one step -------------------------------------------------------------------------------------


def test_each_gradient_is_cut_by_itself(context: RunContext) -> None:
    data = context.client_data(0)
    x, y = (part[data.rows[:1]] for part in (data.examples.x, data.examples.y))
    gradients = per_example(context.method, context.layout, local_context(context))
    flat, clip = model_of(context).flat, 0.01
    once, _ = clipped_sum(gradients, flat, Batch(x, y), clip)
    copies = Batch(x.expand(100, *x.shape[1:]), y.expand(100))
    many, _ = clipped_sum(gradients, flat, copies, clip)
    assert torch.linalg.vector_norm(once).item() == pytest.approx(clip, rel=1e-4)
    torch.testing.assert_close(many, 100 * once, rtol=1e-4, atol=1e-7)


def test_gradients_of_single_examples_add_up_to_that_of_the_batch(context: RunContext) -> None:
    data = context.client_data(0)
    batch = Batch(data.examples.x[data.rows], data.examples.y[data.rows])
    gradients = per_example(context.method, context.layout, local_context(context))
    total, losses = clipped_sum(gradients, model_of(context).flat, batch, 1e12)
    leaves = {name: part.detach().requires_grad_() for name, part in model_of(context).items()}
    loss = context.method.local_loss(leaves, batch, local_context(context))
    whole = torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, [*leaves.values()])])
    torch.testing.assert_close(total / len(batch.y), whole, rtol=1e-4, atol=1e-6)
    assert losses.item() / len(batch.y) == pytest.approx(loss.item(), rel=1e-5)


def test_a_gradient_that_is_not_finite_counts_as_none() -> None:
    def gradients(_: Tensor, __: Tensor, ___: Tensor) -> tuple[Tensor, Tensor]:
        return torch.tensor([[math.nan, 1.0], [3.0, 4.0], [math.inf, 0.0]]), torch.ones(3)

    batch = Batch(torch.zeros(3, 1), torch.zeros(3))
    total, loss = clipped_sum(gradients, torch.zeros(2), batch, 1.0)
    torch.testing.assert_close(total, torch.tensor([0.6, 0.8]))
    assert loss.item() == 1.0


def test_a_batch_without_examples_is_a_step_of_noise_alone(context: RunContext) -> None:
    data = context.client_data(0)
    found = train(context, data, Protection(2.0, 3.0, Draws(chosen=1.0)))
    batches = Batches.of(context.spec.local, len(data))
    step = -context.spec.local.lr * 3.0 * 2.0 / batches.expected
    assert (found.num_seen, found.num_steps) == (0, batches.steps)
    moved = found.params.flat - found.start.flat
    torch.testing.assert_close(moved, torch.full_like(moved, batches.steps * step))


def test_sums_are_divided_by_the_size_that_batches_have_on_average() -> None:
    local = LocalSpec(epochs=2, batch_size=10)
    assert Batches.of(local, 40) == Batches(0.25, 8, 10.0)
    assert Batches.of(local, 41) == Batches(10 / 41, 10, 10.0)
    assert Batches.of(local, 4) == Batches(1.0, 2, 4.0)
    assert Batches.of(LocalSpec(steps=7, batch_size=10), 40).steps == 7


def test_without_noise_and_clip_whole_batches_are_gradient_descent(folders: Folders) -> None:
    whole = {"epochs": 3, "batch_size": 10_000, "lr": 0.1}
    sections = {"local": whole, "sampling": {"kind": "full"}}
    nothing = {"noise_multiplier": 0, "clip_norm": 1e12}
    private = build_context(private_spec(nothing, **sections), folders)
    plain = build_context(small_spec(**sections), folders)
    first, reports = play_rounds(private, 1)
    second, others = play_rounds(plain, 1)
    torch.testing.assert_close(first.model.flat, second.model.flat, rtol=1e-4, atol=1e-6)
    assert reports[0].metrics["epsilon"] == math.inf
    losses = [report[0].metrics["train_loss"] for report in (reports, others)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_noise_has_the_length_that_the_account_assumes(folders: Folders) -> None:
    once = {"steps": 1, "batch_size": 20, "lr": 1.0}
    sections = {"local": once, "sampling": {"kind": "full"}}
    noisy, silent = (
        build_context(private_spec({"noise_multiplier": z, "clip_norm": 0.5}, **sections), folders)
        for z in (2.0, 0.0)
    )
    gaps = []
    for client in noisy.available:
        deltas = [_change_of(context, client) for context in (noisy, silent)]
        expected = Batches.of(noisy.spec.local, len(noisy.client_data(client))).expected
        gaps.append((deltas[0] - deltas[1]) * expected)
    assert torch.cat(gaps).std().item() == pytest.approx(2.0 * 0.5, rel=0.05)


def _change_of(context: RunContext, client: int) -> Tensor:
    task = plan(context, initial_state(context)).work.tasks[client]
    update = client_round(context.method, task, never, AUTOGRAD, context.pipeline).update
    return vector(update.sections, "delta").flat


# --- nobody trains without it ---------------------------------------------------------------------


@pytest.mark.parametrize("kernels", ["auto", "autograd"])
def test_no_executor_and_no_kernels_go_around_it(folders: Folders, kernels: str) -> None:
    spec = private_spec(runtime={"kernels": kernels})
    context = build_context(spec, folders)
    state = initial_state(context)
    expected, _ = play(context, state)
    assert_same_state(play_in_parts(context, state, 1), expected)
    stacked = StackedExecutor(SequentialExecutor(context, AUTOGRAD))
    assert_same_state(play_round(context, state, stacked, never)[0], expected)
    engine = Engine.create(spec)
    report = engine.run_round()
    assert "compiled" not in report.executor
    assert report.metrics == expected.metrics


@pytest.mark.parametrize(
    "kind", [kind for kind, cls in AlgorithmSpec.kinds().items() if cls.takes_plain_steps]
)
def test_methods_with_plain_steps_use_examples_for_nothing_else(kind: str) -> None:
    method: Any = METHODS.implementations[AlgorithmSpec.kinds()[kind]]
    for hook in ("train_client", "phases", "keep", "local_loss", "uplink", "param_view"):
        assert getattr(method, hook) is getattr(Method, hook), hook


def test_a_method_may_add_to_the_gradient_of_a_step(folders: Folders) -> None:
    whole = {"epochs": 3, "batch_size": 10_000, "lr": 0.1}
    sections = {"algorithm": {"kind": "fedprox", "mu": 5.0}, "local": whole}
    nothing = {"noise_multiplier": 0, "clip_norm": 1e12}
    private = build_context(private_spec(nothing, **sections), folders)
    plain = build_context(small_spec(**sections), folders)
    first, second = (play_rounds(context, 1)[0] for context in (private, plain))
    torch.testing.assert_close(first.model.flat, second.model.flat, rtol=1e-4, atol=1e-6)


def test_a_method_may_not_ask_for_a_second_gradient(context: RunContext) -> None:
    class Greedy(FedAvg):
        def transform_grad(
            self,
            gradient: Gradient,
            weights: Tensor,
            batch: Batch,
            context: LocalContext,  # noqa: ARG002
        ) -> Tensor:
            return gradient(weights, batch) + gradient(weights, batch)

    greedy = Greedy(context.method.spec, context.method.context)
    with pytest.raises(PrivacyError, match="two gradients"):
        train(replace(context, methods=(greedy,)), context.client_data(0), HIDDEN)


# --- accounts -------------------------------------------------------------------------------------


def test_a_client_spends_in_the_rounds_that_it_takes_part_in(folders: Folders) -> None:
    context = build_context(private_spec(), folders)
    state, reports = play_rounds(context, 3)
    took_part: dict[int, int] = {}
    for report in reports:
        for client in report.clients:
            took_part[client.client_id] = took_part.get(client.client_id, 0) + 1
    ledger = {int(str(event["client"])): event for event in state.ledger}
    assert set(ledger) == set(took_part)
    delta = sum(context.partition.train.size(c) for c in context.available) ** -1.1
    spent = []
    for place, event in ledger.items():
        batches = Batches.of(context.spec.local, context.partition.train.size(place))
        count = took_part[place] * batches.steps
        assert (event["count"], event["chance"]) == (count, batches.chance)
        account = Account(delta, planned=batches.steps * context.spec.rounds)
        spent.append(account.epsilon([(NoisySum(batches.chance, 1.0), count)]))
    assert reports[-1].metrics["epsilon"] == pytest.approx(max(spent), rel=1e-3)


def test_noise_for_an_epsilon_is_enough_for_whoever_is_always_there(folders: Folders) -> None:
    spec = private_spec({"noise_multiplier": None, "epsilon": 6.0}, sampling={"kind": "full"})
    context = build_context(spec, folders)
    state, reports = play_rounds(context, spec.rounds)
    assert 5.8 < reports[-1].metrics["epsilon"] <= 6.0
    assert {event["noise"] for event in state.ledger} == {state.privacy[NOISE]}


def test_a_resumed_run_goes_on_with_every_account(tmp_path: Path) -> None:
    spec = private_spec({"noise_multiplier": None, "epsilon": 6.0})
    unbroken, broken = Engine.create(spec), Engine.create(spec)
    for _ in range(2):
        unbroken.run_round()
        broken.run_round()
    broken.save(tmp_path)
    resumed = Engine.resume(spec, tmp_path)
    assert unbroken.run_round().metrics == resumed.run_round().metrics


def test_a_client_that_is_lost_has_spent_all_the_same(folders: Folders) -> None:
    spec = private_spec(system={"dropout": 0.5}, sampling={"kind": "full"})
    context = build_context(spec, folders)
    state, report = play(context, initial_state(context))
    assert any(client.status == "lost" for client in report.clients)
    assert len(state.ledger) == 6


def test_secure_sums_of_private_updates_are_those_of_plain_ones(folders: Folders) -> None:
    sections = {"sampling": {"kind": "full"}}
    plain = build_context(private_spec(**sections), folders)
    secret = {"dp": {"level": "example", "noise_multiplier": 1.0}, "secure_aggregation": True}
    secure = build_context(small_spec(**sections, privacy=secret), folders)
    first, second = (play_rounds(context, 1)[0] for context in (plain, secure))
    torch.testing.assert_close(first.model.flat, second.model.flat, rtol=0, atol=1e-5)
