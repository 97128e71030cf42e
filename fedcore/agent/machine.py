"""What the server may know of the machine that a site computes with."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import torch

from fedcore.sites.base import shortened
from fedcore.sites.messages import Agent, Hardware


def describe_hardware(folder: Path) -> Hardware:
    """Return processors, memory and disk; ``folder`` says which disk."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Hardware(
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=memory,
        disk_free_bytes=shutil.disk_usage(folder).free,
        gpus=tuple(torch.cuda.get_device_name(number) for number in _gpus()),
        system=shortened(f"{platform.system()} {platform.machine()}"),
    )


def describe_agent() -> Agent:
    """Return versions of the program."""
    return Agent(
        version=version("roundhouse"), python=platform.python_version(), torch=torch.__version__
    )


def _gpus() -> range:
    return range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
