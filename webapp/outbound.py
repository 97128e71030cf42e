"""Requests that this server makes: to public addresses, and to the private ones that are allowed.

A name is looked up once, every address that it has is checked, and the connection goes to the
checked address itself: a name that answers differently a moment later leads nowhere else.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from threading import Event, Timer
from typing import Any

import httpx

from webapp.addresses import Network, may_be_reached

#: Looks up the addresses of a name.
Resolve = Callable[[str, int], Sequence[str]]

SETTING = "ROUNDHOUSE_PRIVATE_ADDRESSES"


class ForbiddenAddressError(httpx.ConnectError):
    """The address is not public, and no setting allows it."""


class GuardedTransport(httpx.BaseTransport):
    """Sends requests to public addresses and to ``allowed`` networks only."""

    def __init__(self, allowed: Sequence[Network], resolve: Resolve | None = None) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve or addresses_of
        self._inner = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the address that has been checked.

        Raises:
            ForbiddenAddressError: If the host has an address that must not be reached.
        """
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        address = self._checked(host, port)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,  # the Host in them is still the name
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return self._inner.handle_request(pinned)

    def close(self) -> None:
        """Close what is still connected."""
        self._inner.close()

    def _checked(self, host: str, port: int) -> str:
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpx.ConnectError(f"{host} is not known: {error}") from error
        for address in found:
            if not may_be_reached(ip_address(address.partition("%")[0]), self._allowed):
                raise ForbiddenAddressError(
                    f"{host} is at {address}, which is not a public address; "
                    f"{SETTING} names the private ones that may be reached"
                )
        if not found:
            raise httpx.ConnectError(f"{host} has no address")
        return found[0]


@contextmanager
def cut_off_after(seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the extensions of requests whose connections are cut when their time is up.

    The time-outs of httpx are for one read each; an answer that comes a byte at a time outlasts
    them all.
    """
    open_sockets: list[socket.socket] = []
    is_over = Event()

    def note(event: str, info: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            made = info["return_value"].get_extra_info("socket")
            open_sockets.append(made)
            if is_over.is_set():  # else the timer, which looks after it has set this, finds it
                _shut(made)

    def cut() -> None:
        is_over.set()
        for each in open_sockets:
            _shut(each)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": note}
    finally:
        timer.cancel()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        connection.shutdown(socket.SHUT_RDWR)


def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses of a name, or the address that it is.

    Raises:
        OSError: If there is no such name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
