"""Hand-written steps, in torch and in C++, compute what autograd computes."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fedcore.clients.trainer import AUTOGRAD, Trainer
from fedcore.clients.training import Interrupted
from fedcore.clients.work import client_round
from fedcore.engine import Engine
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.executor import SequentialExecutor
from fedcore.engine.planning import plan
from fedcore.engine.rounds import play_round
from fedcore.engine.trainers import choose_trainer, trainer_named
from fedcore.environment import Folders
from fedcore.errors import KernelsError
from fedcore.fast import library
from fedcore.fast.compiled import CompiledTrainer
from fedcore.fast.usual import usual_inputs
from tests.fedcore.runs import asked_times, assert_same_state, never, play, small_spec

MODELS: dict[str, dict[str, Any]] = {
    "linear": {"kind": "linear"},
    "mlp": {"kind": "mlp", "hidden": [12]},
    "deep": {"kind": "mlp", "hidden": [37, 16, 5]},
    "cnn": {"kind": "cnn", "channels": [3, 6], "hidden": 20},
}
LOCALS: list[dict[str, Any]] = [
    {"epochs": 1, "batch_size": 10},
    {"epochs": 2, "batch_size": 32, "weight_decay": 0.02},
    {"epochs": None, "steps": 9, "batch_size": 7, "momentum": 0.9, "lr": 0.02},
    {"epochs": 1, "batch_size": 1, "momentum": 0.5, "weight_decay": 0.01, "lr": 0.02},
    {"epochs": None, "steps": 5, "batch_size": 10_000},
]


@pytest.fixture(scope="session")
def compiled_folders(folders: Folders) -> Folders:
    """Folders in which the operator was built, if need be: that takes ten seconds."""
    built = Folders(folders.data, folders.cache / "compiled")
    at_setup = library.path_in(Folders.from_environment())
    if at_setup.exists():
        path = library.path_in(built)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside it first: a process that has loaded the file runs what is written over it.
        whole = path.with_suffix(f".{os.getpid()}")
        shutil.copyfile(at_setup, whole)
        whole.replace(path)
    elif shutil.which("c++") is None:
        pytest.skip("needs a C++ compiler")
    library.build(built)
    return built


@pytest.fixture(params=["fused", "compiled"])
def kernels(request: pytest.FixtureRequest, compiled_folders: Folders) -> tuple[str, Folders]:
    return request.param, compiled_folders


def step_by_hand(context: RunContext, kernels: tuple[str, Folders]) -> Trainer:
    name, folders = kernels
    if name == "compiled" and context.spec.model.kind == "cnn":
        pytest.skip("the operator has no convolutions")
    return trainer_named(name, context, folders)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("local", LOCALS)
def test_steps_by_hand_equal_autograd(
    model: str, local: dict[str, Any], kernels: tuple[str, Folders], folders: Folders
) -> None:
    context = build_context(small_spec(model=MODELS[model], local=local), folders)
    trainer = step_by_hand(context, kernels)
    for task in plan(context, initial_state(context)).work.tasks:
        expected = client_round(context.method, task, never)
        found = client_round(context.method, task, never, trainer)
        delta, other = (result.update.sections["delta"] for result in (expected, found))
        for name, tensor in delta.items():
            torch.testing.assert_close(other[name], tensor, rtol=1e-3, atol=2e-6)
        assert found.update.scalars["loss"] == pytest.approx(
            expected.update.scalars["loss"], rel=1e-4
        )
        assert found.num_seen == expected.num_seen


@pytest.mark.parametrize("model", MODELS)
def test_outputs_by_hand_equal_the_model(
    model: str, kernels: tuple[str, Folders], folders: Folders
) -> None:
    context = build_context(small_spec(model=MODELS[model]), folders)
    state = initial_state(context)
    x = context.dataset.test.x[:123]
    found = step_by_hand(context, kernels).outputs(context.method, state.model)(x)
    expected = AUTOGRAD.outputs(context.method, state.model)(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


PLAIN_LOCALS = [local for local in LOCALS if not {"momentum", "weight_decay"} & local.keys()]


@pytest.mark.parametrize("model", ["linear", "mlp", "deep"])
@pytest.mark.parametrize("local", [*PLAIN_LOCALS, {"epochs": 2, "batch_size": 33}])
def test_steps_on_what_is_unusual_equal_autograd(
    model: str, local: dict[str, Any], compiled_folders: Folders, folders: Folders
) -> None:
    context = build_context(small_spec(model=MODELS[model], local=local), folders)
    trainer = _on_unusual(context, compiled_folders)
    for task in plan(context, initial_state(context)).work.tasks:
        expected = client_round(context.method, task, never)
        found = client_round(context.method, task, never, trainer)
        delta, other = (result.update.sections["delta"] for result in (expected, found))
        for name, tensor in delta.items():
            torch.testing.assert_close(other[name], tensor, rtol=1e-3, atol=2e-6)
        assert found.update.scalars["loss"] == pytest.approx(
            expected.update.scalars["loss"], rel=1e-4
        )


@pytest.mark.parametrize("model", ["linear", "mlp", "deep"])
def test_outputs_from_what_is_unusual_equal_the_model(
    model: str, compiled_folders: Folders, folders: Folders
) -> None:
    context = build_context(small_spec(model=MODELS[model]), folders)
    state = initial_state(context)
    x = context.dataset.test.x[:123]
    found = _on_unusual(context, compiled_folders).outputs(context.method, state.model)(x)
    expected = AUTOGRAD.outputs(context.method, state.model)(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_numbers_that_are_none_are_unusual(compiled_folders: Folders, folders: Folders) -> None:
    context = build_context(small_spec(), folders)
    x = context.dataset.test.x[:2].clone()
    x[1].flatten()[5] = torch.nan
    apply = _on_unusual(context, compiled_folders).outputs(
        context.method, initial_state(context).model
    )
    assert apply(x).isnan().all(1).tolist() == [False, True]


def _on_unusual(context: RunContext, folders: Folders) -> Trainer:
    """Return the operator with usual inputs like a bright drawing's, of which many differ."""
    found = library.find(folders)
    assert found is not None
    usual = context.dataset.train.x.flatten(1).mode(0).values.add(0.25)
    usual[1::2] -= 0.25
    return CompiledTrainer.of(found, context.layout, usual)


def test_inputs_are_usual_where_most_examples_have_them() -> None:
    drawings = torch.full((900, 1, 4, 5), -0.42)
    drawings[::7] = torch.rand(129, 1, 4, 5)
    found = usual_inputs(drawings)
    assert found is not None
    assert torch.equal(found, torch.full((20,), -0.42))
    categories = (torch.eye(6)[torch.arange(900) % 6] - 1 / 6) / torch.arange(1, 7)
    found = usual_inputs(categories)
    assert found is not None
    assert torch.equal(found, categories[:7].mode(0).values)
    assert usual_inputs(torch.rand(900, 20)) is None
    assert usual_inputs(torch.rand(0, 20)) is None


def test_a_client_trains_the_same_whoever_was_there_before(
    kernels: tuple[str, Folders], folders: Folders
) -> None:
    local = {"epochs": 1, "batch_size": 10, "momentum": 0.9}
    context = build_context(small_spec(local=local), folders)
    trainer = step_by_hand(context, kernels)
    first, second, *_ = plan(context, initial_state(context)).work.tasks
    client_round(context.method, first, never, trainer)
    once = client_round(context.method, second, never, trainer)
    again = client_round(context.method, second, never, step_by_hand(context, kernels))
    assert torch.equal(next(once.update.blocks()), next(again.update.blocks())), (
        "something was left over"
    )


def test_steps_by_hand_stop_when_asked_to(kernels: tuple[str, Folders], folders: Folders) -> None:
    context = build_context(small_spec(), folders)
    executor = SequentialExecutor(context, step_by_hand(context, kernels))
    with pytest.raises(Interrupted):
        play_round(context, initial_state(context), executor, asked_times(3))


def test_an_error_of_who_is_asked_comes_through(
    kernels: tuple[str, Folders], folders: Folders
) -> None:
    context = build_context(small_spec(), folders)
    task = plan(context, initial_state(context)).work.tasks[0]

    def fail() -> bool:
        raise ConnectionError("the lease cannot be renewed")

    with pytest.raises(ConnectionError, match="lease"):
        client_round(context.method, task, fail, step_by_hand(context, kernels))


def test_diverging_clients_are_refused(kernels: tuple[str, Folders], folders: Folders) -> None:
    local = {"epochs": 2, "batch_size": 1, "lr": 1000.0, "weight_decay": 10.0}
    context = build_context(small_spec(local=local), folders)
    executor = SequentialExecutor(context, step_by_hand(context, kernels))
    with pytest.raises(Exception, match="not finite"):
        play_round(context, initial_state(context), executor, never)


def test_the_fastest_kernels_that_fit_are_chosen(
    folders: Folders, compiled_folders: Folders
) -> None:
    plain = build_context(small_spec(), folders)
    assert choose_trainer(plain, compiled_folders).name == "compiled"
    assert choose_trainer(plain, folders).name == "fused"
    images = build_context(small_spec(model=MODELS["cnn"]), folders)
    assert choose_trainer(images, compiled_folders).name == "fused"


@pytest.mark.parametrize(
    "overrides",
    [
        {"algorithm": {"kind": "scaffold"}},
        {"algorithm": {"kind": "fedprox", "mu": 0.1}},
        {"local": {"optimizer": "adam", "lr": 0.001}},
        {"runtime": {"precision": "bfloat16"}},
    ],
)
def test_what_changes_the_local_step_takes_autograd(
    overrides: dict[str, Any], compiled_folders: Folders, folders: Folders
) -> None:
    context = build_context(small_spec(**overrides), folders)
    assert choose_trainer(context, compiled_folders).name == "autograd"
    with pytest.raises(KernelsError) as failure:
        trainer_named("compiled", context, compiled_folders)
    assert failure.value.field == "runtime.kernels"


def test_a_method_that_only_changes_the_server_keeps_its_steps(
    compiled_folders: Folders, folders: Folders
) -> None:
    context = build_context(small_spec(algorithm={"kind": "fedadam"}), folders)
    assert choose_trainer(context, compiled_folders).name == "compiled"


def test_a_run_is_resumed_with_the_kernels_it_began_with(
    tmp_path: Path, compiled_folders: Folders
) -> None:
    spec = small_spec(runtime={"executor": "sequential"})
    away = tmp_path / "away"
    cache = tmp_path / "cache"
    engine = Engine.create(spec, cache_dir=cache)  # nothing is compiled there
    engine.run_round()
    engine.save(away)
    expected = engine.run_round()
    assert expected.executor == "sequential, fused"
    built = library.path_in(Folders(None, cache))
    built.parent.mkdir()
    shutil.copy(library.path_in(compiled_folders), built)
    assert Engine.create(spec, cache_dir=cache).executor == "sequential, compiled"
    resumed = Engine.resume(spec, away, cache_dir=cache)
    found = resumed.run_round()
    assert found.executor == "sequential, fused"
    assert found.metrics == expected.metrics


def test_a_run_goes_on_without_its_kernels_if_it_must(
    folders: Folders, compiled_folders: Folders
) -> None:
    context = build_context(small_spec(), folders)
    assert choose_trainer(context, folders, "compiled").name == "fused"
    assert choose_trainer(context, compiled_folders, "fused").name == "fused"
    assert choose_trainer(context, compiled_folders, "autograd").name == "autograd"


def test_bfloat16_is_close_to_float32(folders: Folders) -> None:
    exact = build_context(small_spec(), folders)
    coarse = build_context(small_spec(runtime={"precision": "bfloat16"}), folders)
    executor = SequentialExecutor(coarse, choose_trainer(coarse, folders))
    state, _ = play_round(coarse, initial_state(coarse), executor, never)
    expected, _ = play(exact, initial_state(exact))
    assert state.model.flat.dtype == torch.float32
    torch.testing.assert_close(state.model.flat, expected.model.flat, rtol=0.1, atol=0.02)
    assert not torch.equal(state.model.flat, expected.model.flat)


def test_two_runs_with_kernels_are_the_same(kernels: tuple[str, Folders], folders: Folders) -> None:
    context = build_context(small_spec(), folders)
    states = [
        play_round(
            context,
            initial_state(context),
            SequentialExecutor(context, step_by_hand(context, kernels)),
            never,
        )[0]
        for _ in range(2)
    ]
    assert_same_state(*states)


def test_a_failed_build_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = Folders(None, tmp_path)
    monkeypatch.setenv("CXX", "false")
    monkeypatch.setattr(library, "_COMPILERS", ("false",))
    with pytest.raises(library.BuildError, match="failed"):
        library.build(folders)
    monkeypatch.delenv("CXX")
    monkeypatch.setattr(library, "_COMPILERS", ("no-such-compiler",))
    with pytest.raises(library.BuildError, match="no C\\+\\+ compiler"):
        library.build(folders)
    assert library.find(folders) is None


def test_another_source_or_processor_is_another_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = Folders(None, tmp_path)
    before = library.path_in(folders)
    monkeypatch.setattr(library, "_FLAGS", ("-O0",))
    assert library.path_in(folders) != before


def test_a_context_with_other_examples_trains_on_those(
    kernels: tuple[str, Folders], folders: Folders
) -> None:
    spec = small_spec(attack={"kind": "label_flip", "fraction": 1.0})
    context = build_context(spec, folders)
    trainer = step_by_hand(context, kernels)
    state = initial_state(context)
    expected, _ = play(context, state)
    found, _ = play_round(context, state, SequentialExecutor(context, trainer), never)
    honest = replace(context, pipeline=build_context(small_spec(), folders).pipeline)
    other, _ = play_round(honest, state, SequentialExecutor(context, trainer), never)
    torch.testing.assert_close(found.model.flat, expected.model.flat, rtol=1e-3, atol=1e-5)
    assert other is not None
