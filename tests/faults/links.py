"""A connection to a server that a test can cut, and that counts what goes up."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread

_BLOCK = 64 * 1024

Heard = Callable[[str, bytes], None]


@dataclass(eq=False)
class Link:
    """Passes TCP connections on to a port of this machine, for as long as it is not cut.

    Attributes:
        to_port: Where connections go.
        host: Address that it listens on.
        port: Port that it listens on; chosen when it starts if 0.
        tls: Ends TLS here and passes plain bytes on, as a proxy in front of a server does.
        heard: Told all that passes, ``up`` or ``down``, after TLS.
    """

    to_port: int
    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    heard: Heard | None = None
    bytes_up: int = field(default=0, init=False)
    #: Cuts itself as soon as so many more bytes have gone up.
    cut_after: int | None = field(default=None, init=False)
    _is_cut: bool = field(default=False, init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _open: set[asyncio.StreamWriter] = field(default_factory=set, init=False)
    _was_cut: Event = field(default_factory=Event, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _thread: Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Listen from now on."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        """Cut it for good."""
        if self._thread is None:
            return
        self._is_cut = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Break all connections and refuse new ones."""
        self._is_cut = True
        asyncio.run_coroutine_threadsafe(self._break(), self._loop).result(10)

    def mend(self) -> None:
        """Let connections through again."""
        self.cut_after = None
        self._is_cut = False
        self._was_cut.clear()

    def wait_until_cut(self, within_s: float) -> bool:
        """Wait until it has cut itself; return whether it has."""
        return self._was_cut.wait(within_s)

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._pass_on, self.host, self.port, ssl=self.tls)
        self._server = server
        self.port = server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._break()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _break(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.transport.abort()
            return
        self._open.update((writer, back))
        await asyncio.gather(self._copy(reader, back, "up"), self._copy(there, writer, "down"))
        self._open.difference_update((writer, back))

    async def _copy(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: str
    ) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while block := await source.read(_BLOCK):
                if self.heard is not None:
                    self.heard(way, block)
                if way == "up" and self._is_enough(len(block)):
                    await self._break()
                    return
                target.write(block)
                await target.drain()
        with contextlib.suppress(OSError, RuntimeError):
            target.close()

    def _is_enough(self, size: int) -> bool:
        self.bytes_up += size
        if self.cut_after is None:
            return False
        self.cut_after -= size
        if self.cut_after > 0:
            return False
        self._is_cut = True
        self._was_cut.set()
        return True
