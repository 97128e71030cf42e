"""The pool's processes as seen from outside: start them, talk to them, notice their end."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from fedcore.engine.pool.arena import Arena, Flag
from fedcore.engine.pool.packing import receive, send
from fedcore.environment import Folders
from fedcore.errors import WorkerLostError
from fedcore.spec import RunSpec

log = structlog.get_logger(__name__)

_END_S = 5.0


@dataclass(frozen=True, eq=False)
class Line:
    """The connection to one worker: orders there, answers and an arena of tensors back."""

    orders: Connection
    outbox: Arena


class Processes:
    """A nursery and its workers.

    Starting takes a second or two, most of it for loading torch; meanwhile the caller goes on.

    Attributes:
        stop: Tells workers to give up what they do.
        inbox: Tensors for the workers.
        lines: Connections to the workers.
        pids: Process ids of the workers, once they are ready.
    """

    def __init__(self, spec: RunSpec, folders: Folders, trainer: str, count: int) -> None:
        """Start processes for a run.

        Args:
            spec: What they work on.
            folders: Where data sets are found.
            trainer: Name of the trainer.
            count: How many workers.
        """
        self.stop = Flag.create()
        self.inbox = Arena.create()
        ours, theirs = socket.socketpair()
        pairs = [socket.socketpair() for _ in range(count)]
        self.lines = [Line(Connection(mine.detach()), Arena.create()) for mine, _ in pairs]
        self._control = Connection(ours.detach())
        places = [
            {"orders": their.fileno(), "outbox": line.outbox.descriptor}
            for (_, their), line in zip(pairs, self.lines, strict=True)
        ]
        self._popen = _start(
            {
                "control": theirs.fileno(),
                "stop": self.stop.descriptor,
                "inbox": self.inbox.descriptor,
                "workers": places,
            }
        )
        for end in (theirs, *(their for _, their in pairs)):
            end.close()
        connections = [self._control, *(line.orders for line in self.lines)]
        self._finalizer = weakref.finalize(self, _end, self._popen, connections)
        self._is_ready = False
        self.pids: tuple[int, ...] = ()
        send(
            self._control,
            {
                "spec": spec.model_dump_json(),
                "data": None if folders.data is None else str(folders.data),
                "cache": str(folders.cache),
                "models": None if folders.models is None else str(folders.models),
                "trainer": trainer,
            },
        )

    def is_ready(self, timeout_s: float = 0.0) -> bool:
        """Return whether the workers wait for orders.

        Raises:
            WorkerLostError: If they could not be started.
        """
        if not self._is_ready and self._control.poll(timeout_s):
            try:
                message = receive(self._control)
            except (EOFError, OSError) as error:
                raise self.lost("while starting") from error
            if "failed" in message:
                raise WorkerLostError(f"the training processes did not start: {message['failed']}")
            self._is_ready = True
            self.pids = tuple(message["ready"])
        return self._is_ready

    def lost(self, when: str) -> WorkerLostError:
        """Return the error for a process that has ended by itself, with the reason if known."""
        code = self._exit_code()
        how = {None: "ended", 0: "ended"}.get(code, f"ended with status {code}")
        if code is not None and code < 0:
            how = f"was killed by signal {-code}"
        return WorkerLostError(
            f"a training process {how} {when}",
            exit_code=code,
            fix="Signal 9 usually means that memory ran out; use fewer processes "
            "(runtime.processes) or a smaller model."
            if code == -9  # noqa: PLR2004  (SIGKILL)
            else "Try again; if it happens again, look into the worker's log.",
        )

    def close(self) -> None:
        """End all processes and give the memory back."""
        if self._finalizer.alive:
            if not self._is_ready:  # it loads torch and would not hear us for seconds
                self._popen.kill()
            self._finalizer()
            for arena in (self.inbox, *(line.outbox for line in self.lines)):
                arena.close()
            self.stop.close()

    def _exit_code(self) -> int | None:
        try:
            while self._control.poll(1.0):
                message = receive(self._control)
                if "ended" in message:
                    return int(message["ended"][0][1])
        except (EOFError, OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._popen.wait(_END_S)
        return None


def _start(descriptors: dict[str, object]) -> subprocess.Popen[bytes]:
    """Start the nursery with some open files."""
    return subprocess.Popen(  # noqa: S603  (our own program and nothing from outside)
        [sys.executable, "-m", "fedcore.engine.pool.nursery", json.dumps(descriptors)],
        pass_fds=sorted(_numbers(descriptors.values())),
        stdin=subprocess.DEVNULL,
        stdout=2,  # standard output belongs to the caller's own results
        env=child_environment(),
    )


def child_environment() -> dict[str, str]:
    """Return the environment of a process of ours that uses one processor."""
    # The package may be imported from a folder that is on no path but ours.
    paths = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": "1",
    }


def _numbers(values: Iterable[object]) -> Iterable[int]:
    for value in values:
        if isinstance(value, int):
            yield value
        elif isinstance(value, dict):
            yield from _numbers(value.values())
        elif isinstance(value, list):
            yield from _numbers(value)


def _end(popen: subprocess.Popen[bytes], connections: Iterable[Connection]) -> None:
    """Close the connections, which ends the processes, and wait for that."""
    for connection in connections:
        connection.close()
    try:
        popen.wait(_END_S)
    except subprocess.TimeoutExpired:
        log.warning("training processes did not end and are killed")
        popen.kill()
        popen.wait()
