"""A stack of clients takes the steps that each of them would take alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.algorithms.fedavg import FedAvg
from fedcore.clients.trainer import AUTOGRAD
from fedcore.clients.training import Batch, Interrupted, LocalContext
from fedcore.engine import stacked
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.executor import SequentialExecutor
from fedcore.engine.rounds import play_round
from fedcore.engine.stacked import StackedExecutor
from fedcore.environment import Folders
from fedcore.spec import RunSpec, catalogue
from tests.fedcore.runs import asked_times, never, play, small_spec

#: Sizes differ, so do numbers of steps, and last batches are short.
RAGGED: dict[str, Any] = {
    "partition": {"kind": "dirichlet", "clients": 12, "alpha": 0.4},
    "sampling": {"kind": "random", "fraction": 0.7},
}
#: What a method asks of the other sections.
NEEDS: dict[str, dict[str, Any]] = {
    "async-fedavg": {"sampling": {"kind": "full"}},
    "dfedsam": {"sampling": {"kind": "full"}, "topology": {"kind": "ring"}},
    "dfedsam-mgs": {"sampling": {"kind": "full"}, "topology": {"kind": "random"}},
    "fedfix": {"sampling": {"kind": "full"}},
    "fedkseed": {"local": {"epochs": None, "steps": 7, "batch_size": 16}},
}
#: These train LoRA factors, which ``test_peft.py`` stacks.
ON_FACTORS = {"fedit", "flora"}
METHODS = [
    entry.kind
    for entry in catalogue()
    if entry.section == "algorithm" and entry.kind not in ON_FACTORS
]
LOCALS: list[dict[str, Any]] = [
    {"epochs": 2, "batch_size": 16},
    {"epochs": 2, "batch_size": 16, "momentum": 0.9, "weight_decay": 0.01},
    {"epochs": None, "steps": 7, "batch_size": 16, "optimizer": "adam", "lr": 0.01},
    {"epochs": 1, "batch_size": 1000},
]


def stacked_executor(context: RunContext) -> StackedExecutor:
    return StackedExecutor(SequentialExecutor(context, AUTOGRAD))


def assert_close_after_one_round(context: RunContext, executor: StackedExecutor) -> None:
    """From the same state, twice: the second time methods remember something."""
    state = initial_state(context)
    for _ in range(2):
        expected, report = play(context, state)
        found, stacked_report = play_round(context, state, executor, never)
        torch.testing.assert_close(found.model.flat, expected.model.flat, rtol=1e-4, atol=1e-6)
        assert found.round_index == expected.round_index
        assert [c.client_id for c in stacked_report.clients] == [
            c.client_id for c in report.clients
        ]
        assert stacked_report.metrics["train_loss"] == pytest.approx(report.metrics["train_loss"])
        assert stacked_report.executor == "stacked"
        state = expected


def spec_of(kind: str, **overrides: Any) -> RunSpec:
    return small_spec(**{**RAGGED, "algorithm": {"kind": kind}, **overrides})


@pytest.mark.parametrize("kind", METHODS)
def test_every_method_gives_the_same_result_stacked(kind: str, folders: Folders) -> None:
    context = build_context(spec_of(kind, **NEEDS.get(kind, {})), folders)
    executor = stacked_executor(context)
    assert_close_after_one_round(context, executor)
    has_own_way = not context.method.has_steps
    assert executor.has_refused == has_own_way, "its hooks cannot be stacked"


@pytest.mark.parametrize("local", LOCALS)
def test_every_optimiser_and_ragged_clients(local: dict[str, Any], folders: Folders) -> None:
    context = build_context(spec_of("fedavg", local=local), folders)
    assert_close_after_one_round(context, stacked_executor(context))


def test_convolutions_can_be_stacked(folders: Folders) -> None:
    model = {"kind": "cnn", "channels": [4], "hidden": 8}
    context = build_context(spec_of("fedavg", model=model), folders)
    assert_close_after_one_round(context, stacked_executor(context))


def test_small_memory_means_several_stacks(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = build_context(spec_of("scaffold"), folders)
    monkeypatch.setattr(stacked, "CPU_BYTES", 3 * 6 * 4 * context.layout.total)
    assert_close_after_one_round(context, stacked_executor(context))


def test_adversaries_and_compression_are_part_of_it(folders: Folders) -> None:
    spec = spec_of(
        "fedavg",
        attack={"kind": "label_flip", "fraction": 0.5},
        compression={"uplink": [{"kind": "topk", "ratio": 0.5}]},
    )
    context = build_context(spec, folders)
    assert_close_after_one_round(context, stacked_executor(context))


class Branching(FedAvg):
    """Looks at numbers, which nothing can do for a whole stack."""

    def local_loss(
        self, params: Mapping[str, Tensor], batch: Batch, context: LocalContext
    ) -> Tensor:
        loss = super().local_loss(params, batch, context)
        return loss if float(loss.detach()) > 0 else 2 * loss


def test_what_cannot_be_stacked_is_trained_one_by_one(folders: Folders) -> None:
    plain = build_context(spec_of("fedavg"), folders)
    context = replace(plain, methods=(Branching(plain.method.spec, plain.method.context),))
    executor = stacked_executor(context)
    assert_close_after_one_round(context, executor)
    assert executor.has_refused


def test_a_stack_stops_when_asked_to(folders: Folders) -> None:
    context = build_context(spec_of("fedavg"), folders)
    with pytest.raises(Interrupted):
        play_round(context, initial_state(context), stacked_executor(context), asked_times(3))
