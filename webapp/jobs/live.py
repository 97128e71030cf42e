"""Following a run: news are read from the database, by whoever wants them, when there are any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as AnyDatabaseError
from redis.exceptions import RedisError

from webapp.accounts.models import User
from webapp.jobs.hints import GROUP
from webapp.jobs.history import events_after
from webapp.jobs.models import Run
from webapp.jobs.reader import reader
from webapp.jobs.selectors import find_run
from webapp.jobs.serializers import present_run

#: Most events in one frame. A reader who is slow gets fuller frames, never a longer queue: the next
#: frame is only read from the database when the one before it has been taken.
MAX_EVENTS_PER_FRAME = 500

Frame = dict[str, Any]

log = structlog.get_logger(__name__)


class NoLongerVisibleError(Exception):
    """The run is gone, or the user may not see it any more."""


class RunWatcher:
    """Wakes the followers of a run: when a hint says so, and when its event counter has moved.

    Hints come through the channel layer, where there is one. The look at the counters, one query
    for all runs, finds what no hint told.
    """

    def __init__(self) -> None:
        self._followers: dict[UUID, set[asyncio.Event]] = {}
        self._seen: dict[UUID, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def follow(self, run_id: UUID) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever the run may have news."""
        news = asyncio.Event()
        self._followers.setdefault(run_id, set()).add(news)
        if not self._tasks:
            self._start(self._watch())
            self._start(self._listen())
        try:
            yield news
        finally:
            self._followers[run_id].discard(news)
            if not self._followers[run_id]:
                del self._followers[run_id]
                self._seen.pop(run_id, None)
            if not self._followers:
                for task in self._tasks:
                    task.cancel()
                self._tasks.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work, name="run-watcher"))

    def _wake(self, run_id: UUID) -> None:
        for news in self._followers.get(run_id, ()):
            news.set()

    async def _watch(self) -> None:
        while True:
            try:
                counters = await reader.read(_event_counters, list(self._followers))
            except AnyDatabaseError as error:
                # Followers keep what they have; the next look may succeed.
                log.warning("runs not watched", error=str(error))
                counters = {}
            for run_id, last_seq in counters.items():
                if self._seen.get(run_id) != last_seq:
                    self._seen[run_id] = last_seq
                    self._wake(run_id)
            await asyncio.sleep(settings.WATCH_INTERVAL_S)

    async def _listen(self) -> None:
        layer = get_channel_layer()
        while layer is not None:
            try:
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
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


@dataclass(frozen=True, slots=True)
class _News:
    run: dict[str, Any]
    events: list[dict[str, Any]]


def _read(user: User, run_id: UUID, after: int) -> _News:
    # The run is read through the user's projects, so that every look checks the permission. It is
    # read before the events: when no event follows, it is the run right after the last one.
    run = find_run(user, run_id)
    if run is None:
        raise NoLongerVisibleError
    shown = present_run(run)
    return _News(shown, events_after(run_id, min(after, run.last_seq), MAX_EVENTS_PER_FRAME))


async def run_frames(
    user: User, run_id: UUID, after: int, news: asyncio.Event
) -> AsyncIterator[Frame]:
    """Yield the frames of a websocket: a snapshot, then what happened after ``after`` and happens.

    Raises:
        NoLongerVisibleError: If the user may not see the run, now or later.
    """
    found = await reader.read(_read, user, run_id, after)
    after = min(after, found.run["last_seq"])
    yield {"type": "snapshot", "run": found.run, "after": after}
    shown = found.run
    while True:
        while found.events:
            yield {"type": "events", "events": found.events}
            after = found.events[-1]["seq"]
            # More may have come while the reader took the last ones.
            news.clear()
            found = await reader.read(_read, user, run_id, after)
        if found.run != shown:
            yield {"type": "run", "run": found.run}
            shown = found.run
        if not await _wait(news):
            yield {"type": "ping"}
        news.clear()
        found = await reader.read(_read, user, run_id, after)


async def _wait(news: asyncio.Event) -> bool:
    """Return whether there were news before the next sign of life is due."""
    try:
        await asyncio.wait_for(news.wait(), settings.WEBSOCKET_PING_S)
    except TimeoutError:
        return False
    return True
