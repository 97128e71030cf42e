"""Rounds that nobody takes part in, as Poisson sampling makes them now and then."""

from __future__ import annotations

import pytest
import torch

from fedcore.engine.chunks import Pace, cut_into_chunks
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from tests.fedcore.runs import assert_same_state, play, play_in_parts, small_spec


@pytest.fixture
def context(folders: Folders) -> RunContext:
    """Return a run whose first round has nobody."""
    for seed in range(100):
        spec = small_spec(sampling={"kind": "poisson", "fraction": 0.1}, seed=seed)
        found = build_context(spec, folders)
        if not plan(found, initial_state(found)).work.tasks:
            return found
    raise AssertionError("none of the seeds gives an empty cohort")


def test_a_round_without_anybody_leaves_the_model_as_it_is(context: RunContext) -> None:
    before = initial_state(context)
    after, report = play(context, before)
    assert torch.equal(after.model.flat, before.model.flat)
    assert (after.round_index, report.participants, report.clients) == (1, 0, ())
    assert "accuracy" in report.metrics
    assert "train_loss" not in report.metrics


def test_it_can_be_shared_out_over_workers_all_the_same(context: RunContext) -> None:
    state = initial_state(context)
    (chunk,) = cut_into_chunks(plan(context, state).work.lanes, Pace())
    assert chunk.num_clients == 0
    assert_same_state(play_in_parts(context, state, 1), play(context, state)[0])
