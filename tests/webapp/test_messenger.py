"""Messages that leave by a thread, so that a broker that is away holds nobody up."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import partial
from threading import Event
from time import monotonic

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from webapp import messenger
from webapp.messenger import Messenger

LONG_S = 30.0


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """Yield the address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"amqp://guest:guest@127.0.0.1:{server.getsockname()[1]}//"


def test_a_message_has_left_when_nothing_is_in_its_way() -> None:
    sent: list[int] = []
    carrier = Messenger(LONG_S)
    for number in range(5):
        carrier.deliver(partial(sent.append, number))
        assert sent[-1] == number


def test_a_broker_that_says_nothing_holds_nobody_up(silent_broker: str) -> None:
    app = Celery(broker=silent_broker)
    app.conf.task_publish_retry = False
    app.conf.broker_connection_timeout = LONG_S
    carrier, began = Messenger(0.1), monotonic()
    for _ in range(50):
        carrier.deliver(partial(app.send_task, "runs.advance", queue="cpu"), task="runs.advance")
    assert monotonic() - began < LONG_S / 3


def test_only_the_first_message_is_waited_for_while_none_leaves() -> None:
    is_back, waits = Event(), list[float]()
    carrier = Messenger(0.2)
    for _ in range(3):
        began = monotonic()
        carrier.deliver(is_back.wait)
        waits.append(monotonic() - began)
    is_back.set()
    assert waits[0] >= 0.2
    assert max(waits[1:]) < 0.2


def test_what_waited_leaves_in_order_when_the_broker_is_back() -> None:
    is_back, all_sent, sent = Event(), Event(), list[int]()
    carrier = Messenger(0.01)
    carrier.deliver(is_back.wait)
    for number in range(3):
        carrier.deliver(partial(sent.append, number))
    carrier.deliver(all_sent.set)
    assert sent == []
    is_back.set()
    assert all_sent.wait(LONG_S)
    assert sent == [0, 1, 2]


@pytest.mark.parametrize("error", [OperationalError("away"), ConnectionError(), TypeError("odd")])
def test_a_message_that_cannot_be_sent_is_not_the_last(error: Exception) -> None:
    carrier, sent = Messenger(LONG_S), Event()
    carrier.deliver(_failing(error))
    carrier.deliver(sent.set)
    assert sent.wait(LONG_S)


def test_what_finds_no_room_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messenger, "MOST_WAITING", 2)
    is_taken, is_back, sent = Event(), Event(), list[int]()

    def wait_for_broker() -> None:
        is_taken.set()
        is_back.wait()

    carrier = Messenger(0.01)
    carrier.deliver(wait_for_broker)
    assert is_taken.wait(LONG_S)
    for number in range(5):
        carrier.deliver(partial(sent.append, number))
    is_back.set()
    is_idle = Event()
    while not is_idle.wait(0.01):
        carrier.deliver(is_idle.set)
    assert sent == [0, 1]


def _failing(error: Exception) -> Callable[[], None]:
    def send() -> None:
        raise error

    return send
