"""Killing any process in the middle of a run changes neither its numbers nor its events.

How a message comes back from a worker that was killed differs from broker to broker, so that is
tried on each; the web server only sends them.
"""

from __future__ import annotations

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

Lines = list[dict[str, Any]]


def test_a_run_that_nothing_happens_to_equals_a_simulation(
    stack: Stack, undisturbed: Lines
) -> None:
    with stack.client() as client:
        run = client.submit(name="undisturbed", spec=SPEC).runs[0]
        ended = wait_for_end(client, run)
        events = assert_as_undisturbed(client, ended, undisturbed)
    assert "recovered" not in {event.kind for event in events}


@pytest.mark.fault("SIGKILL of the worker, in training")
def test_a_worker_killed_again_and_again_loses_nothing(stack: Stack, undisturbed: Lines) -> None:
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="worker killed three times", spec=SPEC).runs[0]
            wait_for_rounds(client, run, 5)
            stack.kill("worker-1")
        killed = stack.worker_ids()
        stack.kill("worker-1")  # while it starts
        wait_until(lambda: stack.worker_ids() - killed, within_s=PATIENCE_S, what="another worker")
        with stack.slowed():
            wait_for_rounds(client, run, client.run(run.id).rounds_done + 1)
            stack.kill("worker-1")
        ended = wait_for_end(client, run)
        events = assert_as_undisturbed(client, ended, undisturbed)
    assert "recovered" in {event.kind for event in events}


@ON_EACH_DATABASE
@pytest.mark.fault("SIGKILL of the web server")
def test_a_killed_web_server_loses_nothing(stack: Stack, undisturbed: Lines) -> None:
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="web killed", spec=SPEC).runs[0]
            wait_for_rounds(client, run, 10)
            stack.kill("web")
        ended = wait_for_end(client, run)
        events = assert_as_undisturbed(client, ended, undisturbed)
    assert "recovered" not in {event.kind for event in events}, "the worker was not disturbed"


@pytest.mark.fault("SIGKILL of everything at once")
def test_killing_everything_at_once_loses_nothing(stack: Stack, undisturbed: Lines) -> None:
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="all killed", spec=SPEC).runs[0]
            wait_for_rounds(client, run, 15)
        stack.kill_supervisor()
        stack.start()
        ended = wait_for_end(client, run)
        assert_as_undisturbed(client, ended, undisturbed)


@ON_EACH_DATABASE
@pytest.mark.fault("stopped and started")
def test_stopping_and_starting_again_loses_nothing(stack: Stack, undisturbed: Lines) -> None:
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="stopped and started", spec=SPEC).runs[0]
            wait_for_rounds(client, run, 15)
        stack.stop()
        stack.start()
        ended = wait_for_end(client, run)
        events = assert_as_undisturbed(client, ended, undisturbed)
    assert "recovered" not in {event.kind for event in events}, "the worker handed its run back"
