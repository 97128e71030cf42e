"""Start a set of processes together, keep them alive, and stop them together.

Every child leads its own process group, so that Ctrl-C in a terminal reaches the supervisor alone
and a child is ended with all that it has started. A lifeline ends the children of a supervisor
that was itself killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Self

from workers.lifeline import Lifeline

POLL_S = 0.1
STOP_GRACE_S = 15.0
BACK_OFF_S = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
#: A child that lived so long has recovered; its next death starts with the shortest pause again.
HEALTHY_AFTER_S = 30.0


@dataclass(frozen=True)
class Service:
    """One process to keep alive: its name and its command, which the two pipes are appended to."""

    name: str
    command: tuple[str, ...]

    @classmethod
    def of(cls, name: str, *arguments: str) -> Service:
        """Return the service that ``python -m workers.child`` is with these arguments."""
        return cls(name, (sys.executable, "-m", "workers.child", *arguments))


class Child:
    """One service's process, over all of its restarts."""

    def __init__(self, service: Service, environment: Mapping[str, str], log: Path | None) -> None:
        self.service = service
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._ready_fd: int | None = None
        self._deaths = 0
        self.is_ready = False
        self.restart_at: float | None = None

    @property
    def pid(self) -> int | None:
        """Process id while the process lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, lifeline_fd: int) -> None:
        """Start the process; it says on a pipe when it is ready."""
        ready_read, ready_write = os.pipe()
        os.set_blocking(ready_read, False)
        pipes = ("--lifeline-fd", str(lifeline_fd), "--ready-fd", str(ready_write))
        with ExitStack() as stack:
            stack.callback(os.close, ready_write)
            output = stack.enter_context(self._log.open("ab")) if self._log else None
            self._process = subprocess.Popen(  # noqa: S603 (our own programs)
                [*self.service.command, *pipes],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                pass_fds=(lifeline_fd, ready_write),
                process_group=0,
            )
        self._close_ready()
        self._ready_fd = ready_read
        self.is_ready = False
        self.restart_at = None
        self._started_at = monotonic()

    def check_ready(self) -> bool:
        """Return whether the process has said that it is ready."""
        if self._ready_fd is not None and not self.is_ready:
            try:
                self.is_ready = bool(os.read(self._ready_fd, 1))
            except BlockingIOError:
                return False
        return self.is_ready

    def reap(self) -> int | None:
        """Return the exit code of a process that has just died, and plan its restart."""
        if self._process is None or self.restart_at is not None:
            return None
        code = self._process.poll()
        if code is None:
            return None
        self.kill()  # what it may have left behind in its group
        self.is_ready = False
        if monotonic() - self._started_at > HEALTHY_AFTER_S:
            self._deaths = 0
        self.restart_at = monotonic() + self.back_off_s
        self._deaths += 1
        return code

    @property
    def back_off_s(self) -> float:
        """How long to wait before the next restart."""
        return BACK_OFF_S[min(self._deaths, len(BACK_OFF_S) - 1)]

    def terminate(self) -> None:
        """Ask the process to stop."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process group at once."""
        self._signal(signal.SIGKILL)

    def wait(self, deadline: float) -> bool:
        """Return whether the process has ended by the deadline."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, deadline - monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Give back what the supervisor holds for this child."""
        self._close_ready()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # the group is empty

    def _close_ready(self) -> None:
        if self._ready_fd is not None:
            os.close(self._ready_fd)
            self._ready_fd = None


class Supervisor:
    """Keeps services alive from ``start`` until ``stop``; also a context manager."""

    def __init__(
        self,
        services: Sequence[Service],
        *,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        log_dir: Path | None = None,
        on_change: Callable[[dict[str, int | None]], None] = lambda _pids: None,
    ) -> None:
        """Prepare; nothing starts yet.

        Args:
            services: What to run, in the order of starting.
            environment: Environment of every child.
            say: Told, in a sentence, of every start, death and restart.
            log_dir: Where each child's output goes; by default the supervisor's own output.
            on_change: Told the process ids by name, whenever one has changed.
        """
        self._children = [
            Child(service, environment, log_dir / f"{service.name}.log" if log_dir else None)
            for service in services
        ]
        self._say = say
        self._on_change = on_change
        self._lifeline = Lifeline()
        self._lock = Lock()
        self._stopping = Event()
        self._watcher = Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start every service and watch over them in the background."""
        for child in self._children:
            child.start(self._lifeline.read_fd)
            self._say(f"{child.service.name} started (pid {child.pid})")
        self._on_change(self.pids)
        self._watcher.start()

    @property
    def pids(self) -> dict[str, int | None]:
        """Process id of each service; None while it waits for its restart."""
        return {child.service.name: child.pid for child in self._children}

    def are_all_ready(self) -> bool:
        """Return whether every service has said that it is ready."""
        with self._lock:
            return all(child.check_ready() for child in self._children)

    def unready(self) -> list[str]:
        """Return the names of the services that have not said that they are ready."""
        with self._lock:
            return [child.service.name for child in self._children if not child.check_ready()]

    def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """Ask all to stop, wait for them, and end what is left."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._watcher.join()
        for child in self._children:
            child.terminate()
        deadline = monotonic() + grace_s
        try:
            late = [child for child in self._children if not child.wait(deadline)]
        except KeyboardInterrupt:  # a second Ctrl-C: do not wait any longer
            late = list(self._children)
        for child in late:
            self._say(f"{child.service.name} did not stop in time and is ended")
        for child in self._children:
            child.kill()
            child.wait(monotonic() + 1.0)
            child.close()
        self._lifeline.close()
        self._on_change(self.pids)

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_S):
            with self._lock:
                for child in self._children:
                    self._tend(child)

    def _tend(self, child: Child) -> None:
        name = child.service.name
        code = child.reap()
        if code is not None and child.restart_at is not None:
            pause_s = child.restart_at - monotonic()
            self._say(f"{name} {describe_exit(code)}; restarting in {pause_s:.1f} s")
            self._on_change(self.pids)
        if child.restart_at is not None and monotonic() >= child.restart_at:
            child.start(self._lifeline.read_fd)
            self._say(f"{name} restarted (pid {child.pid})")
            self._on_change(self.pids)


def describe_exit(code: int) -> str:
    """Return what an exit code says, such as ``was ended by SIGKILL``."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"stopped with exit code {code}"
