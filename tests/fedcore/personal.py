"""What tests of personalisation have in common: clients that are very unlike, and comparisons."""

from collections.abc import Mapping
from typing import Any

import torch

from fedcore.clients.trainer import AUTOGRAD
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.report import RoundReport
from fedcore.engine.rounds import play_round
from fedcore.environment import Folders
from fedcore.params import Params, Section
from fedcore.state import RunState
from tests.fedcore.packed import PackedExecutor
from tests.fedcore.runs import (
    assert_same_report,
    assert_same_state,
    never,
    play,
    play_rounds,
    small_spec,
)

#: Each client knows two of the ten digits, and is tested on these.
TWO_CLASSES: dict[str, Any] = {
    "partition": {"kind": "shards", "clients": 8, "classes_per_client": 2},
    "sampling": {"kind": "full"},
    "local": {"epochs": 1, "batch_size": 20, "lr": 0.1},
}


def played(
    folders: Folders, algorithm: Mapping[str, Any], rounds: int, **overrides: Any
) -> tuple[RunContext, RunState, list[RoundReport]]:
    context = build_context(small_spec(algorithm=algorithm, **overrides), folders)
    state, reports = play_rounds(context, rounds)
    return context, state, reports


def assert_same_tensors(first: Section, second: Section) -> None:
    assert list(first) == list(second)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def assert_trains_like_fedavg(
    folders: Folders, algorithm: Mapping[str, Any], rounds: int = 3, **overrides: Any
) -> None:
    """The global model and what is said of it are FedAvg's to the last bit."""
    _, plain, plain_reports = played(folders, {"kind": "fedavg"}, rounds, **overrides)
    _, other, reports = played(folders, algorithm, rounds, **overrides)
    assert torch.equal(plain.model.flat, other.model.flat)
    for report, expected in zip(reports, plain_reports, strict=True):
        assert report.bytes_up == expected.bytes_up
        assert report.bytes_down == expected.bytes_down
        for name, value in expected.metrics.items():
            assert report.metrics[name] == value, name


def assert_same_in_a_pool(context: RunContext) -> None:
    """Two rounds come to the same bits when tasks and results pass through shared memory."""
    pool = PackedExecutor(context, AUTOGRAD)
    state = expected = initial_state(context)
    for _ in range(2):
        state, report = play_round(context, state, pool, never)
        expected, expected_report = play(context, expected)
        assert_same_state(state, expected)
        assert_same_report(report, expected_report)


def own_of(state: RunState, client_id: int) -> Params:
    own = state.clients[client_id].sections["own"]
    assert isinstance(own, Params)
    return own
