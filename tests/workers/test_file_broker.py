"""The embedded broker: messages keep their order, go to one consumer each, and are whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Connection, Producer, Queue

from webapp.broker import spool_options


@contextmanager
def connected(folder: Path) -> Iterator[Connection]:
    with Connection(
        "filesystem://localhost",
        transport="webapp.broker:SpoolTransport",
        transport_options=spool_options(folder),
    ) as connection:
        yield connection


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
