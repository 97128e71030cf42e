"""Small runs on digits, and what it means that two states are the same."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

import torch

from fedcore.clients.trainer import AUTOGRAD
from fedcore.engine.chunks import Chunk, join_chunks, train_chunk
from fedcore.engine.context import RunContext, initial_state
from fedcore.engine.evaluation import evaluate
from fedcore.engine.executor import SequentialExecutor
from fedcore.engine.partial import Place, decode_partial, encode_partial
from fedcore.engine.planning import plan
from fedcore.engine.report import RoundReport
from fedcore.engine.rounds import conclude, play_round
from fedcore.params import Section
from fedcore.spec import RunSpec
from fedcore.state import ClientStore, Flight, RunState

#: A run of a second: few clients, a small model, momentum so that optimisers have something to
#: remember, and a client whose last batch is short.
SMALL: dict[str, Any] = {
    "seed": 3,
    "rounds": 4,
    "partition": {"kind": "dirichlet", "clients": 6, "alpha": 0.5},
    "model": {"kind": "mlp", "hidden": [12]},
    "sampling": {"kind": "random", "fraction": 0.5},
    "local": {"epochs": 1, "batch_size": 25, "lr": 0.1},
}


def small_spec(**overrides: Any) -> RunSpec:
    return RunSpec.model_validate({**SMALL, **overrides})


def never() -> bool:
    return False


def asked_times(limit: int) -> Callable[[], bool]:
    """Return a ``should_stop`` that says yes from the ``limit``-th time it is asked."""
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked >= limit

    return should_stop


def play(
    context: RunContext, state: RunState, should_stop: Callable[[], bool] = never
) -> tuple[RunState, RoundReport]:
    return play_round(context, state, SequentialExecutor(context, AUTOGRAD), should_stop)


def play_in_parts(context: RunContext, state: RunState, lanes_per_chunk: int) -> RunState:
    """Return the state after a round whose parts were trained apart, the last one first."""
    executor = SequentialExecutor(context, AUTOGRAD)
    planned = plan(context, state)
    digest, num_lanes = context.spec.digest(), len(planned.work.lanes)
    parts = {}
    for first in reversed(range(0, num_lanes, lanes_per_chunk)):
        chunk = Chunk(first, min(first + lanes_per_chunk, num_lanes), 0)
        place = Place(digest, state.round_index, chunk.first_lane, chunk.end_lane)
        there = train_chunk(context, plan(context, state), executor, chunk, never)
        payload = encode_partial(place, there)
        parts[chunk] = decode_partial(payload, place, context, planned.work.asked)
    progress = join_chunks(context, planned, parts)
    after, _ = conclude(
        context,
        state,
        planned,
        progress,
        examine=lambda trained: evaluate(context, trained, executor, never),
        executor=executor.name,
        began=perf_counter(),
    )
    return after


def play_rounds(
    context: RunContext, count: int, state: RunState | None = None
) -> tuple[RunState, list[RoundReport]]:
    state = initial_state(context) if state is None else state
    reports = []
    for _ in range(count):
        state, report = play(context, state)
        reports.append(report)
    return state, reports


def assert_same_state(first: RunState, second: RunState) -> None:
    """Compare to the last bit everything but measured time."""
    _assert_same_sections(first.tensors, second.tensors)
    _assert_same_sections(first.combined, second.combined)
    _assert_same_store(first.clients, second.clients)
    _assert_same_store(first.records, second.records)
    _assert_same_flights(first.flights, second.flights)
    _assert_same_sections(first.broadcast.sections, second.broadcast.sections)
    assert dict(first.broadcast.heard) == dict(second.broadcast.heard)
    for name in ("round_index", "norms", "method", "sampler", "ledger", "metrics", "stopping"):
        assert getattr(first, name) == getattr(second, name), name
    assert replace(first.totals, seconds=0.0) == replace(second.totals, seconds=0.0)


def _assert_same_store(first: ClientStore, second: ClientStore) -> None:
    assert sorted(first) == sorted(second)
    for client_id, kept in first.items():
        _assert_same_sections(kept.sections, second[client_id].sections)
        _assert_same_sections(kept.memory, second[client_id].memory)
        assert dict(kept.values) == dict(second[client_id].values)


def _assert_same_flights(first: Mapping[int, Flight], second: Mapping[int, Flight]) -> None:
    assert sorted(first) == sorted(second)
    for client_id, flight in first.items():
        other = second[client_id]
        _assert_same_sections(flight.message.sections, other.message.sections)
        assert dict(flight.message.scalars) == dict(other.message.scalars)
        assert flight.message.base_version == other.message.base_version
        for name in ("bytes_down", "since", "seconds", "arrives_in_s", "is_lost"):
            assert getattr(flight, name) == getattr(other, name), name


def assert_same_report(first: RoundReport, second: RoundReport) -> None:
    assert timeless(first) == timeless(second)


def timeless(report: RoundReport) -> dict[str, Any]:
    content = report.to_json() | {"seconds": None}
    content["clients"] = [client | {"duration_s": None} for client in content["clients"]]
    return content


def _assert_same_sections(first: Mapping[str, Section], second: Mapping[str, Section]) -> None:
    assert list(first) == list(second)
    for name, section in first.items():
        assert type(section) is type(second[name])
        assert list(section) == list(second[name])
        for key, tensor in section.items():
            assert torch.equal(tensor, second[name][key]), f"{name}.{key}"
