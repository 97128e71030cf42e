"""Running statistics in a federated run: averaged by examples, exact, and outside of all else."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.clients.trainer import AUTOGRAD
from fedcore.clients.work import client_round
from fedcore.engine import Engine
from fedcore.engine.buffers import NO_BUFFERS, BufferMean, with_buffers
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.executor import SequentialExecutor
from fedcore.engine.planning import plan
from fedcore.engine.rounds import play_round
from fedcore.engine.stacked import StackedExecutor
from fedcore.environment import Folders
from fedcore.models import load_exported
from fedcore.state import BUFFERS, MODEL, RunState
from tests.fedcore.runs import assert_same_state, never, play, play_rounds, small_spec

RESNET: dict[str, Any] = {"kind": "resnet", "depth": 8, "width": 4, "norm": "batch"}
SETTINGS: dict[str, Any] = {
    "model": RESNET,
    "dataset": {"kind": "digits", "max_train": 120, "max_test": 60},
    "partition": {"kind": "quantity", "clients": 3, "min_size": 10},
    "sampling": {"kind": "full"},
}


def context_of(folders: Folders, **overrides: Any) -> RunContext:
    return build_context(small_spec(**{**SETTINGS, **overrides}), folders)


def sent_buffers(context: RunContext, state: RunState) -> list[tuple[dict[str, Tensor], int]]:
    """Return what each client of the next round sends, and how many examples it holds."""
    found = []
    for task in plan(context, state).work.tasks:
        result = client_round(context.method, task, never, AUTOGRAD, context.pipeline)
        found.append((dict(result.update.sections[BUFFERS]), len(task.data)))
    return found


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"aggregation": {"kind": "mean", "weighting": "uniform"}},
        {"aggregation": {"kind": "median"}},
        {"algorithm": {"kind": "scaffold"}},
        {"compression": {"uplink": [{"kind": "topk"}]}},
    ],
)
def test_statistics_are_averaged_by_examples_whatever_else_happens(
    folders: Folders, overrides: dict[str, Any]
) -> None:
    context = context_of(folders, **overrides)
    state = initial_state(context)
    sent = sent_buffers(context, state)
    after, report = play(context, state)
    assert [client.status for client in report.clients] == ["ok"] * 3
    total = sum(count for _, count in sent)
    for name, tensor in after.tensors[BUFFERS].items():
        mean = sum(values[name].double() * (count / total) for values, count in sent)
        assert isinstance(mean, Tensor)
        assert torch.allclose(tensor.double(), mean, atol=1e-5), name
        assert not torch.equal(tensor, state.tensors[BUFFERS][name])


def test_numbers_without_a_mean_come_from_the_client_with_most_examples() -> None:
    def of(count: int, number: int) -> BufferMean:
        values = {"mean": torch.tensor([float(number)]), "batches": torch.tensor([number])}
        return BufferMean(values, float(count), count)

    parts = [of(10, 1), of(30, 2), of(30, 3), of(20, 4)]
    for order in ([0, 1, 2, 3], [3, 0, 1, 2]):
        mean = NO_BUFFERS
        for place in order:
            mean = mean.merge(parts[place])
        assert mean.values["batches"].tolist() == [2]
        assert float(mean.values["mean"]) == pytest.approx((10 + 60 + 90 + 80) / 90)


def test_a_run_that_stopped_goes_on_to_the_last_bit(folders: Folders, tmp_path: Path) -> None:
    spec = small_spec(**SETTINGS)
    engine = Engine.create(spec, cache_dir=folders.cache)
    engine.run_round()
    engine.save(tmp_path)
    resumed = Engine.resume(spec, tmp_path, cache_dir=folders.cache)
    for one in (engine, resumed):
        one.run_round()
    assert_same_state(engine._state, resumed._state)  # noqa: SLF001
    engine.close()
    resumed.close()


def test_a_model_is_tested_with_the_statistics_of_training(folders: Folders) -> None:
    context = context_of(folders)
    state, reports = play_rounds(context, 2)
    forgetful = initial_state(context)
    stale = {**state.tensors, BUFFERS: forgetful.tensors[BUFFERS]}
    executor = SequentialExecutor(context, AUTOGRAD)
    x, y = context.dataset.test.x, context.dataset.test.y
    named = {**state.model, **state.tensors[BUFFERS]}
    right = context.objective.summarise(
        context.objective.tally(context.model.apply(named, x), y).sum(0)
    )
    assert reports[-1].metrics["loss"] == pytest.approx(right["loss"], rel=1e-5)
    wrong = context.model.apply({**state.model, **stale[BUFFERS]}, x)
    assert not torch.allclose(wrong, context.model.apply(named, x), atol=1e-2)
    executor.close()


def test_a_message_grows_by_the_statistics_and_no_more(folders: Folders) -> None:
    context = context_of(folders)
    state = initial_state(context)
    plain = context.method.downlink(state, 0)
    full = with_buffers(plain, state)
    assert set(full.sections) == {MODEL, BUFFERS}
    without = context_of(folders, model={**RESNET, "norm": "group", "groups": 2})
    assert BUFFERS not in initial_state(without).tensors
    assert with_buffers(plain, initial_state(without)) is plain


def test_clients_that_cannot_be_stacked_train_one_after_another(folders: Folders) -> None:
    context = context_of(folders)
    state = initial_state(context)
    alone = SequentialExecutor(context, AUTOGRAD)
    expected, _ = play_round(context, state, alone, never)
    found, _ = play_round(context, state, StackedExecutor(alone), never)
    assert_same_state(found, expected)


@pytest.mark.parametrize("aggregation", ["mean", "median"])
def test_a_pool_computes_what_one_process_does(folders: Folders, aggregation: str) -> None:
    def played(executor: str) -> RunState:
        runtime = {"executor": executor, "processes": 2, "device": "cpu"}
        spec = small_spec(**SETTINGS, runtime=runtime, aggregation={"kind": aggregation})
        engine = Engine.create(spec, cache_dir=folders.cache)
        try:
            for _ in range(2):
                engine.run_round()
            assert executor in engine.executor
            return engine._state  # noqa: SLF001
        finally:
            engine.close()

    assert_same_state(played("pool"), played("sequential"))


def test_an_exported_model_has_its_statistics(folders: Folders, tmp_path: Path) -> None:
    engine = Engine.create(small_spec(**SETTINGS), cache_dir=folders.cache)
    engine.run_round()
    engine.export_model(tmp_path)
    model = load_exported(tmp_path)
    assert any(name.endswith("running_mean") for name, _ in model.named_buffers())
    assert not any("running" in name for name, _ in model.named_parameters())
    context, state = engine._context, engine._state  # noqa: SLF001
    x = context.dataset.test.x[:5]
    expected = context.model.apply({**state.model, **state.tensors[BUFFERS]}, x)
    assert torch.equal(model(x), expected)
    engine.close()
