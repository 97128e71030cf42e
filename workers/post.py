"""The post office of the upkeep worker: sends notices, to each receiver in a thread of its own.

A receiver that takes seconds not to answer holds up neither another receiver nor what the worker
repairs. After a failure a receiver is left alone until its next notice is due.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import structlog
from celery import bootsteps
from django.db import DatabaseError, connection

from webapp.jobs import services
from webapp.jobs.clock import database_now
from webapp.jobs.services import NoticeRow, Receiver
from workers.notices import send_notice

log = structlog.get_logger(__name__)

INTERVAL_S = 5.0


class Post:
    """A thread that looks what is to be sent, and one for each receiver that is sent something."""

    def __init__(
        self, send: Callable[[NoticeRow], None] = send_notice, *, interval_s: float = INTERVAL_S
    ) -> None:
        """Prepare; ``send`` delivers a notice or raises."""
        self._send = send
        self._interval_s = interval_s
        self._ended = Event()
        self._rounds: dict[Receiver, Thread] = {}
        self._thread = Thread(target=self._run, name="post", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; what is being sent to somebody slow is sent again by the next one."""
        self._ended.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                try:
                    for receiver in services.receivers_due(now=database_now()):
                        self._visit(receiver)
                except DatabaseError as error:
                    log.warning("post not looked after", reason=str(error))
                    connection.close()
                self._ended.wait(self._interval_s)
        finally:
            connection.close()

    def _visit(self, receiver: Receiver) -> None:
        """Let a thread go to a receiver, unless one is there already."""
        known = self._rounds.get(receiver)
        if known is None or not known.is_alive():
            thread = Thread(target=self._deliver, args=(receiver,), name="postman", daemon=True)
            self._rounds[receiver] = thread
            thread.start()

    def _deliver(self, receiver: Receiver) -> None:
        """Send what is due to a receiver, until all is sent or it fails once."""
        try:
            while not self._ended.is_set() and services.send_next_notice(
                receiver=receiver, send=self._send, now=database_now()
            ):
                pass
        except DatabaseError as error:
            log.warning("notices wait for the database", reason=str(error))
        finally:
            connection.close()


class PostStep(bootsteps.StartStopStep):
    """Starts and stops the post office together with its worker."""

    requires = ("celery.worker.components:Pool",)
    post: Post | None = None

    def start(self, parent: Any) -> None:
        """Open it."""
        del parent
        self.post = Post()
        self.post.start()

    def stop(self, parent: Any) -> None:
        """Close it."""
        del parent
        if self.post is not None:
            self.post.stop()
            self.post = None

    terminate = stop
