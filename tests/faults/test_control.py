"""Pause and cancel act in the middle of a round, and free the processor at once."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

from tests.faults.conftest import ON_EACH_DATABASE, SPEC
from tests.faults.stack import (
    PATIENCE_S,
    Stack,
    assert_as_undisturbed,
    wait_for_end,
    wait_for_rounds,
)
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: One round of this takes minutes, however fast the steps are.
ENDLESS: dict[str, Any] = {**SPEC, "local": {"steps": 10_000_000, "batch_size": 8, "lr": 0.01}}
CANCEL_WITHIN_S = 2.0


@ON_EACH_DATABASE
@pytest.mark.alone
def test_cancel_frees_the_worker_within_two_seconds(stack: Stack) -> None:
    with stack.client() as client:
        endless = client.submit(name="endless", spec=ENDLESS).runs[0]
        wait_until(
            lambda: client.run(endless.id).state == "running",
            within_s=PATIENCE_S,
            every_s=0.1,
            what="the start",
        )
        waiting = client.submit(name="next", spec={"rounds": 1}).runs[0]
        asked = monotonic()
        client.control(endless.id, "cancel")
        wait_until(
            lambda: client.run(waiting.id).state != "queued",
            within_s=30,
            every_s=0.05,
            what="the start of the next run",
        )
        assert monotonic() - asked < CANCEL_WITHIN_S
        cancelled = client.run(endless.id)
        assert (cancelled.state, cancelled.rounds_done) == ("cancelled", 0)
        assert wait_for_end(client, waiting).state == "succeeded"


@ON_EACH_DATABASE
def test_a_paused_and_resumed_run_equals_a_simulation(
    stack: Stack, undisturbed: list[dict[str, Any]]
) -> None:
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="paused", spec=SPEC).runs[0]
            wait_for_rounds(client, run, 1)
            client.control(run.id, "pause")
            wait_until(lambda: client.run(run.id).state != "running", within_s=30, what="the pause")
        paused = client.run(run.id)
        assert paused.state == "paused"
        assert paused.rounds_done < SPEC["rounds"]
        client.control(run.id, "resume")
        ended = wait_for_end(client, run)
        assert_as_undisturbed(client, ended, undisturbed)
