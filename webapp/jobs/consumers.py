"""The websocket of a run: from the server to the browser only, and as thin as it can be."""

from __future__ import annotations

import asyncio
from collections import Counter
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from webapp.accounts.connections import user_of
from webapp.accounts.models import User
from webapp.jobs.feeds import frames
from webapp.jobs.live import watcher
from webapp.jobs.looks import NoLongerVisibleError

UNSUPPORTED = 1003
UNAUTHENTICATED = 4401
FORBIDDEN = 4403
NOT_FOUND = 4404
TOO_MANY = 4429
INTERNAL_ERROR = 1011

_MAX_SEQ = 2**31 - 1
_MAX_DIGITS = 12
#: Open connections of this process, by user.
_open: Counter[UUID] = Counter()

log = structlog.get_logger(__name__)


class RunConsumer(AsyncWebsocketConsumer):
    """Sends a snapshot, then the events after ``?after=``, then whatever happens."""

    #: None of the configured ones: the watcher takes the hints, once for all viewers.
    channel_layer_alias = "none"
    _following: asyncio.Task[None] | None = None
    _counted: User | None = None

    async def connect(self) -> None:
        # Accepted before it is checked: a browser learns the code of a close, but not the status
        # of a refused handshake.
        await self.accept()
        user = await user_of(dict(self.scope))
        if user is None:
            await self.close(UNAUTHENTICATED)
            return
        if _open[user.pk] >= settings.SOCKETS_PER_USER:
            await self.close(TOO_MANY)
            return
        _open[user.pk] += 1
        self._counted = user
        run_id: UUID = self.scope["url_route"]["kwargs"]["run_id"]
        self._following = asyncio.create_task(self._follow(user, run_id))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Close: a viewer listens, and whoever says something is not our page."""
        await self.close(UNSUPPORTED)

    async def disconnect(self, code: int) -> None:
        if self._counted is not None:
            _open[self._counted.pk] -= 1
            if not _open[self._counted.pk]:
                del _open[self._counted.pk]
            self._counted = None
        if self._following is not None:
            self._following.cancel()

    async def _follow(self, user: User, run_id: UUID) -> None:
        refusal = NOT_FOUND
        try:
            with watcher().feed_of(run_id) as feed:
                check_at = _check_at()
                async for frame in frames(feed, user.pk, self._after()):
                    refusal = FORBIDDEN
                    if _now() >= check_at:
                        if await user_of(dict(self.scope)) != user:
                            await self.close(UNAUTHENTICATED)
                            return
                        check_at = _check_at()
                    await self.send(text_data=frame)
        except NoLongerVisibleError:
            await self.close(refusal)
        except OSError:
            log.debug("viewer left", run_id=str(run_id))
        except Exception:
            log.exception("websocket failed", run_id=str(run_id))
            await self.close(INTERNAL_ERROR)

    def _after(self) -> int:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        given = query.get("after", ["0"])[-1]
        # Cut, for a number of thousands of digits is none to Python either.
        digits = given[:_MAX_DIGITS]
        return min(int(digits), _MAX_SEQ) if given.isascii() and given.isdigit() else 0


def _now() -> float:
    return asyncio.get_running_loop().time()


def _check_at() -> float:
    """Return when to ask again who it is: as often as a sign of life is due, whatever happens."""
    return _now() + settings.WEBSOCKET_PING_S


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Closes a websocket at an address where there is nothing."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(NOT_FOUND)
