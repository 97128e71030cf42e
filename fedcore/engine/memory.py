"""Whether a run fits into memory, asked before anything large is allocated."""

from __future__ import annotations

from pathlib import Path

import torch

from fedcore.errors import ModelTooLargeError
from fedcore.params import Layout
from fedcore.spec import RunSpec

BYTES_PER_NUMBER = 4
#: Vectors as long as the model: global model, running mean, and a client's weights, gradient and
#: update; some kilobytes of activations come on top.
MODEL_COPIES = 5
_MEMINFO = Path("/proc/meminfo")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_CGROUP_USE = Path("/sys/fs/cgroup/memory.current")
_SLOTS = {"sgd": 0, "adam": 3, "adamw": 3}


def needed_bytes(layout: Layout, spec: RunSpec) -> int:
    """Return the peak memory that training this model takes, without data and activations."""
    slots = _SLOTS[spec.local.optimizer] + (spec.local.momentum > 0)
    if spec.holds_individual_updates:
        slots += spec.sampling.cohort_size(spec.partition.clients)
    kept = spec.compression.vectors_per_client + spec.algorithm.vectors_per_client
    slots += kept * spec.partition.clients
    return layout.total * BYTES_PER_NUMBER * (MODEL_COPIES + slots)


def available_bytes(device: torch.device) -> int | None:
    """Return how much memory is free on a device, or None where that cannot be told."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    limits = [limit for limit in (_free_on_machine(), _free_in_cgroup()) if limit is not None]
    return min(limits, default=None)


def check_memory(layout: Layout, spec: RunSpec, device: torch.device, num_frozen: int) -> None:
    """Refuse a model that cannot be trained in the memory that is free now.

    Args:
        layout: What is trained.
        spec: The run.
        device: Where it computes.
        num_frozen: Numbers of the model that are not trained; they are in memory once.

    Raises:
        ModelTooLargeError: If it cannot.
    """
    needed = needed_bytes(layout, spec) + num_frozen * BYTES_PER_NUMBER
    available = available_bytes(device)
    if available is not None and needed > available:
        raise ModelTooLargeError(
            f"training {layout.total:,} parameters"
            f"{_beside(num_frozen)} takes about {_gigabytes(needed)} of memory, "
            f"and {_gigabytes(available)} are free",
            field="model",
            fix="Use a smaller model, or a machine with more memory.",
            needed_bytes=needed,
            available_bytes=available,
        )


def _beside(num_frozen: int) -> str:
    return f" beside {num_frozen:,} frozen ones" if num_frozen else ""


def _free_on_machine() -> int | None:
    for line in _lines(_MEMINFO):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _free_in_cgroup() -> int | None:
    limit, used = _lines(_CGROUP_LIMIT), _lines(_CGROUP_USE)
    if not limit or not used or not limit[0].isdigit():
        return None
    return max(0, int(limit[0]) - int(used[0]))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except OSError:
        return []


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
