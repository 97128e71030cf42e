"""Children start together, are restarted when they die, and never outlive their supervisor."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_until
from workers.supervisor import Service, Supervisor

ROOT = Path(__file__).resolve().parents[2]


def child(pids: Path, *options: str) -> Service:
    command = (sys.executable, "-m", "tests.workers.obedient_child", "--pids", str(pids), *options)
    return Service(f"child-{pids.name}", command)


def lives(pid: int) -> bool:
    try:
        # A zombie has ended; it only waits to be reaped.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def recorded(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().split()] if pids.exists() else []


def wait_until_gone(*pids: int) -> None:
    wait_until(lambda: not any(lives(pid) for pid in pids), within_s=20, what=f"the end of {pids}")


@pytest.fixture
def sentences() -> list[str]:
    return []


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "pids"
    yield file
    for pid in recorded(file):  # only of a test that failed
        if lives(pid):
            os.kill(pid, signal.SIGKILL)


def supervise(services: list[Service], sentences: list[str]) -> Supervisor:
    return Supervisor(services, environment=dict(os.environ), say=sentences.append)


def test_all_services_start_and_say_that_they_are_ready(
    tmp_path: Path, sentences: list[str]
) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    with supervise([child(file) for file in files], sentences) as supervisor:
        wait_until(supervisor.are_all_ready, within_s=20, what="both ready")
        started = [pid for pid in supervisor.pids.values() if pid is not None]
        assert len(set(started)) == 2
    wait_until_gone(*(pid for file in files for pid in recorded(file)))


def test_a_killed_child_is_restarted_and_that_is_said(pids: Path, sentences: list[str]) -> None:
    with supervise([child(pids)], sentences) as supervisor:
        wait_until(supervisor.are_all_ready, within_s=20, what="ready")
        first, grandchild = recorded(pids)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(recorded(pids)) == 4, within_s=20, what="a second start")
        wait_until(supervisor.are_all_ready, within_s=20, what="ready again")
        wait_until_gone(grandchild)  # what a dead child had started must not live on
    assert any("was ended by SIGKILL; restarting" in sentence for sentence in sentences)
    assert any("restarted (pid" in sentence for sentence in sentences)


def test_each_death_makes_the_next_pause_longer(sentences: list[str]) -> None:
    failing = Service("failing", (sys.executable, "-c", "raise SystemExit(3)"))
    with supervise([failing], sentences):
        wait_until(
            lambda: sum("exit code 3" in sentence for sentence in sentences) >= 3,
            within_s=20,
            what="three deaths",
        )
    pauses = [line.rpartition(" in ")[2] for line in sentences if "exit code 3" in line]
    assert pauses[:3] == ["0.2 s", "1.0 s", "2.0 s"]


def test_a_child_that_ignores_the_request_to_stop_is_ended(
    pids: Path, sentences: list[str]
) -> None:
    supervisor = supervise([child(pids, "--stubborn")], sentences)
    supervisor.start()
    wait_until(supervisor.are_all_ready, within_s=20, what="ready")
    supervisor.stop(grace_s=0.3)
    wait_until_gone(*recorded(pids))
    assert any("did not stop in time" in sentence for sentence in sentences)


@pytest.mark.parametrize("options", [(), ("--stubborn",)], ids=["obedient", "stubborn"])
def test_no_child_outlives_a_supervisor_that_is_killed(
    pids: Path, options: tuple[str, ...]
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.workers.supervising_parent", str(pids), *options], cwd=ROOT
    )
    try:
        wait_until(lambda: len(recorded(pids)) == 2, within_s=20, what="the child's start")
    finally:
        parent.kill()
        parent.wait()
    wait_until_gone(*recorded(pids))
