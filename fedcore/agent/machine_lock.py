"""Two agents of one site would do its tasks twice and overwrite each other's files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fedcore.agent.config import ConfigError
from fedcore.agent.private_files import make_private_folder


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold the state folder as long as the block lasts; a process that dies lets go of it.

    Raises:
        ConfigError: If another agent holds it.
    """
    make_private_folder(state_dir)
    descriptor = os.open(state_dir / "agent.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"another agent of this site runs already, in {state_dir}",
                field="state_dir",
                fix="Stop it first, or give each site a state folder of its own.",
            ) from error
        yield
    finally:
        os.close(descriptor)
