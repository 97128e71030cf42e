"""Keeps a run, or a part of a round, while the engine trains; hears at once what users ask."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from typing import Self

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from webapp.jobs import services
from webapp.jobs.services import ChunkLease, Lease, LeaseLostError
from webapp.jobs.states import RequestedAction
from workers.stopping import is_stopping

log = structlog.get_logger(__name__)

INTERVAL_S = 0.4


class Heartbeat:
    """A thread that renews the lease every ``INTERVAL_S``; a context manager.

    A lease that could not be renewed for its whole length is taken as lost even when nobody can
    be asked: another worker may have the run by then.
    """

    def __init__(self, renew: Callable[[], RequestedAction], *, lease_s: float) -> None:
        """Prepare; ``renew`` renews the lease and returns what the user asks for."""
        self._renew = renew
        self._lease_s = lease_s
        self._requested = RequestedAction.NONE
        self._lost = False
        self._ended = Event()
        self._news = Event()
        self._thread = Thread(target=self._beat, name="heartbeat", daemon=True)

    @classmethod
    def of_run(cls, lease: Lease, *, lease_s: float) -> Self:
        """Return one that keeps a run."""
        return cls(lambda: services.renew_lease(lease=lease).requested, lease_s=lease_s)

    @classmethod
    def of_chunk(cls, lease: ChunkLease, *, lease_s: float) -> Self:
        """Return one that keeps a part of a round, for as long as it is wanted."""
        return cls(lambda: services.renew_chunk(lease=lease).requested, lease_s=lease_s)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._thread.join()

    def end(self) -> None:
        """Renew no more: what comes next ends the lease."""
        self._ended.set()

    @property
    def requested(self) -> RequestedAction:
        """What the user asks for now; a pause that was taken back is nothing."""
        return self._requested

    @property
    def is_lost(self) -> bool:
        """Whether the run may belong to another worker by now."""
        return self._lost

    def should_stop(self) -> bool:
        """Return whether to stop at the next batch boundary."""
        return self._lost or self._requested is not RequestedAction.NONE or is_stopping()

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until there is a reason to stop."""
        deadline = monotonic() + seconds
        while not self.should_stop() and (left := deadline - monotonic()) > 0:
            self._news.wait(min(left, INTERVAL_S))

    def _beat(self) -> None:
        renewed_at = monotonic()
        try:
            while not self._ended.wait(min(INTERVAL_S, self._lease_s / 4)):
                try:
                    requested = self._renew()
                except LeaseLostError:
                    if not self._ended.is_set():
                        log.warning("lease lost")
                        self._give_up()
                    return
                except DatabaseError as error:
                    log.warning("lease not renewed", reason=str(error))
                    connection.close()
                    if monotonic() - renewed_at > self._lease_s:
                        self._give_up()
                        return
                else:
                    renewed_at = monotonic()
                    self._hear(requested)
        finally:
            connection.close()

    def _hear(self, requested: RequestedAction) -> None:
        self._requested = requested
        if requested is not RequestedAction.NONE:
            self._news.set()

    def _give_up(self) -> None:
        self._lost = True
        self._news.set()
