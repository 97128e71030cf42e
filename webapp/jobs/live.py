"""Knowing which runs have news: by hints, and by a look at their event counters."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as AnyDatabaseError
from redis.exceptions import RedisError

from webapp.jobs.feeds import Feed
from webapp.jobs.hints import RUNS
from webapp.jobs.models import Run
from webapp.readers import reader

log = structlog.get_logger(__name__)


class RunWatcher:
    """Wakes the feeds of runs: when a hint says so, and when an event counter has moved.

    Hints come through the channel layer, where there is one. The look at the counters, one query
    for all runs, finds what no hint told.
    """

    def __init__(self) -> None:
        self._feeds: dict[UUID, Feed] = {}
        self._readers: dict[UUID, int] = {}
        self._looking: dict[UUID, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def feed_of(self, run_id: UUID) -> Iterator[Feed]:
        """Yield the feed of a run, which all who watch it share; it ends with the last of them."""
        if run_id not in self._feeds:
            feed = self._feeds[run_id] = Feed(run_id)
            self._looking[run_id] = asyncio.create_task(feed.keep_looking(), name="run-feed")
        self._readers[run_id] = self._readers.get(run_id, 0) + 1
        if not self._tasks:
            self._start(self._watch())
            self._start(self._listen())
        try:
            yield self._feeds[run_id]
        finally:
            self._leave(run_id)

    def _leave(self, run_id: UUID) -> None:
        self._readers[run_id] -= 1
        if self._readers[run_id] == 0:
            del self._readers[run_id], self._feeds[run_id]
            self._looking.pop(run_id).cancel()
        if not self._feeds:
            for task in self._tasks:
                task.cancel()
            self._tasks.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work, name="run-watcher"))

    def _wake(self, run_id: UUID) -> None:
        if run_id in self._feeds:
            self._feeds[run_id].wake()

    async def _watch(self) -> None:
        while True:
            try:
                counters = await reader.read(_event_counters, list(self._feeds))
            except AnyDatabaseError as error:
                # Viewers keep what they have; the next look may succeed.
                log.warning("runs not watched", error=str(error))
                counters = {}
            for run_id, last_seq in counters.items():
                feed = self._feeds.get(run_id)
                if (
                    feed is not None
                    and feed.latest is not None
                    and feed.latest.last_seq != last_seq
                ):
                    feed.wake()
            await asyncio.sleep(settings.WATCH_INTERVAL_S)

    async def _listen(self) -> None:
        layer = get_channel_layer()
        while layer is not None:
            try:
                channel = await layer.new_channel()
                await layer.group_add(RUNS.group, channel)
                while True:
                    message = await layer.receive(channel)
                    for run_id in message["run_ids"]:
                        self._wake(UUID(run_id))
            except (RedisError, OSError) as error:
                log.warning("no hints of news", error=str(error))
                await asyncio.sleep(settings.WATCH_INTERVAL_S)


_watchers: WeakKeyDictionary[asyncio.AbstractEventLoop, RunWatcher] = WeakKeyDictionary()


def watcher() -> RunWatcher:
    """Return the watcher of this event loop, of which a web process has one."""
    return _watchers.setdefault(asyncio.get_running_loop(), RunWatcher())


def _event_counters(run_ids: list[UUID]) -> dict[UUID, int]:
    return dict(Run.objects.filter(pk__in=run_ids).values_list("pk", "last_seq"))
