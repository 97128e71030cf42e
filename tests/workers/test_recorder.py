"""Rows are written in order while the caller goes on, and an error reaches the caller."""

from __future__ import annotations

from threading import Event

import pytest

from tests.waiting import wait_until
from workers.recorder import MOST_WAITING, Recorder, Row, Timed

WAIT_S = 30


class Book:
    """Where rows are written; waits for ``open`` before each batch."""

    def __init__(self) -> None:
        self.open = Event()
        self.asked = Event()
        self.batches: list[list[int]] = []
        self.error: Exception | None = None

    def record(self, rows: list[Timed]) -> None:
        self.asked.set()
        assert self.open.wait(WAIT_S)
        if self.error is not None:
            raise self.error
        self.batches.append([each.row["round"] for each in rows])

    @property
    def rounds(self) -> list[int]:
        return [number for batch in self.batches for number in batch]


def row(number: int) -> Row:
    return {"round": number}


def test_adding_does_not_wait_for_writing_and_draining_does() -> None:
    book = Book()
    with Recorder(book.record) as recorder:
        for number in range(5):
            recorder.add(row(number))
        assert book.rounds == []
        book.open.set()
        recorder.drain()
        assert book.rounds == [0, 1, 2, 3, 4]


def test_what_waits_is_written_together() -> None:
    book = Book()
    with Recorder(book.record) as recorder:
        recorder.add(row(0))
        assert book.asked.wait(WAIT_S)
        for number in (1, 2, 3):
            recorder.add(row(number))
        book.open.set()
        recorder.drain()
    assert book.batches == [[0], [1, 2, 3]]


def test_leaving_writes_what_waits() -> None:
    book = Book()
    with Recorder(book.record) as recorder:
        recorder.add(row(0))
        recorder.add(row(1))
        book.open.set()
    assert book.rounds == [0, 1]


def test_an_error_reaches_whoever_drains_or_adds_and_nothing_is_written_after_it() -> None:
    book = Book()
    book.error = ConnectionError("gone")
    with Recorder(book.record) as recorder:
        recorder.add(row(0))
        assert book.asked.wait(WAIT_S)
        recorder.add(row(1))
        book.open.set()
        with pytest.raises(ConnectionError, match="gone"):
            recorder.drain()
        book.error = None
        with pytest.raises(ConnectionError, match="gone"):
            recorder.add(row(2))
    assert book.rounds == []


def test_an_error_frees_a_caller_that_waits_because_too_much_is_unwritten() -> None:
    book = Book()
    book.error = ConnectionError("gone")
    with Recorder(book.record) as recorder:
        recorder.add(row(0))
        assert book.asked.wait(WAIT_S)
        for number in range(MOST_WAITING):
            recorder.add(row(number))
        book.open.set()
        with pytest.raises(ConnectionError, match="gone"):
            recorder.add(row(99))


def test_short_rounds_share_a_transaction_and_a_long_one_is_written_at_once() -> None:
    book = Book()
    book.open.set()
    with Recorder(book.record, interval_s=3600.0) as recorder:
        recorder.add(row(0))
        wait_until(lambda: book.batches == [[0]], within_s=WAIT_S, what="the first row at once")
        for number in range(1, 4):
            recorder.add(row(number))
        recorder.drain()
        assert book.batches == [[0], [1, 2, 3]]
        for number in range(4, 4 + MOST_WAITING):
            recorder.add(row(number))
        wait_until(
            lambda: len(book.rounds) == 4 + MOST_WAITING, within_s=WAIT_S, what="a full table"
        )
    assert book.rounds == list(range(4 + MOST_WAITING))
