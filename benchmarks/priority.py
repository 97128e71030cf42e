"""Measuring on a machine that does other work: ahead of it, where the system lets us.

Linux shares the processors out between sessions before it looks at the processes in them
(autogroups), so ``nice`` alone puts a process ahead of its own session and of nobody else.
"""

from __future__ import annotations

from pathlib import Path

_AHEAD = "-19"


def get_ahead(pid: int | None = None) -> None:
    """Put the session of a process, or our own, ahead of all others; only root may."""
    try:
        _group(pid).write_text(_AHEAD)
    except OSError:
        return  # `is_ahead` tells, and so does every table


def is_ahead() -> bool:
    """Return whether our session is ahead of all others."""
    try:
        return _group(None).read_text().split()[-1] == _AHEAD
    except (OSError, IndexError):
        return False


def _group(pid: int | None) -> Path:
    return Path(f"/proc/{'self' if pid is None else pid}/autogroup")
