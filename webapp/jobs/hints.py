"""Telling the web processes that a run or a site has news; only a hint, they read it themselves."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass
from uuid import UUID

import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Channel:
    """A group that every web process is in, and what its messages look like."""

    group: str
    message_type: str
    ids: str


RUNS = Channel("run-news", "run.news", "run_ids")
SITES = Channel("site-news", "site.news", "site_ids")


class _Publisher:
    """Sends hints from a thread of its own.

    Whoever commits must not wait for Redis, and the layer's connection belongs to one event loop:
    a new loop per hint would be a new connection per hint. News that arrive while a hint is on its
    way become one hint.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._pid = 0
        self._lock = threading.Lock()
        self._waiting: set[UUID] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def publish(self, row_id: UUID) -> None:
        with self._lock:
            loop = self._started_loop()
            idle = not self._waiting
            self._waiting.add(row_id)
        if idle:
            asyncio.run_coroutine_threadsafe(self._send_waiting(), loop)

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._pid != os.getpid():  # a fork has no threads
            self._pid = os.getpid()
            self._waiting.clear()
            self._loop = asyncio.new_event_loop()
            name = f"{self._channel.group}-hints"
            threading.Thread(target=self._loop.run_forever, name=name, daemon=True).start()
        return self._loop

    async def _send_waiting(self) -> None:
        layer = get_channel_layer()
        with self._lock:
            row_ids, self._waiting = self._waiting, set()
        if layer is None:
            return
        message = {
            "type": self._channel.message_type,
            self._channel.ids: [str(row_id) for row_id in row_ids],
        }
        try:
            await layer.group_send(self._channel.group, message)
        except (RedisError, OSError) as error:
            # The web processes look for themselves every few seconds (WATCH_INTERVAL_S).
            log.warning("viewers not told", error=str(error))


_publishers = {channel: _Publisher(channel) for channel in (RUNS, SITES)}


def publish(run_id: UUID) -> None:
    """Tell everybody who watches this run to look; without a channel layer they look anyway."""
    publish_to(RUNS, run_id)


def publish_to(channel: Channel, row_id: UUID) -> None:
    """Tell everybody who watches this row to look; without a channel layer they look anyway."""
    if settings.CHANNEL_LAYERS:
        _publishers[channel].publish(row_id)
