"""Requests take turns on threads that stay, and none waits for another's work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse

from webapp.request_places import stand_aside
from webapp.request_threads import MOST_AT_ONCE, MOST_IDLE, Handler


class Recorder(Handler):
    """Answers nothing, and remembers which thread it was on."""

    def __init__(self, before_waiting: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._before_waiting = before_waiting
        self.threads: list[threading.Thread] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def stays_in_place(self) -> None:
        """Begin anew, with requests that do not stand aside."""
        self._before_waiting = lambda: None

    def get_response(self, request: HttpRequest) -> HttpResponse:
        del request
        self.threads.append(threading.current_thread())
        self._before_waiting()
        self.go_on.wait(10)
        return HttpResponse(status=204)


def _asked(handler: Recorder) -> ApplicationCommunicator:
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    return ApplicationCommunicator(handler, scope)


async def test_one_request_after_another_is_answered_on_one_thread() -> None:
    handler = Recorder()
    for _ in range(3):
        (asked,) = await asked_at_once(handler, 1)
        await asked.receive_output()
        await asked.wait()
    assert len(set(handler.threads)) == 1
    assert handler.threads[0] is not threading.current_thread()


async def started(handler: Recorder, number: int) -> None:
    """Return when so many requests have begun."""
    async with asyncio.timeout(10):
        while len(handler.threads) < number:
            await sync_to_async(threading.Event().wait, thread_sensitive=False)(0.01)


async def asked_at_once(handler: Recorder, number: int) -> list[ApplicationCommunicator]:
    asked = [_asked(handler) for _ in range(number)]
    for one in asked:
        await one.send_input({"type": "http.request"})
    return asked


async def test_few_requests_are_worked_on_at_once_each_on_a_thread() -> None:
    handler = Recorder()
    handler.go_on.clear()
    asked = await asked_at_once(handler, MOST_AT_ONCE + 3)
    await started(handler, MOST_AT_ONCE)
    assert await asked[-1].receive_nothing()
    assert len(set(handler.threads)) == len(handler.threads) == MOST_AT_ONCE
    handler.go_on.set()
    for one in asked:
        await one.receive_output()
        await one.wait()
    assert len(handler.threads) == MOST_AT_ONCE + 3
    assert len(set(handler.threads)) == MOST_AT_ONCE, "a crowd makes no threads of its own"


async def test_who_sends_slowly_keeps_nobody_waiting() -> None:
    handler = Recorder()
    slow = [_asked(handler) for _ in range(MOST_AT_ONCE)]
    for one in slow:
        await one.send_input({"type": "http.request", "body": b"a", "more_body": True})
        assert await one.receive_nothing()
    (quick,) = await asked_at_once(handler, 1)
    await quick.receive_output()
    await quick.wait()
    for one in slow:
        await one.send_input({"type": "http.disconnect"})
        await one.wait()


async def test_who_waits_for_another_machine_lets_the_next_one_in() -> None:
    handler = Recorder(before_waiting=stand_aside)
    handler.go_on.clear()
    asked = await asked_at_once(handler, MOST_AT_ONCE + MOST_IDLE + 3)
    await started(handler, len(asked))
    handler.go_on.set()
    for one in asked:
        await one.receive_output()
        await one.wait()
    for thread in handler.threads:
        thread.join(0.2)
    assert sum(thread.is_alive() for thread in handler.threads) == MOST_IDLE


def test_no_middleware_goes_back_to_the_event_loop() -> None:
    """Each change between loop and thread costs more than most middleware does."""
    assert not iscoroutinefunction(vars(Handler())["_middleware_chain"])


async def test_who_goes_away_does_not_leave_its_work_to_the_next_one() -> None:
    handler = Recorder()
    handler.go_on.clear()
    (left,) = await asked_at_once(handler, 1)
    await started(handler, 1)
    await left.send_input({"type": "http.disconnect"})
    assert await left.receive_nothing()
    (next_one,) = await asked_at_once(handler, 1)
    await started(handler, 2)
    handler.go_on.set()
    await next_one.receive_output()
    await asyncio.gather(left.wait(), next_one.wait())
    assert len(set(handler.threads)) == 2


async def gone_away(handler: Recorder, number: int) -> None:
    """Return when the clients of so many requests have left, in the middle of the work."""
    left = await asked_at_once(handler, number)
    await started(handler, number)
    for one in left:
        await one.send_input({"type": "http.disconnect"})
        await one.wait()


async def test_who_goes_away_keeps_the_place_until_the_work_is_done() -> None:
    handler = Recorder()
    handler.go_on.clear()
    await gone_away(handler, MOST_AT_ONCE)
    waiting = await asked_at_once(handler, 3)
    assert await waiting[-1].receive_nothing()
    assert len(handler.threads) == MOST_AT_ONCE
    handler.go_on.set()
    for one in waiting:
        await one.receive_output()
        await one.wait()
    assert len(set(handler.threads)) == MOST_AT_ONCE, "the threads are used again"


async def test_who_stands_aside_and_goes_away_gives_up_one_place_only() -> None:
    handler = Recorder(before_waiting=stand_aside)
    handler.go_on.clear()
    await gone_away(handler, MOST_AT_ONCE + 1)
    handler.go_on.set()
    handler.stays_in_place()
    handler.go_on.clear()
    asked = await asked_at_once(handler, MOST_AT_ONCE + 3)
    await started(handler, 2 * MOST_AT_ONCE + 1)
    assert await asked[-1].receive_nothing()
    assert len(handler.threads) == 2 * MOST_AT_ONCE + 1
    handler.go_on.set()
    for one in asked:
        await one.receive_output()
        await one.wait()


@pytest.fixture(autouse=True)
def _no_database(db: None) -> None:
    """Allow threads that end to close what connections they have."""
