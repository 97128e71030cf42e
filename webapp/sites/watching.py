"""Knowing which sites have something to ask for: by hints, and by a look at what waits."""

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

from fedcore.sites.messages import SiteState
from webapp.jobs.hints import SITES
from webapp.readers import reader
from webapp.sites.models import Site, SiteTask
from webapp.sites.work_models import TaskState

log = structlog.get_logger(__name__)

#: What a look at a site tells: its state, and the tasks that wait for it.
Seen = tuple[str, frozenset[UUID]]


class SiteWatcher:
    """Wakes the websockets of sites when what waits for them has changed.

    One look, with two queries, is for all sites that are connected to this process.
    """

    def __init__(self) -> None:
        self._bells: dict[UUID, set[asyncio.Event]] = {}
        self._seen: dict[UUID, Seen] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._hinted = asyncio.Event()

    @contextmanager
    def bell_of(self, site_id: UUID) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever a site should ask."""
        bell = asyncio.Event()
        self._bells.setdefault(site_id, set()).add(bell)
        if not self._tasks:
            self._start(self._watch())
            self._start(self._listen())
        try:
            yield bell
        finally:
            self._leave(site_id, bell)

    def state_of(self, site_id: UUID) -> str:
        """Return the state of a site at the last look; approved before the first."""
        return self._seen.get(site_id, (SiteState.APPROVED.value, frozenset()))[0]

    def _leave(self, site_id: UUID, bell: asyncio.Event) -> None:
        self._bells[site_id].discard(bell)
        if not self._bells[site_id]:
            del self._bells[site_id]
            self._seen.pop(site_id, None)
        if not self._bells:
            for task in self._tasks:
                task.cancel()
            self._tasks.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work, name="site-watcher"))

    async def _watch(self) -> None:
        while True:
            try:
                found = await reader.read(_look, list(self._bells))
            except AnyDatabaseError as error:
                log.warning("sites not watched", error=str(error))
                found = {}
            for site_id, seen in found.items():
                is_news = _is_news(seen, self._seen.get(site_id))
                self._seen[site_id] = seen
                for bell in self._bells.get(site_id, ()) if is_news else ():
                    bell.set()
            self._hinted.clear()
            try:
                await asyncio.wait_for(self._hinted.wait(), settings.WATCH_INTERVAL_S)
            except TimeoutError:
                continue

    async def _listen(self) -> None:
        layer = get_channel_layer()
        while layer is not None:
            try:
                channel = await layer.new_channel()
                await layer.group_add(SITES.group, channel)
                while True:
                    message = await layer.receive(channel)
                    if any(UUID(site_id) in self._bells for site_id in message[SITES.ids]):
                        self._hinted.set()
            except (RedisError, OSError) as error:
                log.warning("no hints of news", error=str(error))
                await asyncio.sleep(settings.WATCH_INTERVAL_S)


_watchers: WeakKeyDictionary[asyncio.AbstractEventLoop, SiteWatcher] = WeakKeyDictionary()


def site_watcher() -> SiteWatcher:
    """Return the watcher of this event loop, of which a web process has one."""
    return _watchers.setdefault(asyncio.get_running_loop(), SiteWatcher())


def _is_news(seen: Seen, before: Seen | None) -> bool:
    """Return whether a site should ask; a task that it has taken on is nothing new to it."""
    return before is None or seen[0] != before[0] or not seen[1] <= before[1]


def _look(site_ids: list[UUID]) -> dict[UUID, Seen]:
    states = dict(Site.objects.filter(pk__in=site_ids).values_list("pk", "state"))
    waiting: dict[UUID, set[UUID]] = {site_id: set() for site_id in states}
    rows = SiteTask.objects.wanted().filter(site_id__in=site_ids, state=TaskState.WAITING)
    for site_id, task_id in rows.values_list("site_id", "pk"):
        waiting[site_id].add(task_id)
    return {site_id: (state, frozenset(waiting[site_id])) for site_id, state in states.items()}
