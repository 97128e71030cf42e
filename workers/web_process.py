"""The web process of ``roundhouse up``: uvicorn with one worker."""

from __future__ import annotations

import sys
from collections.abc import Callable
from socket import socket

import uvicorn

GRACEFUL_SHUTDOWN_S = 5
#: Browsers only ever send short control frames; what is longer is not ours.
MAX_MESSAGE_BYTES = 64 * 1024
#: How long a thread may compute while another wants to. A frame for each of 500 viewers is 500
#: short system calls, after each of which the event loop waits so long for its next turn.
THREAD_SWITCH_S = 0.0005


def serve(*, host: str, port: int, on_ready: Callable[[], None]) -> None:
    """Serve HTTP and websockets until SIGTERM; call ``on_ready`` once the port is open."""
    sys.setswitchinterval(THREAD_SWITCH_S)
    config = uvicorn.Config(
        "webapp.asgi:application",
        host=host,
        port=port,
        log_config=None,  # the application configures logging
        access_log=False,  # and logs requests itself, with their ids
        proxy_headers=False,  # and knows how many proxies to trust
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        ws_max_size=MAX_MESSAGE_BYTES,
    )
    _Server(config, on_ready).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Open the port, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()
