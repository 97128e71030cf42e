"""The processes of one machine: a web server, run workers and an upkeep worker."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

from webapp.client import Client
from workers.supervisor import Service, Supervisor

START_TIMEOUT_S = 120.0
MAX_LOG_BYTES = 10_000_000
STATE_FILE = "up.json"


class StackError(Exception):
    """The processes cannot be started; the message says what to do."""


@dataclass(frozen=True)
class Stack:
    """What to start, and where it is reached and keeps its files."""

    host: str
    port: int
    workers: int
    var_dir: Path

    @property
    def url(self) -> str:
        """Address for a browser on this machine, even when listening on all addresses."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def log_dir(self) -> Path:
        """Where each process writes its log when not to the terminal."""
        return self.var_dir / "logs"

    def services(self) -> list[Service]:
        """Return the processes, the web server first: it is what people wait for."""
        web = Service.of("web", "web", "--host", self.host, "--port", str(self.port))
        trainers = [
            Service.of(name, "worker", "--name", name, "--queues", "cpu")
            for name in (f"worker-{number}" for number in range(1, self.workers + 1))
        ]
        return [
            web,
            *trainers,
            Service.of("upkeep", "worker", "--name", "upkeep", "--queues", "upkeep"),
        ]


@contextmanager
def running(
    stack: Stack, *, say: Callable[[str], None], log_dir: Path | None
) -> Iterator[Supervisor]:
    """Run all processes until the block ends; they are healthy when it begins.

    Raises:
        StackError: If the port is taken or a process does not become healthy.
    """
    _check_port(stack)
    if log_dir is not None:
        _prepare_logs(log_dir, stack)
    state = stack.var_dir / STATE_FILE
    supervisor = Supervisor(
        stack.services(),
        environment=dict(os.environ),
        say=say,
        log_dir=log_dir,
        on_change=lambda pids: _write_state(state, stack, pids),
    )
    try:
        with supervisor:
            _wait_until_healthy(supervisor, stack, log_dir)
            yield supervisor
    finally:
        state.unlink(missing_ok=True)


def free_port(host: str, preferred: int) -> int:
    """Return the preferred port if it is free, else one that the system picks."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StackError(f"no port is free on {host}")


def _check_port(stack: Stack) -> None:
    family = socket.AF_INET6 if ":" in stack.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((stack.host, stack.port))
        except OSError as error:
            raise StackError(
                f"cannot listen on {stack.host}:{stack.port}: {error.strerror}; "
                "choose another with --port or ROUNDHOUSE_PORT"
            ) from error


def _wait_until_healthy(supervisor: Supervisor, stack: Stack, log_dir: Path | None) -> None:
    pause = Event()
    deadline = monotonic() + START_TIMEOUT_S
    with Client(stack.url) as client:
        while not (supervisor.are_all_ready() and client.is_ready()):
            if monotonic() > deadline:
                missing = ", ".join(supervisor.unready()) or "the health check"
                where = f"; see {log_dir}" if log_dir else ""
                raise StackError(f"not healthy after {START_TIMEOUT_S:.0f} s: {missing}{where}")
            pause.wait(0.1)


def _prepare_logs(log_dir: Path, stack: Stack) -> None:
    """Make the folder, and put aside a log that has grown large."""
    log_dir.mkdir(parents=True, exist_ok=True)
    for service in stack.services():
        file = log_dir / f"{service.name}.log"
        if file.exists() and file.stat().st_size > MAX_LOG_BYTES:
            file.replace(file.with_suffix(".old.log"))


def _write_state(file: Path, stack: Stack, pids: dict[str, int | None]) -> None:
    """Leave a note of what runs, for people and for tests."""
    content = {"url": stack.url, "supervisor": os.getpid(), "pids": pids}
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(file)
