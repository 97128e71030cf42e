"""The websocket of a site: hints that it should ask, and nothing else."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from fedcore.sites.messages import Hint, SiteState
from fedcore.sites.signing import Request
from webapp.errors import DomainError
from webapp.jobs.clock import database_now
from webapp.jobs.consumers import FORBIDDEN, INTERNAL_ERROR, TOO_MANY, UNAUTHENTICATED, UNSUPPORTED
from webapp.readers import doorkeeper
from webapp.sites.services import authenticate
from webapp.sites.watching import site_watcher

log = structlog.get_logger(__name__)

#: A site reconnects before the server has noticed that the old connection is gone.
_MOST_SOCKETS = 4
#: Open connections of this process, by site.
_open: Counter[UUID] = Counter()


class SiteConsumer(AsyncWebsocketConsumer):
    """Tells a site when tasks wait for it, and closes when it is revoked."""

    #: None of the configured ones: the watcher takes the hints, once for all sites.
    channel_layer_alias = "none"
    _following: asyncio.Task[None] | None = None
    _site_id: UUID | None = None

    async def connect(self) -> None:
        # Accepted before it is checked: the code of a close says why, a refused handshake does not.
        await self.accept()
        try:
            site_id = await doorkeeper.read(_site_of, dict(self.scope))
        except DomainError as error:
            log.info("site refused", code=error.code)
            await self.close(UNAUTHENTICATED, error.code)
            return
        if _open[site_id] >= _MOST_SOCKETS:
            await self.close(TOO_MANY)
            return
        _open[site_id] += 1
        self._site_id = site_id
        self._following = asyncio.create_task(self._follow(site_id))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Close: a site listens here, and asks by HTTP."""
        await self.close(UNSUPPORTED)

    async def disconnect(self, code: int) -> None:
        if self._site_id is not None:
            _open[self._site_id] -= 1
            if not _open[self._site_id]:
                del _open[self._site_id]
            self._site_id = None
        if self._following is not None:
            self._following.cancel()

    async def _follow(self, site_id: UUID) -> None:
        try:
            with site_watcher().bell_of(site_id) as bell:
                while True:
                    kind = await _next(bell)
                    if site_watcher().state_of(site_id) == SiteState.REVOKED:
                        await self.close(FORBIDDEN, SiteState.REVOKED)
                        return
                    now = await doorkeeper.read(database_now)
                    hint = Hint.model_validate({"kind": kind, "server_time": now})
                    await self.send(text_data=hint.model_dump_json())
        except OSError:
            log.debug("site left", site_id=str(site_id))
        except Exception:
            log.exception("websocket of a site failed", site_id=str(site_id))
            await self.close(INTERNAL_ERROR)


async def _next(bell: asyncio.Event) -> str:
    """Return what to say next: that something has changed, or, after a while, that all is well."""
    try:
        await asyncio.wait_for(bell.wait(), settings.WEBSOCKET_PING_S)
    except TimeoutError:
        return "alive"
    bell.clear()
    return "tasks"


def _site_of(scope: dict[str, Any]) -> UUID:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    target = scope["path"] + (f"?{query}" if query else "")
    header = headers.get(b"authorization", "")
    return authenticate(header=header, request=Request("GET", target)).pk
