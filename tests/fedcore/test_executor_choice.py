"""Which executor a run uses, and when it changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from fedcore.clients.trainer import AUTOGRAD
from fedcore.engine import choose
from fedcore.engine.choose import AutoExecutor, make_executor
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.executor import Executor, SequentialExecutor
from fedcore.engine.rounds import play_round
from fedcore.engine.stacked import StackedExecutor
from fedcore.environment import Folders
from fedcore.errors import DeviceError
from tests.fedcore.runs import assert_same_state, never, play, small_spec

START_S = 100.0


@pytest.fixture
def context(folders: Folders) -> RunContext:
    partition = {"kind": "dirichlet", "clients": 40, "alpha": 0.5}
    return build_context(small_spec(partition=partition, runtime={"processes": 2}), folders)


@pytest.fixture
def auto(context: RunContext, folders: Folders) -> Iterator[AutoExecutor]:
    executor = AutoExecutor(SequentialExecutor(context, AUTOGRAD), folders, 2)
    yield executor
    executor.close()


def made(folders: Folders, **runtime: Any) -> Executor:
    context = build_context(small_spec(runtime={"device": "cpu", **runtime}), folders)
    return make_executor(context, AUTOGRAD, folders)


def test_the_spec_decides_if_it_wants_to(folders: Folders) -> None:
    assert isinstance(made(folders, executor="sequential"), SequentialExecutor)
    assert isinstance(made(folders, executor="stacked"), StackedExecutor)
    assert isinstance(made(folders, processes=2), AutoExecutor)


def test_one_process_is_enough_for_one_core(folders: Folders) -> None:
    assert isinstance(made(folders, processes=1), SequentialExecutor)


def test_a_short_run_starts_no_processes(auto: AutoExecutor, context: RunContext) -> None:
    state = initial_state(context)
    for _ in range(2):
        state, report = play_round(context, state, auto, never)
        assert report.executor == "sequential"
    assert not auto.has_processes


def test_a_long_run_changes_to_the_pool_without_changing_its_numbers(
    auto: AutoExecutor, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "WORTH_STARTING_S", 0.0)
    state = expected = initial_state(context)
    state, report = play_round(context, state, auto, never)
    expected, _ = play(context, expected)
    assert auto.has_processes
    auto.wait_for_processes(START_S)
    for _ in range(2):
        state, report = play_round(context, state, auto, never)
        expected, _ = play(context, expected)
        assert report.executor == "pool of 2"
    assert_same_state(state, expected)


def test_a_run_goes_on_alone_when_a_process_dies(
    auto: AutoExecutor, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "WORTH_STARTING_S", 0.0)
    state = expected = initial_state(context)
    state, _ = play_round(context, state, auto, never)
    auto.wait_for_processes(START_S)
    state, _ = play_round(context, state, auto, never)
    assert auto.processes is not None
    auto.processes.lines[0].orders.close()  # as if it had died
    state, report = play_round(context, state, auto, never)
    assert report.executor == "sequential"
    for _ in range(3):
        expected, _ = play(context, expected)
    assert_same_state(state, expected)
    assert not auto.has_processes


def test_a_pool_that_is_slower_is_given_up(
    auto: AutoExecutor, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "WORTH_STARTING_S", 0.0)
    monkeypatch.setattr(choose, "SLOWER", 0.0)
    monkeypatch.setattr(choose, "TRIAL_ROUNDS", 1)
    state, _ = play_round(context, initial_state(context), auto, never)
    auto.wait_for_processes(START_S)
    state, _ = play_round(context, state, auto, never)
    assert not auto.has_processes
    assert play_round(context, state, auto, never)[1].executor == "sequential"
    assert not auto.has_processes, "it must not be tried again and again"


def test_a_pool_does_not_work_on_a_gpu(folders: Folders) -> None:
    context = build_context(small_spec(runtime={"executor": "pool", "device": "cpu"}), folders)
    elsewhere = RunContext(**{**vars(context), "device": torch.device("cuda")})
    with pytest.raises(DeviceError) as failure:
        make_executor(elsewhere, AUTOGRAD, folders)
    assert failure.value.field == "runtime.executor"


def test_a_gpu_stacks(folders: Folders) -> None:
    context = build_context(small_spec(runtime={"device": "cpu"}), folders)
    elsewhere = RunContext(**{**vars(context), "device": torch.device("cuda")})
    assert isinstance(make_executor(elsewhere, AUTOGRAD, folders), StackedExecutor)
