"""Threads that write to one file of SQLite wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connections

from webapp.database.sqlite3.base import DatabaseWrapper
from webapp.settings.database import sqlite

WITHIN_S = 20.0
pytestmark = pytest.mark.django_db


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[[], DatabaseWrapper]]:
    made: list[DatabaseWrapper] = []
    settings = connections["default"].settings_dict | sqlite(tmp_path / "turns.sqlite3")

    def make() -> DatabaseWrapper:
        made.append(DatabaseWrapper(settings))
        made[-1].inc_thread_sharing()
        return made[-1]

    yield make
    for connection in made:
        connection.close()


def begin(connection: DatabaseWrapper) -> None:
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_the_next_one_begins_when_the_one_before_has_ended(
    connect: Callable[[], DatabaseWrapper], end: str
) -> None:
    first, second, has_begun = connect(), connect(), Event()

    def write() -> None:
        begin(second)
        has_begun.set()

    begin(first)
    other = Thread(target=write)
    other.start()
    assert not has_begun.wait(0.1)
    getattr(first, end)()
    assert has_begun.wait(WITHIN_S)
    other.join()
    second.rollback()


def test_a_transaction_that_cannot_begin_takes_nobody_elses_turn(
    connect: Callable[[], DatabaseWrapper],
) -> None:
    broken, other = connect(), connect()
    begin(broken)
    with pytest.raises(Exception, match="within a transaction"):
        broken._start_transaction_under_autocommit()  # noqa: SLF001
    broken.rollback()
    begin(other)
    other.rollback()
