"""Rounds in parts: how they are cut, and that the parts come to the same as the whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcore.aggregators import merge_in_tree
from fedcore.engine import Engine, Pace
from fedcore.engine.chunks import LONGEST_S, cut_into_chunks
from fedcore.engine.context import build_context, initial_state
from fedcore.environment import Folders
from fedcore.errors import TooFewUpdatesError, WireError
from fedcore.spec import check
from tests.fedcore.runs import (
    assert_same_report,
    assert_same_state,
    play,
    play_in_parts,
    small_spec,
)
from tests.fedcore.test_executor_stacked import METHODS, NEEDS, RAGGED

EIGHT_LANES = tuple((position,) for position in range(8))
PARTED: dict[str, Any] = {"runtime": {"executor": "sequential", "placement": "workers"}}


def sizes(lanes: tuple[tuple[int, ...], ...], pace: Pace) -> list[int]:
    return [chunk.end_lane - chunk.first_lane for chunk in cut_into_chunks(lanes, pace)]


@given(count=st.integers(1, 200), power=st.integers(0, 8))
def test_branches_of_the_tree_can_be_merged_first(count: int, power: int) -> None:
    def pair(first: str, second: str) -> str:
        return f"({first}+{second})"

    parts = [str(number) for number in range(count)]
    size = 2**power
    branches = [merge_in_tree(parts[at : at + size], pair) for at in range(0, count, size)]
    assert merge_in_tree(branches, pair) == merge_in_tree(parts, pair)


@given(
    num_lanes=st.integers(1, 300),
    seconds=st.none() | st.floats(0, 1e4),
    workers=st.integers(1, 64),
)
def test_chunks_are_branches_that_cover_the_round_once(
    num_lanes: int, seconds: float | None, workers: int
) -> None:
    lanes = tuple((position,) for position in range(num_lanes))
    chunks = cut_into_chunks(lanes, Pace(seconds, workers))
    covered = [lane for c in chunks for lane in range(c.first_lane, c.end_lane)]
    assert covered == list(range(num_lanes))
    size = chunks[0].end_lane
    assert size & (size - 1) == 0 or len(chunks) == 1
    assert all(c.first_lane % size == 0 for c in chunks)
    assert sum(c.num_clients for c in chunks) == num_lanes


def test_a_first_round_is_cut_for_at_least_two_workers() -> None:
    assert sizes(EIGHT_LANES, Pace()) == [4, 4]


def test_slow_clients_are_shared_out_finely_and_fast_ones_are_not() -> None:
    assert sizes(EIGHT_LANES, Pace(seconds_per_client=LONGEST_S, num_workers=2)) == [1] * 8
    assert sizes(EIGHT_LANES, Pace(seconds_per_client=0.001, num_workers=2)) == [4, 4]
    assert sizes(EIGHT_LANES, Pace(seconds_per_client=0.5, num_workers=2)) == [2, 2, 2, 2]


def test_a_round_is_cut_so_that_no_worker_is_done_long_before_another() -> None:
    ten = tuple((position,) for position in range(10))
    # In pairs, one of two workers would do six of the ten.
    assert sizes(ten, Pace(seconds_per_client=1.0, num_workers=2)) == [1] * 10
    # That is not worth it where a client takes no longer than the handling of its chunk.
    assert sizes(ten, Pace(seconds_per_client=0.02, num_workers=2)) == [4, 4, 2]
    sixteen = tuple((position,) for position in range(16))
    assert sizes(sixteen, Pace(seconds_per_client=0.04, num_workers=2)) == [8, 8]
    assert sizes(sixteen, Pace(seconds_per_client=1.0, num_workers=2)) == [4, 4, 4, 4]


def test_parts_trained_by_two_engines_equal_a_local_run() -> None:
    spec = small_spec(**PARTED, model={"kind": "cnn", "channels": [4], "hidden": 8})
    local = Engine.create(small_spec(model=spec.model.model_dump(mode="json")))
    server, other = Engine.create(spec), Engine.create(spec)
    for _ in range(2):
        chunks = server.chunks(Pace())
        assert len(chunks) > 1
        parts = [
            (chunk, (server, other)[number % 2].train_chunk(chunk).payload)
            for number, chunk in enumerate(chunks)
        ]
        report = server.finish_round(parts, elapsed_s=5.0)
        assert report.seconds > 5.0
        assert_same_report(report, local.run_round())
        other.restore(b"".join(server.encoded()[1]))
    assert other.round_index == 2


def test_clients_of_a_part_that_is_missing_are_late() -> None:
    engine = Engine.create(small_spec(**PARTED, sampling={"kind": "full"}))
    first, *others = engine.chunks(Pace())
    came = (first, engine.train_chunk(first).payload)
    report = engine.finish_round([came, *((chunk, None) for chunk in others)])
    late = [client for client in report.clients if client.status == "late"]
    assert len(late) == sum(chunk.num_clients for chunk in others)
    assert all("round_limit_s" in str(client.reason) for client in late)
    assert report.participants == first.num_clients


def test_a_round_without_enough_updates_fails_and_changes_nothing() -> None:
    runtime = {**PARTED["runtime"], "min_updates": 6}
    engine = Engine.create(small_spec(runtime=runtime, sampling={"kind": "full"}))
    first, *others = engine.chunks(Pace())
    came = (first, engine.train_chunk(first).payload)
    with pytest.raises(TooFewUpdatesError):
        engine.finish_round([came, *((chunk, None) for chunk in others)])
    assert engine.round_index == 0


@pytest.mark.parametrize("damage", ["other round", "other lanes", "cut off", "not one at all"])
def test_a_part_that_is_not_the_one_asked_for_is_refused(damage: str) -> None:
    engine = Engine.create(small_spec(**PARTED))
    chunks = engine.chunks(Pace())
    parts = [engine.train_chunk(chunk).payload for chunk in chunks]
    wrong = {
        "other lanes": parts[1],
        "cut off": parts[0][:-8],
        "not one at all": b"{}",
        "other round": parts[0],
    }[damage]
    if damage == "other round":
        engine.finish_round(list(zip(chunks, parts, strict=True)))
        chunks = engine.chunks(Pace())
        parts = [engine.train_chunk(chunk).payload for chunk in chunks]
    with pytest.raises(WireError):
        engine.finish_round([(chunks[0], wrong), *zip(chunks[1:], parts[1:], strict=True)])


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"aggregation": {"kind": "median"}}, "runtime.placement"),
        ({"runtime": {"placement": "local", "round_limit_s": 5}}, "runtime.round_limit_s"),
    ],
)
def test_what_cannot_be_shared_out_is_refused_by_path(sections: dict[str, Any], path: str) -> None:
    result = check({"runtime": {"placement": "workers"}, **sections})
    assert path in {problem.path for problem in result.problems}


@pytest.mark.parametrize("kind", METHODS)
def test_every_method_is_shared_out_or_refused_in_words(kind: str, folders: Folders) -> None:
    """What is shared out comes to the bits of one process, in the second round too."""
    sections = {**RAGGED, **NEEDS.get(kind, {}), "algorithm": {"kind": kind}}
    found = check({**small_spec(**sections).model_dump(mode="json"), **PARTED})
    if found.spec is None:
        (problem,) = found.problems
        assert problem.path == "runtime.placement"
        assert problem.fix == "Set runtime.placement: local."
        return
    context = build_context(found.spec, folders)
    state = initial_state(context)
    for _ in range(2):
        expected, _ = play(context, state)
        assert_same_state(play_in_parts(context, state, 2), expected)
        state = expected
