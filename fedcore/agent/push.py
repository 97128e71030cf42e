"""The websocket over which the server says that there is something to ask for."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from urllib.parse import urlsplit, urlunsplit

import structlog
from pydantic import ValidationError
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from fedcore.agent.backoff import Backoff
from fedcore.agent.office import Office
from fedcore.sites import routes
from fedcore.sites.messages import Hint

OPEN_S = 10.0
#: Proxies close what is silent for longer.
PING_S = 20.0
_MOST_BYTES = 4096
_LOOK_S = 0.5

log = structlog.get_logger(__name__)


class Push:
    """Keeps a websocket open as long as the agent runs; without it the agent polls."""

    def __init__(self, office: Office, on_hint: Callable[[Hint], None]) -> None:
        """Prepare; ``run`` opens it.

        Args:
            office: Signs the handshake, and notes whether the websocket is open.
            on_hint: Called with every frame.
        """
        self._office = office
        self._on_hint = on_hint
        self._last_said = ""

    def run(self, stop: Event) -> None:
        """Keep the websocket open until ``stop`` is set."""
        backoff = self._office.backoff()
        while not stop.is_set():
            try:
                self._follow(stop, backoff)
            except (OSError, WebSocketException) as error:
                # Also what a proxy that does not know websockets answers: polling does it all.
                self._say(f"no websocket ({type(error).__name__}), so the site polls")
            finally:
                self._office.board.pushed(is_pushed=False)
            stop.wait(backoff.next_s())

    def _say(self, what: str) -> None:
        """Log what has changed, once."""
        if what != self._last_said:
            log.info(what)
            self._last_said = what

    def _follow(self, stop: Event, backoff: Backoff) -> None:
        headers = self._office.connection.authorization("GET", routes.SOCKET)
        address = socket_address(self._office.connection.server)
        with connect(
            address,
            ssl=self._office.tls if address.startswith("wss:") else None,
            additional_headers=headers,
            open_timeout=OPEN_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            max_size=_MOST_BYTES,
            compression=None,
        ) as socket:
            self._office.board.pushed(is_pushed=True)
            self._say("websocket open")
            while not stop.is_set():
                try:
                    frame = socket.recv(timeout=_LOOK_S)
                except TimeoutError:
                    continue
                backoff.reset()
                self._take(frame)

    def _take(self, frame: str | bytes) -> None:
        try:
            hint = Hint.model_validate_json(frame)
        except ValidationError:  # of a newer server; polling finds what it meant
            return
        self._on_hint(hint)


def socket_address(server: str) -> str:
    """Return where the websocket of a server is."""
    parts = urlsplit(server)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path + routes.SOCKET, "", ""))
