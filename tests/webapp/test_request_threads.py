"""Requests take turns on threads that stay, and none waits for another's work."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from webapp.request_threads import MOST_IDLE, Handler


class Recorder(Handler):
    """Answers nothing, and remembers which thread it was on."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[threading.Thread] = []
        self.go_on = threading.Event()
        self.go_on.set()

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        await sync_to_async(self._work)()
        await send({"type": "http.response.start", "status": 204, "headers": []})

    def _work(self) -> None:
        self.threads.append(threading.current_thread())
        self.go_on.wait(10)


def _asked(handler: Recorder) -> ApplicationCommunicator:
    return ApplicationCommunicator(handler, {"type": "http"})


async def test_one_request_after_another_is_answered_on_one_thread() -> None:
    handler = Recorder()
    for _ in range(3):
        asked = _asked(handler)
        await asked.receive_output()
        await asked.wait()
    assert len(set(handler.threads)) == 1
    assert handler.threads[0] is not threading.current_thread()


async def test_requests_at_the_same_time_have_a_thread_each_and_few_are_kept() -> None:
    handler = Recorder()
    handler.go_on.clear()
    number = MOST_IDLE + 3
    asked = [_asked(handler) for _ in range(number)]
    for one in asked:
        await one.send_input({"type": "http.request"})
    async with asyncio.timeout(10):
        while len(handler.threads) < number:
            await sync_to_async(threading.Event().wait, thread_sensitive=False)(0.01)
    handler.go_on.set()
    for one in asked:
        await one.receive_output()
        await one.wait()
    assert len(set(handler.threads)) == number
    for thread in handler.threads:
        thread.join(0.2)
    assert sum(thread.is_alive() for thread in handler.threads) == MOST_IDLE


async def test_who_goes_away_does_not_leave_its_work_to_the_next_one() -> None:
    handler = Recorder()
    handler.go_on.clear()
    left = _asked(handler)
    await left.send_input({"type": "http.request"})
    async with asyncio.timeout(10):
        while not handler.threads:
            await sync_to_async(threading.Event().wait, thread_sensitive=False)(0.01)
    left.stop(exceptions=False)
    assert await left.receive_nothing()
    next_one = _asked(handler)
    await next_one.send_input({"type": "http.request"})
    async with asyncio.timeout(10):
        while len(handler.threads) < 2:
            await sync_to_async(threading.Event().wait, thread_sensitive=False)(0.01)
    handler.go_on.set()
    await next_one.receive_output()
    assert len(set(handler.threads)) == 2


@pytest.fixture(autouse=True)
def _no_database(db: None) -> None:
    """Allow threads that end to close what connections they have."""
