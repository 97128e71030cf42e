"""Requests that the server makes: public addresses only, and the ones that were checked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address, ip_network

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from webapp.addresses import ANYWHERE, LOOPBACK, Network, may_be_reached
from webapp.outbound import ForbiddenAddressError, GuardedTransport, cut_off_after
from webapp.settings.env import load_environment


class Hosts(BaseHTTPRequestHandler):
    """Writes down which host it was asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(str(self.headers["Host"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[tuple[int, list[str]]]:
    class Fresh(Hosts):
        asked: list[str] = []

    with HTTPServer(("127.0.0.1", 0), Fresh) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, Fresh.asked
        server.shutdown()


def get(url: str, *answers: Sequence[str], allowed: Sequence[Network] = ()) -> httpx.Response:
    """Get a URL whose host has these addresses, look-up by look-up."""
    waiting = iter(answers)
    with httpx.Client(transport=GuardedTransport(allowed, lambda *_: next(waiting))) as client:
        return client.get(url)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.5", "172.16.0.1", "192.168.1.1"),  # noqa: S104
        *("169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "224.0.0.1"),
        *("255.255.255.255", "240.0.0.1", "::", "::1", "fe80::1", "fd00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1"),
    ],
)
def test_an_address_that_is_not_public_is_not_reached(address: str) -> None:
    assert not may_be_reached(ip_address(address), ())
    with pytest.raises(ForbiddenAddressError, match="ROUNDHOUSE_PRIVATE_ADDRESSES"):
        get("http://receiver.example/hook", [address])


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_reached(address: str) -> None:
    assert may_be_reached(ip_address(address), ())


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(ForbiddenAddressError):
        get("http://receiver.example/", ["93.184.215.14", "10.0.0.1"])


def test_a_name_that_changes_its_mind_leads_nowhere_else(server: tuple[int, list[str]]) -> None:
    """The second look-up would be the attack; there is none, and the name is still the Host."""
    port, asked = server
    answer = get(f"http://receiver.example:{port}/", ["127.0.0.1"], ["10.0.0.1"], allowed=LOOPBACK)
    assert answer.status_code == 204
    assert asked == [f"receiver.example:{port}"]


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "localhost", "[::1]"])
def test_an_address_in_disguise_is_the_address_that_it_is(host: str) -> None:
    transport = GuardedTransport([ip_network("192.168.0.0/16")])
    with httpx.Client(transport=transport) as client, pytest.raises(ForbiddenAddressError):
        client.get(f"http://{host}:9/")


def test_an_unknown_name_and_a_name_without_address_are_connection_errors() -> None:
    def unknown(*_: object) -> list[str]:
        raise OSError("no such name")

    def homeless(*_: object) -> list[str]:
        return []

    for resolve in (unknown, homeless):
        transport = GuardedTransport((), resolve)
        with httpx.Client(transport=transport) as client, pytest.raises(httpx.ConnectError):
            client.get("http://receiver.example/")


def test_a_redirect_into_the_private_network_is_checked_like_any_request() -> None:
    with pytest.raises(ForbiddenAddressError):
        get("http://169.254.169.254/latest/meta-data/", ["169.254.169.254"])
    assert may_be_reached(ip_address("10.0.0.1"), ANYWHERE)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"WEBHOOK_URLS": "http://10.1.2.3/hook", "WEBHOOK_SECRET": "s"}, "WEBHOOK_URLS"),
        ({"INTENTS_BACKEND": "openai", "INTENTS_URL": "http://169.254.169.254/v1"}, "INTENTS_URL"),
        ({"PRIVATE_ADDRESSES": "10.0.0.0/99"}, "PRIVATE_ADDRESSES"),
        (
            {
                "INTENTS_BACKEND": "openai",
                "INTENTS_URL": "http://localhost:11434/v1",
                "PRIVATE_ADDRESSES": "10.0.0.0/8",
            },
            "INTENTS_URL",
        ),
    ],
)
def test_settings_that_lead_into_a_private_network_have_to_say_so(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], named: str
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"ROUNDHOUSE_{name}", value)
    with pytest.raises(ImproperlyConfigured, match=f"ROUNDHOUSE_{named}"):
        load_environment()


def test_private_networks_that_are_allowed_are_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_URLS", "http://10.1.2.3/hook")
    monkeypatch.setenv("ROUNDHOUSE_WEBHOOK_SECRET", "s")
    monkeypatch.setenv("ROUNDHOUSE_PRIVATE_ADDRESSES", "10.0.0.0/8, 127.0.0.1")
    assert len(load_environment().reachable_networks) == 2


def test_a_connection_made_after_its_time_is_cut_at_once(server: tuple[int, list[str]]) -> None:
    """As by a name that takes long to look up: no time-out of httpx counts that."""
    port, asked = server

    def slow(*_: object) -> Sequence[str]:
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join(10)
        return ["127.0.0.1"]

    with (
        httpx.Client(transport=GuardedTransport(LOOPBACK, slow)) as client,
        cut_off_after(0.0) as extensions,
        pytest.raises(httpx.HTTPError),
    ):
        client.get(f"http://receiver.example:{port}/", extensions=extensions)
    assert asked == []
