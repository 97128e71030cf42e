"""The process that makes and watches the workers; run with ``python -m``.

It loads torch and the data once and forks, so workers start in milliseconds and share that memory.
It is a program of its own rather than a fork of the caller, because the caller may have threads,
which a fork would tear apart, and because its main module, whatever that is, is not run again.

Workers live exactly as long as the caller wants them: when the caller closes the connection or
dies, the nursery kills them and ends; when the nursery dies, the system kills them.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

import torch

from fedcore.clients.trainer import Trainer
from fedcore.engine.context import RunContext, build_context
from fedcore.engine.pool.arena import Arena, Flag
from fedcore.engine.pool.lifetime import die_with
from fedcore.engine.pool.packing import Packed, receive, send
from fedcore.engine.pool.worker import Desk, Worker
from fedcore.engine.trainers import trainer_named
from fedcore.environment import Folders
from fedcore.errors import FedcoreError
from fedcore.spec import RunSpec

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEEP_BYTES = 1 << 30


def main() -> None:
    """Build the run, fork the workers, watch them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, which tells us
    torch.set_num_threads(1)
    descriptors = json.loads(sys.argv[1])
    control = Connection(descriptors["control"])
    try:
        request = receive(control)
        context, trainer = _build(request)
    except EOFError:
        return
    except FedcoreError as error:
        send(control, {"failed": str(error)})
        return
    keep_freed_memory()
    # All that is here stays to the end; looking through it for garbage takes a tenth of a second.
    gc.freeze()
    children = _fork(context, trainer, descriptors, control)
    send(control, {"ready": list(children), "fingerprint": context.dataset.fingerprint})
    _watch(control, children)


def _build(request: dict[str, Packed]) -> tuple[RunContext, Trainer]:
    folders = Folders(
        data=None if request["data"] is None else Path(request["data"]),
        cache=Path(request["cache"]),
        models=None if request["models"] is None else Path(request["models"]),
    )
    context = build_context(RunSpec.model_validate_json(request["spec"]), folders)
    return context, trainer_named(request["trainer"], context, folders)


def _fork(
    context: RunContext, trainer: Trainer, descriptors: dict[str, Packed], control: Connection
) -> list[int]:
    """Start the workers and return their process ids."""
    stop, inbox = Flag(descriptors["stop"]), Arena(descriptors["inbox"])
    places = descriptors["workers"]
    nursery = os.getpid()
    children = []
    for place in places:
        child = os.fork()
        if child == 0:
            # A socket reports its end only when all copies of the other side are closed.
            control.close()
            for other in places:
                if other is not place:
                    os.close(other["orders"])
            desk = Desk(Connection(place["orders"]), stop, inbox, Arena(place["outbox"]))
            _work(nursery, Worker(context, trainer, desk))
        children.append(child)
    for place in places:
        os.close(place["orders"])
    return children


def _work(nursery: int, worker: Worker) -> NoReturn:
    """Be a worker, and nothing of what this process was before."""
    status = 1
    try:
        die_with(nursery)
        worker.serve()
        status = 0
    finally:
        os._exit(status)  # the nursery's own clean-up is not ours to run


def _watch(control: Connection, children: list[int]) -> None:
    """Report the death of a worker; end all when the caller is gone."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    living = set(children)
    while living:
        ended = _reap(living)
        if ended:
            send(control, {"ended": ended})
        readable, _, _ = select.select([control.fileno(), reader], [], [])
        if reader in readable:
            os.read(reader, 64)
        if control.fileno() in readable:
            break
    for child in living:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _reap(living: set[int]) -> list[list[int]]:
    """Return process id and wait status of the workers that have ended."""
    ended = []
    for child in list(living):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            living.discard(pid)
            ended.append([pid, os.waitstatus_to_exitcode(status)])
    return ended


def keep_freed_memory() -> None:
    """Let this process's allocator keep what is freed, for the next step needs the same again.

    Giving large blocks back to the system and getting them again, page by page and zeroed, takes a
    fifth of the time of a convolutional network's steps.
    """
    allocator = ctypes.CDLL(None)
    if hasattr(allocator, "mallopt"):
        allocator.mallopt(_M_MMAP_THRESHOLD, _KEEP_BYTES)
        allocator.mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)


if __name__ == "__main__":
    main()
    os._exit(0)  # all is said, and somebody waits: taking torch apart takes a second
