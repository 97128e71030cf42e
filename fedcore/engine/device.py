"""Where a run computes, and with how many threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fedcore.errors import DeviceError


def choose_device(wanted: str) -> torch.device:
    """Return the device for ``auto``, ``cpu`` or ``cuda``.

    Raises:
        DeviceError: If it is not there.
    """
    has_cuda = torch.cuda.is_available()
    if wanted == "cuda" and not has_cuda:
        raise DeviceError(
            "this machine has no CUDA device that torch can use",
            field="runtime.device",
            fix="Set runtime.device to auto or cpu, or run on a machine with a GPU.",
        )
    return torch.device("cuda" if wanted != "cpu" and has_cuda else "cpu")


def num_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread inside the block.

    Sums over several threads are grouped by their number, so the last digits of a run would depend
    on the machine it runs on. One thread makes a run the same on two cores and on sixty-four, and
    the same alone and as one of several worker processes. Several clients at a time, each on one
    thread, use several cores better than several threads for one client do.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
