"""Whether this process has been asked to stop; a run in training then ends at its next batch."""

from __future__ import annotations

from threading import Event
from typing import Any

from celery.signals import worker_shutting_down

_stopping = Event()


def is_stopping() -> bool:
    """Return whether the worker is shutting down and should give back its run."""
    return _stopping.is_set()


@worker_shutting_down.connect
def _remember(**_: Any) -> None:
    _stopping.set()
