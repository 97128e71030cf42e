"""SQLite whose writers wait for each other, as far as they are threads of one process.

SQLite lets one write at a time. Whoever comes meanwhile sleeps and looks again, up to a tenth of a
second later, so that with a few threads the file is mostly free and everybody asleep. Here they
wait for a lock first, and one of them goes on as soon as the one before has ended: any one, for a
lock knows no order.
"""

from __future__ import annotations

from collections import defaultdict
from threading import Lock
from typing import Any

from django.db.backends.sqlite3 import base

#: By the name of the file.
_locks: defaultdict[str, Lock] = defaultdict(Lock)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose transactions wait for those of the process's other threads."""

    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # in no stub
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._end_turn()  # a commit that fails leaves the transaction as it was

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        """Wait as long as SQLite's time-out says.

        Without a turn SQLite is asked all the same, and waits as long again before it fails: for
        a process that is not this one, or a thread that holds the file for so long.
        """
        if not self._has_turn:
            options: dict[str, Any] = self.settings_dict["OPTIONS"]
            self._has_turn = self._lock.acquire(timeout=options.get("timeout", 5.0))

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._lock.release()

    @property
    def _lock(self) -> Lock:
        return _locks[str(self.settings_dict["NAME"])]
