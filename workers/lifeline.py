"""A pipe that ties a child's life to its supervisor's, on every Unix.

The supervisor holds the only write end. When it dies, however it dies, the read end reports the
end of the file; the child then stops as if asked to, and by force if that takes too long. This
needs no cooperation of a supervisor that was killed, and unlike Linux' PR_SET_PDEATHSIG it lets
the child finish its batch and give back its run.
"""

from __future__ import annotations

import os
import signal
from threading import Event, Thread

GRACE_S = 10.0


class Lifeline:
    """The supervisor's side; ``read_fd`` is what children inherit."""

    def __init__(self) -> None:
        # Neither end is inherited by accident: a child that held the write end would keep its
        # siblings alive for ever.
        self.read_fd, self._write_fd = os.pipe()

    def close(self) -> None:
        """Let every child know that the supervisor is gone."""
        os.close(self._write_fd)
        os.close(self.read_fd)


def hold_on_to(read_fd: int, *, grace_s: float = GRACE_S) -> None:
    """Stop this process and its group once the other end of the pipe is closed."""
    Thread(target=_watch, args=(read_fd, grace_s), name="lifeline", daemon=True).start()


def _watch(read_fd: int, grace_s: float) -> None:
    while os.read(read_fd, 1):
        pass
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        os.kill(os.getpid(), signal.SIGTERM)
        Event().wait(grace_s)  # a process that stops in time never comes back from here
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with everything that this process has started
    os.kill(os.getpid(), signal.SIGKILL)
