"""A small server that speaks the OpenAI chat protocol over real HTTP, with answers by script."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

Respond = Callable[[BaseHTTPRequestHandler], None]


class ChatServer:
    """Gives the scripted answers one after another, and remembers what it was asked."""

    def __init__(self) -> None:
        self.script: list[Respond] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.released = Event()
        self.url = ""

    def says(self, *texts: str) -> None:
        self.script += [spoken(text) for text in texts]

    def hangs(self) -> None:
        """Accept the request, and answer only when the test is over."""

        def wait(_: BaseHTTPRequestHandler) -> None:
            self.released.wait(30)

        self.script.append(wait)

    def drips(self, text: str, every_s: float = 0.1) -> None:
        """Send an answer a byte at a time, from the first of its status line on."""
        body = _completion(text)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()

        def respond(handler: BaseHTTPRequestHandler) -> None:
            for byte in head + body:
                if self.released.wait(every_s):
                    return
                try:
                    handler.wfile.write(bytes([byte]))
                except OSError:  # the other side has gone
                    return

        self.script.append(respond)


def spoken(text: str) -> Respond:
    return raw(_completion(text))


def _completion(text: str) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def raw(
    body: bytes, status: int = 200, length: int | None = None, encoding: str | None = None
) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        if encoding is not None:
            handler.send_header("Content-Encoding", encoding)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def squeezed(text: str) -> Respond:
    """Return an answer that nobody has asked to be compressed."""
    return raw(gzip.compress(_completion(text)), encoding="gzip")


def bare(content: bytes) -> Respond:
    """Return bytes where an HTTP answer should be, after which the connection ends."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(content)
        handler.close_connection = True

    return respond


def redirected(address: str) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("Location", address)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return respond


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    chat = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            chat.requests.append({"path": self.path, **json.loads(body)})
            chat.keys.append(self.headers.get("Authorization"))
            chat.script.pop(0)(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    chat.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield chat
    finally:
        chat.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
