"""One reader per run and web process, whose news go to all who watch the run.

What a viewer has got is a number that the viewer keeps; nothing is queued for anybody. A viewer who
is slow, or has been away, asks for what comes after that number, and neighbours who ask for the
same get the same bytes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError

from webapp.jobs import looks
from webapp.jobs.looks import Look, Page
from webapp.readers import reader

#: So long a look waits for the one before it, per viewer: about what handing out a frame takes.
#: Without it, many rounds a second for many viewers would leave no time for anything else.
PAUSE_PER_VIEWER_S = 0.0004
#: Pages that are kept for the next one who asks; viewers are mostly in the same few places.
_KEPT_PAGES = 16

PING = looks.as_json({"type": "ping"})

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Viewer:
    """A place before the screen: whose it is, and which look it has waited for."""

    user_id: UUID
    #: Looks that had begun before it came; they may be older than what it has seen elsewhere.
    looks_before: int
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Feed:
    """What is known of one run, for those who watch it."""

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self.latest: Look | None = None
        self._news = asyncio.Event()
        self._viewers: set[Viewer] = set()
        self._pages: OrderedDict[tuple[int, int], asyncio.Future[Page]] = OrderedDict()
        self._looks_begun = 0
        self._looks_done = 0
        self._error: Exception | None = None

    @property
    def is_watched(self) -> bool:
        return bool(self._viewers)

    def wake(self) -> None:
        """Look again soon."""
        self._news.set()

    @contextmanager
    def joined(self, user_id: UUID) -> Iterator[Viewer]:
        """Let somebody watch; each look from now on is for this user too."""
        viewer = Viewer(user_id, self._looks_begun)
        self._viewers.add(viewer)
        self.wake()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)

    async def keep_looking(self) -> None:
        """Look whenever there are news, and now and then without; for as long as it is watched."""
        try:
            while True:
                await self._wait()
                await self._look()
                await asyncio.sleep(PAUSE_PER_VIEWER_S * len(self._viewers))
        except Exception as error:
            log.exception("run no longer watched", run_id=str(self.run_id))
            # Whatever it is, viewers must not wait for ever.
            self._error = error
            self._wake_viewers()

    async def _wait(self) -> None:
        try:
            # A waiting run's place in the queue changes without news.
            await asyncio.wait_for(self._news.wait(), settings.WEBSOCKET_PING_S)
        except TimeoutError:
            return

    async def _look(self) -> None:
        self._news.clear()
        self._looks_begun += 1
        since = self.latest.last_seq if self.latest else None
        user_ids = frozenset(viewer.user_id for viewer in self._viewers)
        try:
            found = await reader.read(looks.look, self.run_id, user_ids, since)
        except AnyDatabaseError as error:
            # Viewers keep what they have; the next look may succeed.
            log.warning("run not looked at", run_id=str(self.run_id), error=str(error))
            await asyncio.sleep(settings.WATCH_INTERVAL_S)
            self.wake()
            return
        if found.news is not None and since is not None:
            self._keep((since, found.last_seq), found.news)
        self.latest = found
        self._looks_done = self._looks_begun
        self._wake_viewers()

    def _wake_viewers(self) -> None:
        for viewer in self._viewers:
            viewer.woken.set()

    def look_for(self, viewer: Viewer) -> Look | None:
        """Return the latest look, once there has been one since the viewer came.

        Raises:
            Exception: What has ended the looks.
        """
        if self._error is not None:
            raise self._error
        return self.latest if self._looks_done > viewer.looks_before else None

    async def page(self, after: int, last_seq: int) -> Page:
        """Return events in a row, read once for all who are in the same place."""
        place = (after, last_seq)
        reading = self._pages.get(place)
        if reading is None:
            reading = asyncio.ensure_future(reader.read(looks.page, self.run_id, after, last_seq))
            self._put(place, reading)
        try:
            # Whoever leaves does not take it from the others.
            return await asyncio.shield(reading)
        except AnyDatabaseError:
            self._pages.pop(place, None)
            raise

    def _keep(self, place: tuple[int, int], page: Page) -> None:
        known: asyncio.Future[Page] = asyncio.get_running_loop().create_future()
        known.set_result(page)
        self._put(place, known)

    def _put(self, place: tuple[int, int], page: asyncio.Future[Page]) -> None:
        self._pages[place] = page
        while len(self._pages) > _KEPT_PAGES:
            self._pages.popitem(last=False)


async def frames(feed: Feed, user_id: UUID, after: int) -> AsyncIterator[str]:
    """Yield the frames of a websocket: a snapshot, then what happened after ``after`` and happens.

    Raises:
        NoLongerVisibleError: If the user may not see the run, now or later.
    """
    with feed.joined(user_id) as viewer:
        look = await _look(feed, viewer)
        shown = look.shown_to(user_id)
        after = min(after, look.last_seq)
        yield f'{{"type":"snapshot","run":{shown},"after":{after}}}'
        ping_at = _ping_at()
        while True:
            viewer.woken.clear()
            look = await _look(feed, viewer)
            now = look.shown_to(user_id)
            if after < look.last_seq:
                page = await feed.page(after, look.last_seq)
                after = page.end
                if page.frame is not None:
                    yield page.frame
            elif now != shown:
                shown = now
                yield f'{{"type":"run","run":{shown}}}'
                ping_at = _ping_at()
            elif not await _is_woken(viewer, ping_at):
                yield PING
                ping_at = _ping_at()


async def _look(feed: Feed, viewer: Viewer) -> Look:
    while (look := feed.look_for(viewer)) is None:
        await viewer.woken.wait()
        viewer.woken.clear()
    return look


def _ping_at() -> float:
    return asyncio.get_running_loop().time() + settings.WEBSOCKET_PING_S


async def _is_woken(viewer: Viewer, before: float) -> bool:
    """Return whether there was a look before the next sign of life is due."""
    try:
        async with asyncio.timeout_at(before):
            await viewer.woken.wait()
    except TimeoutError:
        return False
    return True
