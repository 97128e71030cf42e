"""Saying that this process is there: what it serves, on which hardware, and how busy it is."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any
from uuid import UUID

import structlog
from celery import bootsteps
from django.db import DatabaseError, connection

from webapp.jobs import services
from webapp.jobs.clock import database_now
from webapp.jobs.services import WorkerReport

log = structlog.get_logger(__name__)

INTERVAL_S = 10.0
_MIB = 1024 * 1024
_SMI = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")

_lock = Lock()
_run_id: UUID | None = None


@contextmanager
def working_on(run_id: UUID) -> Iterator[None]:
    """Note which run this process works on, for the next report."""
    global _run_id  # noqa: PLW0603 (a process has one task thread, and the reporter reads it)
    with _lock:
        _run_id = run_id
    try:
        yield
    finally:
        with _lock:
            _run_id = None


class Presence:
    """A thread that reports this process until it is stopped."""

    def __init__(self, name: str, queues: Sequence[str], *, interval_s: float = INTERVAL_S) -> None:
        self.report = WorkerReport(
            name=name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version("roundhouse"),
            queues=tuple(queues),
            hardware=hardware(),
            started_at=database_now(),
        )
        self._interval_s = interval_s
        self._ended = Event()
        self._thread = Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self) -> None:
        """Report no more, and take the row away: the process ends as it should."""
        self._ended.set()
        self._thread.join(timeout=2.0)

    def say(self) -> None:
        """Report once."""
        with _lock:
            run_id = _run_id
        services.report_worker(report=self.report, load=load(), run_id=run_id, now=database_now())

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self._attempt(self.say)
                self._ended.wait(self._interval_s)
            self._attempt(lambda: services.forget_worker(worker_id=self.report.id))
        finally:
            connection.close()

    @staticmethod
    def _attempt(act: Any) -> None:
        try:
            act()
        except DatabaseError as error:
            # The next report comes soon; until then the process counts as silent.
            log.warning("presence not reported", reason=str(error))
            connection.close()


class PresenceStep(bootsteps.StartStopStep):
    """Reports a worker from its start to its stop."""

    requires = ("celery.worker.components:Pool",)
    presence: Presence | None = None

    def start(self, parent: Any) -> None:
        """Start to report."""
        queues = sorted(queue.name for queue in parent.app.amqp.queues.consume_from.values())
        self.presence = Presence(parent.hostname.partition("@")[0], queues)
        self.presence.start()

    def stop(self, parent: Any) -> None:
        """Report no more."""
        del parent
        if self.presence is not None:
            self.presence.stop()
            self.presence = None

    terminate = stop


@cache
def hardware() -> dict[str, Any]:
    """Return the processors, memory in bytes and graphics cards of this machine."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "processor": platform.machine(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpus": _gpus(),
    }


def _gpus() -> list[dict[str, Any]]:
    """Return name and memory of each card; asked of the driver, so that torch is not loaded."""
    try:
        done = subprocess.run(  # noqa: S603 (a fixed command)
            _SMI, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    cards = (line.rpartition(",") for line in done.stdout.splitlines() if "," in line)
    return [
        {"name": name.strip(), "memory_bytes": int(mib) * _MIB}
        for name, _, mib in cards
        if mib.strip().isdecimal()
    ]


def load() -> dict[str, Any]:
    """Return how busy this machine is now: processes that want a processor, and free memory."""
    return {
        "load_1m": round(os.getloadavg()[0], 2),
        "memory_available_bytes": _available_memory(),
    }


def _available_memory() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((int(field[1]) * 1024 for field in fields), None)
