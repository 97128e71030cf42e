"""Trying again: what failed for a moment may succeed the next time."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from fedcore.errors import RetryableError
from workers.heartbeat import Heartbeat
from workers.retry import RetryPolicy

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Patience:
    """How long a turn waits for what is away; never longer than it holds its run."""

    def __init__(self, heartbeat: Heartbeat, retries: RetryPolicy) -> None:
        self._heartbeat = heartbeat
        self._retries = retries

    def with_engine(self, action: Callable[[], T]) -> T:
        """Return what the action returns; pause and try again where that can help."""
        retries = 0
        while True:
            try:
                return action()
            except RetryableError as error:
                if not self._retries.allows(retries) or self._heartbeat.should_stop():
                    raise
                pause_s = self._retries.pause_s(retries)
                log.warning("trying again", reason=str(error), pause_s=pause_s)
                self._heartbeat.wait(pause_s)
                retries += 1

    def with_database(self, action: Callable[[], T]) -> T:
        """Return what the action returns, waiting for a database that is away for a moment.

        Every service can be repeated: its transaction either happened as a whole or not at all.
        """
        retries = 0
        while True:
            try:
                return action()
            except (OperationalError, InterfaceError) as error:
                connection.close()
                if not self._retries.allows(retries) or self._heartbeat.is_lost:
                    raise
                log.warning("database away", reason=str(error))
                Event().wait(self._retries.pause_s(retries))
                retries += 1
