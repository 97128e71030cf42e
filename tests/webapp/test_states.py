"""The states of a run: which may follow which, and what a user can do in each."""

from __future__ import annotations

from itertools import product

import pytest
from django.utils import timezone

from webapp.jobs.models import Run
from webapp.jobs.services.run_changes import IllegalTransitionError, transition
from webapp.jobs.states import (
    FINAL_STATES,
    LEGAL_TRANSITIONS,
    RequestedAction,
    RunAction,
    RunState,
    actions_for,
    is_legal,
)

LEGAL = """
queued    > starting paused cancelled
starting  > running paused failed cancelled
running   > succeeded paused failed cancelled
paused    > running queued cancelled
succeeded >
failed    > queued
cancelled > queued
"""


def expected() -> set[tuple[str, str]]:
    rows = (line.split(">") for line in LEGAL.strip().splitlines())
    return {(before.strip(), after) for before, targets in rows for after in targets.split()}


def test_the_legal_transitions_are_those_of_the_table() -> None:
    assert {(a.value, b.value) for a, b in LEGAL_TRANSITIONS} == expected()


@pytest.mark.parametrize(("before", "after"), list(product(RunState, RunState)))
def test_only_legal_transitions_happen_and_each_leaves_an_event(
    run: Run, before: RunState, after: RunState
) -> None:
    Run.objects.filter(pk=run.pk).update(state=before)
    run.refresh_from_db()
    seq = run.last_seq
    if is_legal(before, after):
        transition(run, after, reason="because", now=timezone.now())
        event = run.events.get(seq=seq + 1)
        assert event.data == {"from": before, "to": after, "reason": "because"}
    else:
        with pytest.raises(IllegalTransitionError):
            transition(run, after, reason="because", now=timezone.now())
    run.refresh_from_db()
    assert (run.state == after) == (is_legal(before, after) or before == after)


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
def test_a_finished_run_offers_nothing_that_changes_it_but_retry(state: RunState) -> None:
    offered = set(actions_for(state, RequestedAction.NONE))
    assert offered <= {RunAction.RETRY, RunAction.CLONE, RunAction.DOWNLOAD_MODEL}
    assert (RunAction.RETRY in offered) == (state is not RunState.SUCCEEDED)


def test_a_run_that_is_being_cancelled_cannot_be_paused() -> None:
    assert actions_for(RunState.RUNNING, RequestedAction.CANCEL) == (RunAction.CLONE,)


def test_a_requested_pause_can_be_taken_back_or_become_a_cancel() -> None:
    offered = actions_for(RunState.RUNNING, RequestedAction.PAUSE)
    assert RunAction.RESUME in offered
    assert RunAction.CANCEL in offered
    assert RunAction.PAUSE not in offered
