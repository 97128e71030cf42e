"""Sending messages to the broker without being held up by it.

A message is a hint, and who sends one has usually just answered somebody. A broker that is away, or
there and silent, is waited for by a thread of its own; the sender waits a moment at most, and not
at all while earlier messages have not left.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Full, Queue

import structlog
from kombu.exceptions import KombuError

#: A broker that is well takes a message in a few milliseconds.
PATIENCE_S = 0.25
#: What waits while the broker is away; the reconciler sends again what finds no room.
MOST_WAITING = 1000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Letter:
    send: Callable[[], object]
    #: What the log says of it.
    about: dict[str, str]
    is_over: threading.Event = field(default_factory=threading.Event)


class Messenger:
    """Carries messages one after another, in the order in which they were handed over."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        """Prepare; the thread starts with the first message of the process."""
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._pid = 0
        self._waiting: Queue[_Letter] = Queue(MOST_WAITING)
        self._is_held_up = False

    def deliver(self, send: Callable[[], object], **about: str) -> None:
        """Have a message sent; return when it is, or when that takes too long.

        Args:
            send: Sends it, or raises what kombu raises.
            about: What it is, for the log.
        """
        letter = _Letter(send, about)
        try:
            self._started().put_nowait(letter)
        except Full:
            log.warning("hint not sent", error="too many wait for the broker", **about)
            return
        if not self._is_held_up and not letter.is_over.wait(self._patience_s):
            self._is_held_up = True

    def _started(self) -> Queue[_Letter]:
        with self._lock:
            if self._pid != os.getpid():  # a fork has no threads
                self._pid = os.getpid()
                self._waiting, self._is_held_up = Queue(MOST_WAITING), False
                work = threading.Thread(
                    target=self._carry, args=(self._waiting,), name="messenger", daemon=True
                )
                work.start()
            return self._waiting

    def _carry(self, waiting: Queue[_Letter]) -> None:
        while True:
            letter = waiting.get()
            try:
                letter.send()
                self._is_held_up = False
            except (KombuError, OSError) as error:
                self._is_held_up = True
                log.warning("hint not sent", error=str(error), **letter.about)
            except Exception:  # the next one may be better
                log.exception("hint not sent", **letter.about)
            finally:
                letter.is_over.set()
