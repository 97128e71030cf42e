"""Writes finished rounds to the database while the next round trains.

Waiting for each commit would cost a run of short rounds more than orchestration may, and so would
a transaction for each: short rounds are written several at a time. They are written in their order,
and what is recorded is always a beginning of what was trained: a crash can lose the newest rounds,
which are then trained again, to the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from typing import Any, NamedTuple, Self

from django.db import connection

Row = dict[str, Any]


class Timed(NamedTuple):
    """A row, and when it was handed over, by ``monotonic``."""

    row: Row
    at: float


#: Training waits when so many rounds are not written yet: then the database is the bottleneck.
MOST_WAITING = 64
#: Time between two transactions, unless somebody waits for them: nobody looks more often.
INTERVAL_S = 0.2


class Recorder:
    """A thread that passes rows on in batches, in order; a context manager."""

    def __init__(
        self, record: Callable[[list[Timed]], None], *, interval_s: float = INTERVAL_S
    ) -> None:
        """Prepare; ``record`` writes a batch as a whole or raises, and then no more is written."""
        self._record = record
        self._interval_s = interval_s
        self._written_at = -math.inf
        self._waiting: list[Timed] = []
        self._is_waited_for = False
        self._is_writing = False
        self._is_ended = False
        self._error: BaseException | None = None
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_ended = True
            self._changed.notify_all()
        self._thread.join()

    def add(self, row: Row) -> None:
        """Hand a row over; raise what kept an earlier one from being written."""
        with self._changed:
            self._changed.wait_for(lambda: self._error or len(self._waiting) < MOST_WAITING)
            self._raise_error()
            self._waiting.append(Timed(row, monotonic()))
            self._changed.notify_all()

    def drain(self) -> None:
        """Wait until every row is written; raise what kept one from it."""
        with self._changed:
            self._is_waited_for = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._error or not (self._waiting or self._is_writing))
            self._is_waited_for = False
            self._raise_error()

    def _is_urgent(self) -> bool:
        return self._is_ended or self._is_waited_for or len(self._waiting) >= MOST_WAITING

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while batch := self._take():
                self._record(batch)
                with self._changed:
                    self._is_writing = False
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 (raised again where the rows come from)
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            connection.close()

    def _take(self) -> list[Timed]:
        """Return the rows that wait, once it is time and there are any; none once that is all."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_ended)
            self._changed.wait_for(
                self._is_urgent, self._written_at + self._interval_s - monotonic()
            )
            self._written_at = monotonic()
            batch, self._waiting = self._waiting, []
            self._is_writing = bool(batch)
            return batch
