"""A round with clients that fail, misbehave or diverge, and one that is interrupted."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.algorithms.base import Gradient, Method
from fedcore.clients.training import Batch, ClientData, Interrupted, LocalContext, Trained
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.evaluation import BATCH_SIZE
from fedcore.engine.report import RoundReport
from fedcore.environment import Folders
from fedcore.errors import DivergedError, TooFewUpdatesError
from fedcore.messages import Message, Update
from fedcore.params import Params, Section
from fedcore.rng import Purpose, rng
from fedcore.spec import RunSpec
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.state import ClientState, RunState
from tests.fedcore.contract import MethodContract
from tests.fedcore.runs import (
    asked_times,
    assert_same_report,
    assert_same_state,
    play,
    play_rounds,
    small_spec,
)

BAD = 2
Spoil = Callable[[Update], Update]


@dataclass(frozen=True, eq=False)
class Spoilt(Method[AlgorithmSpec]):
    """FedAvg in which some clients send something else."""

    spoil: Spoil = lambda update: update
    bad: tuple[int, ...] = (BAD,)

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        update = super().uplink(trained, message, data)
        return self.spoil(update) if data.client_id in self.bad else update


def everyone(**overrides: Any) -> RunSpec:
    return small_spec(sampling={"kind": "full"}, **overrides)


@pytest.fixture
def honest(folders: Folders) -> RunContext:
    return build_context(everyone(), folders)


def spoilt(context: RunContext, spoil: Spoil, bad: tuple[int, ...] = (BAD,)) -> RunContext:
    return replace(
        context, methods=(Spoilt(context.spec.algorithm, context.method.context, spoil, bad),)
    )


def one_round(context: RunContext) -> tuple[RunState, RoundReport]:
    return play(context, initial_state(context))


def delta_of(update: Update) -> Params:
    delta = update.sections["delta"]
    assert isinstance(delta, Params)
    return delta


def with_number(value: float) -> Spoil:
    def spoil(update: Update) -> Update:
        flat = delta_of(update).flat.clone()
        flat[7] = value
        return replace(update, sections={"delta": delta_of(update).with_flat(flat)})

    return spoil


def with_sections(make: Callable[[dict[str, Tensor]], Mapping[str, Section]]) -> Spoil:
    return lambda update: replace(update, sections=make(dict(update.sections["delta"])))


def crash(_: Update) -> Update:
    raise ZeroDivisionError("nothing to divide by")


REFUSED: dict[str, tuple[Spoil, str]] = {
    "nan": (with_number(math.nan), "not finite"),
    "infinite": (with_number(math.inf), "not finite"),
    "loss is nan": (lambda u: replace(u, scalars={"loss": math.nan}), "not finite"),
    "weight is nan": (lambda u: replace(u, weight=math.nan), "bad weight"),
    "weight is 0": (lambda u: replace(u, weight=0.0), "bad weight"),
    "weight is negative": (lambda u: replace(u, weight=-5.0), "bad weight"),
    "stale": (lambda u: replace(u, base_version=-1), "stale"),
    "somebody else": (lambda u: replace(u, client_id=99), "unknown client"),
    "other shape": (
        with_sections(lambda t: {"delta": Params.of(t | {"layers.0.bias": torch.zeros(13)})}),
        "layers.0.bias",
    ),
    "other dtype": (
        with_sections(lambda t: {"delta": {k: v.double() for k, v in t.items()}}),
        "float64",
    ),
    "missing tensor": (
        with_sections(lambda t: {"delta": Params.of(dict(list(t.items())[1:]))}),
        "other tensors",
    ),
    "other section": (with_sections(lambda t: {"gradient": Params.of(t)}), "sections"),
    "more scalars": (lambda u: replace(u, scalars={"loss": 1.0, "x": 1.0}), "scalars"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_update_is_refused_with_its_reason_and_changes_nothing(
    honest: RunContext, case: str
) -> None:
    spoil, words = REFUSED[case]
    state, report = one_round(spoilt(honest, spoil))
    assert [client.status for client in report.clients] == [
        "refused" if client.client_id == BAD else "ok" for client in report.clients
    ]
    refused = report.clients[BAD]
    assert words in (refused.reason or "")
    assert refused.bytes_up > 0
    assert report.participants == len(report.clients) - 1

    without_it, _ = one_round(replace(honest, available=tuple(c for c in range(6) if c != BAD)))
    torch.testing.assert_close(state.model.flat, without_it.model.flat, rtol=1e-5, atol=1e-7)


def test_a_client_that_raises_is_reported_and_the_others_go_on(honest: RunContext) -> None:
    state, report = one_round(spoilt(honest, crash))
    failed = report.clients[BAD]
    assert (failed.status, failed.reason) == (
        "failed",
        "ZeroDivisionError: nothing to divide by",
    )
    assert failed.loss is None
    assert failed.bytes_up == 0
    assert failed.bytes_down > 0
    assert report.participants == len(report.clients) - 1
    assert state.round_index == 1


def test_too_few_updates_fail_the_round_and_name_the_clients(folders: Folders) -> None:
    context = build_context(everyone(runtime={"min_updates": 5}), folders)
    with pytest.raises(TooFewUpdatesError) as caught:
        one_round(spoilt(context, crash, bad=(1, 4)))
    error = caught.value
    assert "client 1: ZeroDivisionError: nothing to divide by" in error.message
    assert "client 4" in error.message
    assert error.context["client_ids"] == [1, 4]
    assert error.context["round_index"] == 0
    assert error.fix


def test_a_round_in_which_everybody_diverges_says_what_to_change(folders: Folders) -> None:
    context = build_context(
        everyone(local={"lr": 1000.0, "weight_decay": 10.0, "epochs": 3}), folders
    )
    with pytest.raises(TooFewUpdatesError) as caught:
        play_rounds(context, 3)
    assert caught.value.field == "local.lr"
    assert "not finite" in caught.value.message


def test_a_model_that_becomes_infinite_fails_the_round(honest: RunContext) -> None:
    largest = torch.finfo(torch.float32).max
    state = initial_state(honest)
    state = replace(
        state,
        tensors={"model": state.model.with_flat(torch.full_like(state.model.flat, largest))},
    )
    everybody = tuple(range(6))
    huge = spoilt(
        honest,
        lambda update: replace(
            update,
            scalars={"loss": 1.0},
            sections={"delta": state.model.with_flat(torch.full_like(state.model.flat, largest))},
        ),
        bad=everybody,
    )
    with pytest.raises(DivergedError):
        play(huge, state)


def test_whoever_asks_is_asked_at_every_batch(folders: Folders) -> None:
    context = build_context(everyone(), folders)
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return False

    play(context, initial_state(context), should_stop)
    sizes = [context.partition.train.size(client) for client in range(6)]
    training = sum(math.ceil(size / context.spec.local.batch_size) for size in sizes)
    testing = math.ceil(len(context.dataset.test) / BATCH_SIZE)
    assert asked >= training + testing


def test_an_interruption_during_the_test_leaves_no_trace_either(folders: Folders) -> None:
    context = build_context(everyone(), folders)
    sizes = [context.partition.train.size(client) for client in range(6)]
    training = sum(math.ceil(size / context.spec.local.batch_size) for size in sizes)
    before = initial_state(context)
    with pytest.raises(Interrupted):
        play(context, before, asked_times(training + 1))
    assert_same_state(before, initial_state(context))
    assert_same_report(play(context, before)[1], play(context, initial_state(context))[1])


@dataclass(frozen=True, eq=False)
class Remembering(Method[AlgorithmSpec]):
    """Keeps something in every place that a method has, and looks at it in the next round."""

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        tensors = dict(super().initial_tensors(model))
        momentum = model.with_flat(torch.zeros_like(model.flat))
        return {**tensors, "momentum": momentum, "votes": {"seen": torch.zeros(6).long()}}

    def transform_grad(
        self, gradient: Gradient, weights: Tensor, batch: Batch, context: LocalContext
    ) -> Tensor:
        first = gradient(weights, batch)
        if "memory" not in context.private_flat:
            return first
        return first + 0.01 * context.private_flat["memory"]

    def keep(
        self, trained: Trained, message: Message, private: ClientState | None
    ) -> ClientState | None:
        assert message.base_version >= 0
        visits = 0 if private is None else private.values["visits"]
        assert isinstance(visits, int)
        return ClientState({"memory": trained.params}, {"visits": visits + 1})

    def server_step(self, state: RunState, combined: Mapping[str, Section]) -> RunState:
        delta, momentum = combined["delta"], state.tensors["momentum"]
        assert isinstance(delta, Params)
        assert isinstance(momentum, Params)
        moved = momentum.with_flat(0.5 * momentum.flat + delta.flat)
        votes = {"seen": state.tensors["votes"]["seen"] + 1}
        after = super().server_step(state, {"delta": moved})
        tensors = {**after.tensors, "momentum": moved, "votes": votes}
        return replace(after, tensors=tensors, method={"rounds": votes["seen"][0].item()})


class TestMethodWithState(MethodContract):
    """The contract holds for what FedAvg does not use: private and server state, own gradients."""

    algorithm = {"kind": "fedavg"}

    @pytest.fixture
    def context(self, folders: Folders) -> RunContext:
        return remembering(build_context(self.spec(), folders))

    @pytest.fixture(autouse=True)
    def _use_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def build(spec: RunSpec, folders: Folders) -> RunContext:
            return remembering(build_context(spec, folders))

        monkeypatch.setattr("tests.fedcore.contract.build_context", build)

    def test_it_does_remember(self, context: RunContext) -> None:
        state, _ = play_rounds(context, 3)
        visits = [kept.values["visits"] for kept in state.clients.values()]
        assert sum(int(str(count)) for count in visits) == 9
        assert state.method == {"rounds": 3}
        assert len(state.clients) <= 6


def remembering(context: RunContext) -> RunContext:
    return replace(context, methods=(Remembering(context.spec.algorithm, context.method.context),))


def test_a_client_that_is_not_sampled_keeps_what_it_had(folders: Folders) -> None:
    context = remembering(
        build_context(small_spec(sampling={"kind": "random", "count": 1}), folders)
    )
    state = initial_state(context)
    for _ in range(4):
        before = state.clients
        state, report = play(context, state)
        taking_part = {client.client_id for client in report.clients}
        for client_id, kept in before.items():
            assert (state.clients[client_id] is kept) == (client_id not in taking_part)


def test_a_refused_client_keeps_what_it_had(honest: RunContext) -> None:
    @dataclass(frozen=True, eq=False)
    class Both(Remembering):
        def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
            update = super().uplink(trained, message, data)
            return with_number(math.nan)(update) if data.client_id == BAD else update

    context = replace(honest, methods=(Both(honest.spec.algorithm, honest.method.context),))
    state, _ = one_round(context)
    assert sorted(state.clients) == [client for client in range(6) if client != BAD]


def test_plain_and_transformed_gradients_take_the_same_steps(folders: Folders) -> None:
    """The flat path of methods with their own gradient and the fast path agree to the last bit."""

    @dataclass(frozen=True, eq=False)
    class Identity(Method[AlgorithmSpec]):
        def transform_grad(
            self, gradient: Gradient, weights: Tensor, batch: Batch, context: LocalContext
        ) -> Tensor:
            assert context.received_flat["model"].shape == weights.shape
            return gradient(weights, batch)

    for local in (
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1},
        {"optimizer": "adam", "lr": 0.01},
    ):
        context = build_context(everyone(local=local), folders)
        plain, _ = play_rounds(context, 2)
        other = replace(
            context, methods=(Identity(context.spec.algorithm, context.method.context),)
        )
        assert not other.method.has_plain_gradient
        flat, _ = play_rounds(other, 2)
        assert_same_state(plain, flat)


def test_steps_are_counted_across_passes(folders: Folders) -> None:
    context = build_context(everyone(local={"steps": 5, "batch_size": 40, "lr": 0.1}), folders)
    _, report = one_round(context)
    method, data = context.method, context.client_data(0)
    orders = method.data_order(context.spec.local, len(data), rng(0, Purpose.DATA_ORDER))
    sizes: list[int] = []
    while len(sizes) < 5:
        sizes.extend(len(part) for part in next(orders).split(40))
    seen = sum(sizes[:5])
    assert report.sim_seconds >= seen / 1000
