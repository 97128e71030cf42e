"""A round that is shared out survives its workers, its messages and its disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.faults.conftest import ON_EACH_DATABASE, ON_ONE, SPEC
from tests.faults.stack import (
    Stack,
    assert_as_undisturbed,
    wait_for_end,
    wait_for_rounds,
)
from tests.waiting import wait_until
from webapp.client import Run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

Lines = list[dict[str, Any]]
#: A part is being stored for less than a millisecond, several times in each of them.
ROUNDS = 60
STEP_S = 0.0003
MOMENT_S = 120.0
SHARED: dict[str, Any] = {
    **SPEC,
    "rounds": ROUNDS,
    "runtime": {"executor": "sequential", "placement": "workers"},
}
TMPFS_BYTES = 4_000_000


@pytest.fixture
def expected(undisturbed: Lines) -> Lines:
    """What the first rounds of the same run in one worker come to."""
    rounds = undisturbed[:ROUNDS]
    return [*rounds, {"metrics": rounds[-1]["metrics"]}]


def parts_of(stack: Stack, run: Run) -> Path:
    return stack.var_dir / "artifacts" / "runs" / str(run.id) / "parts"


def files_in(folder: Path, pattern: str) -> list[str]:
    try:
        return [path.name for path in folder.glob(pattern)]
    except FileNotFoundError:  # removed while we looked
        return []


def kill_when(stack: Stack, condition: Callable[[], object], what: str) -> None:
    """End the worker at the moment that the condition holds; the supervisor starts it again.

    It takes one small step after another, so that no moment is over before it has been looked at.
    """
    pid, step = stack.pids()["worker-1"], Event()

    def has_come() -> object:
        os.kill(pid, signal.SIGCONT)
        step.wait(STEP_S)
        os.kill(pid, signal.SIGSTOP)
        return condition()

    wait_until(has_come, within_s=MOMENT_S, every_s=0, what=what)
    stack.kill("worker-1")


@pytest.mark.fault("SIGKILL of a worker, while it trains, stores and closes a shared round")
def test_a_worker_killed_in_every_phase_of_a_shared_round_loses_nothing(
    stack: Stack, expected: Lines
) -> None:
    with stack.client() as client:
        run = client.submit(name="shared, worker killed", spec=SHARED).runs[0]
        parts = parts_of(stack, run)
        wait_for_rounds(client, run, 1)
        kill_when(stack, lambda: not files_in(parts, "*"), "a part in training")
        kill_when(stack, lambda: files_in(parts, ".*.part"), "a part being stored")
        kill_when(stack, lambda: files_in(parts, "*-1-*.safetensors"), "a round being closed")
        ended = wait_for_end(client, run)
        assert_as_undisturbed(client, ended, expected)
    assert not files_in(parts, "*"), "nothing is left behind"


@ON_EACH_DATABASE
@pytest.mark.fault("every message of a shared round lost")
def test_losing_the_messages_of_a_shared_round_loses_nothing(stack: Stack, expected: Lines) -> None:
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="shared, messages lost", spec=SHARED).runs[0]
            wait_for_rounds(client, run, 2)
            for _ in range(20):  # one of them meets messages that nobody has taken yet
                stack.lose_messages()
        ended = wait_for_end(client, run)
        assert_as_undisturbed(client, ended, expected)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} here")
    return found


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Put a small file system of its own under a folder; yield what fills it to the brim."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(folder)]
    if (
        subprocess.run([_program("mount"), *options], check=False, capture_output=True).returncode
        != 0
    ):
        pytest.skip("a file system can only be mounted by root")
    try:
        filler = folder / "filler"
        _fill(filler)
        yield filler
    finally:
        subprocess.run([_program("umount"), "--lazy", str(folder)], check=True)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as handle, contextlib.suppress(OSError):
        while handle.write(b"\0" * 65536):
            pass


@ON_ONE
@pytest.mark.fault("disk full for parts, checkpoints and the model")
def test_a_full_disk_fails_a_shared_run_and_a_retry_succeeds(stack: Stack, expected: Lines) -> None:
    with stack.client() as client, small_disk(stack.var_dir / "artifacts") as filler:
        run = client.submit(name="shared, disk full", spec=SHARED).runs[0]
        stack.injected += 1
        failed = wait_for_end(client, run)
        assert failed.state == "failed"
        assert failed.failure is not None
        assert failed.failure.code == "disk_full"
        filler.unlink()
        client.control(run.id, "retry")
        assert_as_undisturbed(client, wait_for_end(client, run), expected)


@ON_ONE
@pytest.mark.fault("disk full for checkpoints of a run in one worker")
def test_a_full_disk_fails_a_local_run_at_its_end_and_a_retry_succeeds(
    stack: Stack, undisturbed: Lines
) -> None:
    with stack.client() as client, small_disk(stack.var_dir / "artifacts") as filler:
        run = client.submit(name="disk full", spec=SPEC).runs[0]
        stack.injected += 1
        failed = wait_for_end(client, run)
        assert (failed.state, failed.rounds_done) == ("failed", SPEC["rounds"])
        assert failed.failure is not None
        assert failed.failure.code == "disk_full"
        filler.unlink()
        client.control(run.id, "retry")
        assert_as_undisturbed(client, wait_for_end(client, run), undisturbed)
