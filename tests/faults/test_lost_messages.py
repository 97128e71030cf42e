"""A broker or Redis that forgets everything changes neither the numbers nor the events of a run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.conftest import SPEC
from tests.faults.stack import Stack, assert_as_undisturbed, wait_for_end, wait_for_rounds

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

Lines = list[dict[str, Any]]


@pytest.mark.fault("every message lost while a run trains")
def test_losing_every_message_in_the_middle_loses_nothing(stack: Stack, undisturbed: Lines) -> None:
    """One worker and two runs: one trains, and the message of the other is what gets lost."""
    with stack.client() as client:
        with stack.slowed():
            runs = [client.submit(name=f"messages lost {n}", spec=SPEC).runs[0] for n in (1, 2)]
            for rounds in (12, 16, 20):
                wait_for_rounds(client, runs[0], rounds)
                stack.lose_messages()
        for run in runs:
            ended = wait_for_end(client, run)
            assert_as_undisturbed(client, ended, undisturbed)


@pytest.mark.fault("the only message of a run lost")
def test_a_run_whose_only_message_was_lost_is_started_all_the_same(
    stack: Stack, undisturbed: Lines
) -> None:
    with stack.client() as client:
        with stack.slowed():
            busy = client.submit(name="keeps the worker busy", spec=SPEC).runs[0]
            run = client.submit(name="never announced", spec=SPEC).runs[0]
            stack.lose_messages()
        for each in (busy, run):
            ended = wait_for_end(client, each)
            assert_as_undisturbed(client, ended, undisturbed)
