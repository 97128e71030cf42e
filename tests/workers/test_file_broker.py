"""The embedded broker: messages keep their order, go to one consumer each, and are whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import pytest
from kombu import Connection, Consumer, Producer, Queue

from webapp.broker import spool_options


@contextmanager
def connected(folder: Path) -> Iterator[Connection]:
    with Connection(
        "filesystem://localhost",
        transport="webapp.broker:SpoolTransport",
        transport_options=spool_options(folder),
    ) as connection:
        yield connection


@contextmanager
def consuming(folder: Path) -> Iterator[tuple[Connection, list[Any]]]:
    """A consumer that takes one message at a time, and what it has got."""
    with connected(folder) as connection:
        channel: Any = connection.channel()
        channel.basic_qos(0, 1, False)  # noqa: FBT003  (as kombu names them: size, count, for all)
        got: list[Any] = []
        queue = Queue("cpu", channel=channel)
        with Consumer(channel, [queue], on_message=got.append, accept=["json"]):
            yield connection, got


def put(folder: Path, *bodies: int) -> None:
    with connected(folder) as connection:
        producer = Producer(connection.channel())
        for body in bodies:
            producer.publish({"body": body}, exchange="", routing_key="cpu")


def take_all(folder: Path) -> list[int]:
    found: list[int] = []
    with connected(folder) as connection:
        queue = Queue("cpu", channel=connection.channel())
        while (message := queue.get()) is not None:
            message.ack()
            found.append(message.payload["body"])
    return found


def test_messages_come_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    put(tmp_path, *range(20))
    assert take_all(tmp_path) == [*range(20)]


def test_each_message_goes_to_one_of_several_consumers(tmp_path: Path) -> None:
    put(tmp_path, *range(60))
    with ThreadPoolExecutor(4) as pool:
        parts = [future.result() for future in [pool.submit(take_all, tmp_path) for _ in range(4)]]
    assert sorted(body for part in parts for body in part) == list(range(60))


def test_a_message_that_is_still_being_written_is_not_seen(tmp_path: Path) -> None:
    put(tmp_path, 1)
    (message,) = (tmp_path / "messages").iterdir()
    message.rename(message.with_name(f".{message.name}.draft"))
    assert take_all(tmp_path) == []


def test_a_consumer_that_dies_with_a_message_leaves_the_others_theirs(tmp_path: Path) -> None:
    put(tmp_path, 1, 2)
    first, _ = sorted((tmp_path / "messages").iterdir())
    first.rename(tmp_path / "claimed" / first.name)
    assert take_all(tmp_path) == [2]


@pytest.mark.parametrize("name", ["messages", "claimed", "control"])
def test_the_folders_are_made(tmp_path: Path, name: str) -> None:
    spool_options(tmp_path / "broker")
    assert (tmp_path / "broker" / name).is_dir()


def looks(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how often the consumer looks for messages in a fifth of a second that brings none."""
    count = 0
    transport: Any = connection.transport
    cycle = transport.cycle
    get = cycle.get

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        return get(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(cycle, "get", counted)
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.2)
    return count


def test_it_looks_often_after_the_work_on_a_message_and_seldom_during_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, 1, 2)
    with consuming(tmp_path) as (connection, got):
        connection.drain_events(timeout=1)
        during = looks(connection, monkeypatch)
        assert [message.payload["body"] for message in got] == [1]
        got[0].ack()
        connection.drain_events(timeout=1)
        got[1].ack()
        assert [message.payload["body"] for message in got] == [1, 2]
        after = looks(connection, monkeypatch)
    assert during <= 11
    assert after > 2 * during


def test_the_next_message_is_looked_for_as_soon_as_the_work_on_one_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.broker._POLL_S", 60.0)
    put(tmp_path, 1, 2)
    with consuming(tmp_path) as (connection, got):
        connection.drain_events(timeout=1)
        worker = Timer(0.1, got[0].ack)
        began = monotonic()
        worker.start()
        connection.drain_events(timeout=30)
        took_s = monotonic() - began
        worker.join()
    assert [message.payload["body"] for message in got] == [1, 2]
    assert took_s < 15
