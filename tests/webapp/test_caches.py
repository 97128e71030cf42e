"""While Redis is away, all requests of a process count together and none waits for it twice."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from itertools import count
from threading import Thread

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from pytest_django import Settings

from webapp import caches as steady

_names = count()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class DeadServer:
    """Takes connections and hangs up: it was asked as often as it was connected to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked = 0
        Thread(target=self._hang_up, daemon=True).start()

    def _hang_up(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.asked += 1
            connection.close()

    def close(self) -> None:
        # Only a shutdown wakes up who waits for a connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def server(settings: Settings) -> Iterator[DeadServer]:
    dead = DeadServer()
    location = f"redis://127.0.0.1:{dead.port}/{next(_names)}"
    cache = {"BACKEND": "webapp.caches.SteadyRedisCache", "LOCATION": location}
    settings.CACHES = {"default": {**cache, "OPTIONS": {"retry": None}}}
    yield dead
    dead.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(steady, "monotonic", clock)
    return clock


def of_a_request() -> BaseCache:
    """Return the cache that a new request finds: under ASGI each has a context of its own."""
    return Context().run(lambda: caches["default"])


def test_requests_have_caches_of_their_own(server: DeadServer) -> None:
    assert of_a_request() is not of_a_request()


def test_requests_count_together(server: DeadServer, clock: Clock) -> None:
    of_a_request().add("guesses", 0)
    assert [of_a_request().incr("guesses") for _ in range(3)] == [1, 2, 3]


def test_one_request_finds_out_for_all_until_the_pause_is_over(
    server: DeadServer, clock: Clock
) -> None:
    of_a_request().get("guesses")
    once = server.asked
    assert once > 0
    for _ in range(3):
        of_a_request().get("guesses")
    assert server.asked == once
    clock.now += steady.PAUSE_S
    with ThreadPoolExecutor(8) as requests:
        list(requests.map(lambda _: of_a_request().get("guesses"), range(8)))
    assert server.asked == 2 * once


def test_what_is_kept_meanwhile_is_bounded(
    server: DeadServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady, "MAX_ENTRIES", 30)
    for number in range(60):
        of_a_request().set(f"guesses-{number}", 1)
    kept = [number for number in range(60) if of_a_request().get(f"guesses-{number}")]
    assert 20 <= len(kept) <= 30
    assert kept[-1] == 59
