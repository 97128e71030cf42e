"""A time of day that a test can set: what the processes of an installation are told it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """Moves the time of day of the processes that are started with its ``environment``."""

    def __init__(self, folder: Path) -> None:
        """Make a clock that is right; its files, in the folder, can be read by every user."""
        self._file = folder / "clock"
        self._library = folder / "clock.so"
        self._moved_by_s = 0
        self.jump(0)
        compiler = shutil.which("cc")
        self.can_jump = compiler is not None
        if compiler is not None:
            build = [compiler, "-shared", "-fPIC", "-O1", "-o", str(self._library), str(_SOURCE)]
            subprocess.run([*build, "-ldl"], check=True)

    @property
    def environment(self) -> dict[str, str]:
        if not self.can_jump:
            return {}
        return {"LD_PRELOAD": str(self._library), "FAULTS_CLOCK": str(self._file)}

    def jump(self, seconds: int) -> None:
        """Set the clock forward, or back, for all of them at once."""
        self._moved_by_s += seconds
        content = self._moved_by_s.to_bytes(8, "little", signed=True)
        # In place and at once: processes have the file mapped.
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.pwrite(handle, content, 0)
        finally:
            os.close(handle)

    def set_right(self) -> None:
        self.jump(-self._moved_by_s)
