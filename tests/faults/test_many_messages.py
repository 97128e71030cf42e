"""More messages than needed, and more runs than anybody can train at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.faults.conftest import ON_EMBEDDED_AND_REDIS, ON_REDIS, SPEC
from tests.faults.stack import (
    PATIENCE_S,
    ROOT,
    Stack,
    assert_as_undisturbed,
    simulate,
    slowed,
    wait_for_end,
    wait_for_rounds,
)
from tests.waiting import wait_until
from webapp.client import Client, Run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

Lines = list[dict[str, Any]]

NUM_RUNS = 200
TINY: dict[str, Any] = {
    "rounds": 2,
    "dataset": {"kind": "digits"},
    "partition": {"kind": "iid", "clients": 2},
    "model": {"kind": "linear"},
    "local": {"steps": 2, "batch_size": 8},
    "sampling": {"kind": "full"},
    "runtime": {"executor": "sequential"},
}
_SEND = """
import sys
from webapp.celery import app
print("ready", flush=True)
for line in sys.stdin:
    for _ in range({copies}):
        app.send_task("runs.advance", args=[line.strip()], queue="cpu")
    print("sent", flush=True)
"""
COPIES = 5


@contextmanager
def second_worker(stack: Stack) -> Iterator[int]:
    """Run one more worker beside the installation's; yield its process id."""
    log = stack.var_dir / "second-worker.log"
    command = [sys.executable, "-m", "fedcore.cli.main", "worker", "--name", "second"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=stack.environment, stdin=subprocess.DEVNULL, stderr=output
        )
    try:
        wait_until(
            lambda: "second is ready" in log.read_text(errors="replace"),
            within_s=PATIENCE_S,
            what="a second worker",
        )
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def copies_of_messages(stack: Stack) -> Iterator[Callable[[Run], None]]:
    """Yield what delivers a run's message so many times more, at once."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SEND.format(copies=COPIES)],
        cwd=ROOT,
        env=stack.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    assert process.stdout.readline() == "ready\n"

    def send(run: Run) -> None:
        print(run.id, file=process.stdin, flush=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "sent\n"
        stack.injected += COPIES

    try:
        yield send
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


@ON_EMBEDDED_AND_REDIS
@pytest.mark.fault("a task delivered several times, to two workers")
def test_a_task_that_is_delivered_again_and_again_is_done_once(
    stack: Stack, undisturbed: Lines
) -> None:
    # All is up before the run begins, which takes only seconds.
    with (
        second_worker(stack) as second,
        copies_of_messages(stack) as send,
        stack.client() as client,
    ):
        with stack.slowed(), slowed(second):
            run = client.submit(name="delivered several times", spec=SPEC).runs[0]
            for rounds in (1, 20, 40):
                wait_for_rounds(client, run, rounds)
                send(run)
        ended = wait_for_end(client, run)
        send(run)  # and when all is over
        events = assert_as_undisturbed(client, ended, undisturbed)
        assert "recovered" not in {event.kind for event in events}, "nobody was taken for dead"
        after = client.submit(name="after the copies", spec=TINY).runs[0]
        assert wait_for_end(client, after).state == "succeeded"
        assert client.run(run.id) == ended, "the copies have changed nothing"


@ON_REDIS
@pytest.mark.fault(f"{NUM_RUNS} runs submitted at once")
def test_runs_that_are_submitted_at_once_all_end_as_one_would(
    stack: Stack, common_folder: Path
) -> None:
    *rounds, final = simulate(TINY, common_folder)

    with stack.client() as client, ThreadPoolExecutor(8) as pool:

        def submit(number: int) -> UUID:
            return client.submit(name=f"at once {number}", spec=TINY).runs[0].id

        run_ids = list(pool.map(submit, range(NUM_RUNS)))
        stack.injected += NUM_RUNS
        assert len(set(run_ids)) == NUM_RUNS
        wait_until(
            lambda: not _unfinished(client),
            within_s=PATIENCE_S,
            every_s=1.0,
            what=f"the end of {NUM_RUNS} runs",
        )
        ended = [run for run in client.runs(limit=2 * NUM_RUNS) if run.id in run_ids]
        states = {(run.state, run.rounds_done, run.latest_metrics["loss"]) for run in ended}
        assert states == {("succeeded", TINY["rounds"], final["metrics"]["loss"])}
        # On a busy machine a worker may be taken for dead, which is an event more.
        fewest = min(run.last_seq for run in ended)
        others = [run for run in ended if run.last_seq != fewest]
        for run in [*ended[:: NUM_RUNS // 10], *others]:
            assert_as_undisturbed(client, run, [*rounds, final])


def _unfinished(client: Client) -> list[Run]:
    states = ("queued", "starting", "running", "paused")
    return [run for state in states for run in client.runs(limit=1, state=state)]
