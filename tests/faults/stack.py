"""A whole installation as real processes, started by ``roundhouse up``, for tests that break it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from tests.faults.servers import Servers, lose_messages
from tests.waiting import wait_until
from webapp.client import Client, Run
from webapp.client import Event as RunEvent
from workers.lifeline import Lifeline

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-battery-staple"  # noqa: S105 (of installations that live for a test)
#: Generous: a busy machine is slow, and a test that fails for that says nothing.
PATIENCE_S = 480.0
#: Each question is a request to the server under test; more of them would be part of the load.
POLL_S = 0.1
#: A process that is slowed runs and stands still for so long in turn: often enough to keep a lease
#: of two seconds on a busy machine too, and long enough for its threads to take turns.
RUNS_S, STANDS_S = 0.1, 0.1

#: Short leases and turns, so that what a crash leaves behind is taken up within seconds.
QUICK = {
    "ROUNDHOUSE_LEASE_S": "2",
    "ROUNDHOUSE_SLICE_S": "0.5",
    "ROUNDHOUSE_CHECKPOINT_EVERY_S": "0.5",
    "ROUNDHOUSE_ADMIN_PASSWORD": PASSWORD,
    "ROUNDHOUSE_LOG_FORMAT": "console",
    # A test asks ten times a second whether it is time.
    "ROUNDHOUSE_REQUESTS_PER_MINUTE": "100000",
}


@dataclass
class Stack:
    """``roundhouse up`` in a folder of its own; ``start`` it, break it, ``stop`` it."""

    var_dir: Path
    settings: Mapping[str, str]
    #: What its settings lead to, where a test may disturb that too.
    servers: Servers | None = None
    workers: int = 1
    port: int = 0
    #: How often something was done to it.
    injected: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _token: str | None = field(default=None, init=False)
    #: Ends the installation with the tests, however these end.
    _lifeline: Lifeline = field(default_factory=Lifeline, init=False)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ROUNDHOUSE_")}
        inherited.pop("DJANGO_SETTINGS_MODULE", None)
        own = {"ROUNDHOUSE_VAR_DIR": str(self.var_dir), **QUICK, **self.settings}
        return {**inherited, **own}

    @property
    def site_environment(self) -> dict[str, str]:
        """What a site on this machine has in its environment: nothing of the installation."""
        clean = {k: v for k, v in self.environment.items() if not k.startswith("ROUNDHOUSE_")}
        return {**clean, "PYTHONPATH": str(ROOT)}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start all processes and wait until they are healthy."""
        self.port = self.port or free_port()
        self.var_dir.mkdir(parents=True, exist_ok=True)
        is_new = self._process is None
        if is_new and self.settings["ROUNDHOUSE_MODE"] == "server":  # embedded, `up` does it
            command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(command, cwd=ROOT, env=self.environment, check=True)
        arguments = ["up", "--port", str(self.port), "--workers", str(self.workers)]
        arguments += ["--lifeline-fd", str(self._lifeline.read_fd)]
        with (self.var_dir / "up.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fedcore.cli.main", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(self._lifeline.read_fd,),
            )
        wait_until(self._is_up_or_dead, within_s=PATIENCE_S, what=f"a healthy stack\n{self.log()}")
        assert self._process.poll() is None, f"the stack did not start:\n{self.log()}"

    def stop(self) -> int:
        """Ask the supervisor to stop; return its exit code once everything has ended."""
        assert self._process is not None
        self.injected += 1
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def close(self) -> None:
        """End whatever is left, by id."""
        pids = self.pids()
        if self._process is not None:
            if self._process.poll() is None:
                self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pid in pids.values():
            if is_alive(pid):
                os.killpg(pid, signal.SIGKILL)

    def pids(self) -> dict[str, int]:
        """Process ids by name, of those that run now; empty when nothing is up."""
        try:
            state = json.loads((self.var_dir / "up.json").read_text())
        except FileNotFoundError:
            return {}
        return {name: pid for name, pid in state["pids"].items() if pid is not None}

    def kill(self, name: str) -> None:
        """End a process with SIGKILL and wait until the supervisor has started it again."""
        self.injected += 1
        before = self.pids()[name]
        os.kill(before, signal.SIGKILL)
        wait_until(
            lambda: self.pids().get(name, before) != before,
            within_s=PATIENCE_S,
            what=f"the restart of {name}\n{self.log()}",
        )

    @contextmanager
    def slowed(self, name: str = "worker-1") -> Iterator[None]:
        """Let a process work for half of the time; who takes its place when it dies works on."""
        with slowed(self.pids()[name]):
            yield

    def worker_ids(self) -> set[str]:
        """Ids of all workers that have said that they are there, dead ones among them."""
        with self.client() as client:
            headers = {"Authorization": f"Bearer {client.token}"}
        answer = httpx.get(f"{self.url}/api/v1/workers/", headers=headers, timeout=60)
        return {row["id"] for row in answer.raise_for_status().json()["workers"]}

    def kill_supervisor(self) -> None:
        """End the supervisor with SIGKILL and wait until its children have gone with it."""
        assert self._process is not None
        self.injected += 1
        pids = self.pids()
        self._process.kill()
        self._process.wait()
        wait_until(
            lambda: not any(is_alive(pid) for pid in pids.values()),
            within_s=60,
            what="the end of all processes",
        )

    def lose_messages(self) -> None:
        """Empty the broker, and Redis where there is one."""
        self.injected += 1
        lose_messages(self.settings, self.var_dir)

    def restart_server(self, name: str, *, while_down: Callable[[], object]) -> None:
        """Crash a server of the installation's own, and start it again after an action."""
        server = self.servers.own.get(name) if self.servers else None
        if server is None:
            pytest.skip(f"there is no {name} on this machine that could be restarted")
        server.crash()
        self.injected += 1
        try:
            while_down()
        finally:
            server.start()

    def client(self) -> Client:
        """Return a client that is signed in as the administrator."""
        if self._token is None:
            with Client(self.url) as client:
                self._token = client.create_token(
                    username="admin", password=PASSWORD, name="faults", expires_in_days=1
                ).token
        return Client(self.url, self._token)

    def log(self) -> str:
        """The last lines that the processes have written."""
        file = self.var_dir / "up.log"
        return (
            "\n".join(file.read_text(errors="replace").splitlines()[-40:]) if file.exists() else ""
        )

    def _is_up_or_dead(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            return True
        return "ready at" in self.log()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def slowed(pid: int) -> Iterator[None]:
    """Let a process work for half of the time, so that its run lasts until a test has acted."""
    is_over = Event()

    def slow() -> None:
        with suppress(ProcessLookupError):
            while not is_over.wait(RUNS_S):
                os.kill(pid, signal.SIGSTOP)
                is_over.wait(STANDS_S)
                os.kill(pid, signal.SIGCONT)

    brake = Thread(target=slow, name=f"slows {pid}")
    brake.start()
    try:
        yield
    finally:
        is_over.set()
        brake.join()


def simulate(spec: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Return the lines of ``roundhouse simulate --json``: what an undisturbed run comes to."""
    file = folder / "spec.json"
    file.write_text(json.dumps(spec))
    done = subprocess.run(
        [sys.executable, "-m", "fedcore.cli.main", "simulate", str(file), "--json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def wait_for_rounds(client: Client, run: Run, rounds: int) -> None:
    """Wait until so many rounds are recorded and the run still goes on; best on a slowed worker."""
    wait_until(
        lambda: client.run(run.id).rounds_done >= rounds,
        within_s=PATIENCE_S,
        every_s=POLL_S,
        what=f"{rounds} rounds of {run.name}",
    )
    assert not client.run(run.id).is_final, "the run ended before it could be disturbed"


def wait_for_end(client: Client, run: Run) -> Run:
    """Wait until the run has ended, also across restarts of the web server."""
    wait_until(
        lambda: client.is_ready() and client.run(run.id).is_final,
        within_s=PATIENCE_S,
        every_s=3 * POLL_S,
        what=f"the end of {run.name}",
    )
    return client.run(run.id)


def assert_as_undisturbed(
    client: Client, run: Run, expected: list[dict[str, Any]]
) -> list[RunEvent]:
    """Check that a run came to exactly what ``simulate`` came to, each event once and in order."""
    *rounds, final = expected
    assert run.state == "succeeded", run.failure
    assert run.latest_metrics == final["metrics"]
    recorded = client.rounds(run.id)
    assert [(row.round, row.metrics) for row in recorded] == [
        (line["round"], line["metrics"]) for line in rounds
    ]
    sizes = [(row.bytes_up, row.bytes_down, row.participants) for row in recorded]
    assert sizes == [(r["bytes_up"], r["bytes_down"], r["participants"]) for r in rounds]

    events = list(client.all_events(run.id))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert run.last_seq == len(events)
    told = [event.data["round"] for event in events if event.kind == "round_finished"]
    assert told == [line["round"] for line in rounds]
    return events


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
