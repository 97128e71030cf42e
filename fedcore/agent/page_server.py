"""Serves the site's page on 127.0.0.1, to browsers of this machine alone."""

from __future__ import annotations

import hmac
import secrets
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs
from uuid import UUID

import structlog

from fedcore.agent.approvals import Answer
from fedcore.agent.config import ConfigError
from fedcore.agent.office import Office
from fedcore.agent.page import STYLE, render
from fedcore.agent.private_files import read_private, write_private
from fedcore.sites.words import in_words

TOKEN_FILE = "page_token"  # noqa: S105  (the name of a file)
HOST = "127.0.0.1"
_MAX_FORM_BYTES = 4096
_IDLE_S = 10.0
_STOP_S = 0.05
_ENTRIES = 400
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers then call the origin of our own form null.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

log = structlog.get_logger(__name__)


def page_token(state_dir: Path) -> str:
    """Return the secret without which the page changes nothing; it is made once."""
    file = state_dir / TOKEN_FILE
    found = read_private(file)
    if found is None:
        found = secrets.token_urlsafe(24).encode()
        write_private(file, found)
    return found.decode()


class PageServer:
    """The page, from entering the block to leaving it."""

    def __init__(self, office: Office, port: int) -> None:
        """Bind the port.

        Args:
            office: What the page shows.
            port: On 127.0.0.1; 0 takes any that is free.

        Raises:
            ConfigError: If the port is taken.
        """
        token = page_token(office.site.state_dir)

        try:
            self._server = ThreadingHTTPServer((HOST, port), partial(_Handler, office, token))
        except OSError as error:
            raise ConfigError(
                f"the status page cannot be served on port {port}: {error.strerror}",
                field="status_page.port",
                fix="Choose another port, or set status_page.enabled: false.",
            ) from error
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(_STOP_S,), name="page", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_S
    server_version = "Roundhouse"
    sys_version = ""

    def __init__(self, office: Office, token: str, *args: Any) -> None:
        self._office = office
        self._token = token
        super().__init__(*args)  # which also answers the request

    def do_GET(self) -> None:
        if not self._is_for_us():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path == "/":
            self._page()
        elif self.path == "/style.css":
            self._answer(HTTPStatus.OK, STYLE, "text/css")
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        if not self._is_for_us():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path != "/answer":
            self._refuse(HTTPStatus.NOT_FOUND)
        elif self._comes_from_elsewhere():
            self._refuse(HTTPStatus.FORBIDDEN)
        else:
            self._take_answer()

    def log_message(self, *_: Any) -> None:
        """Say nothing: whoever looks at the page is on this machine."""

    def _take_answer(self) -> None:
        form = self._form()
        if form is None:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        if not hmac.compare_digest(form.get("token", "").encode(), self._token.encode()):
            self._page("The token is wrong; nothing was changed.", HTTPStatus.FORBIDDEN)
            return
        try:
            run_id, answer = UUID(form["run_id"]), Answer(form["answer"])
        except (KeyError, ValueError):
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        self._office.approvals.set(run_id, answer, by="status page")
        self._office.wake()
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _form(self) -> dict[str, str] | None:
        """Return the fields of a form, None if there are more than any of ours has."""
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            return None
        if not 0 <= length <= _MAX_FORM_BYTES:
            return None
        fields = parse_qs(self.rfile.read(length).decode(errors="replace"))
        return {name: values[0] for name, values in fields.items()}

    def _is_for_us(self) -> bool:
        """Return whether the browser asked for this machine, not for a name that points to it."""
        return self.headers.get("Host", "").rpartition(":")[0] in (HOST, "localhost")

    def _comes_from_elsewhere(self) -> bool:
        origin = self.headers.get("Origin")
        return origin is not None and origin != f"http://{self.headers.get('Host')}"

    def _page(self, notice: str = "", status: HTTPStatus = HTTPStatus.OK) -> None:
        office = self._office
        content = render(
            office.board.read(),
            office.audit.latest(_ENTRIES),
            datasets=office.shelf.declarations(),
            policy=in_words(office.site.policy),
            notice=notice,
        )
        self._answer(status, content, "text/html")

    def _refuse(self, status: HTTPStatus) -> None:
        self._answer(status, f"{status.value} {status.phrase}\n", "text/plain")

    def _answer(self, status: HTTPStatus, content: str, kind: str) -> None:
        body = content.encode()
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
