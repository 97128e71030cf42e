"""Catching what is sent to the broker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from webapp.celery import app
from webapp.jobs import queue
from webapp.messenger import Messenger

#: Longer than the machine ever takes for a message that goes no further than this process.
PATIENCE_S = 60.0


def catch_messages(monkeypatch: pytest.MonkeyPatch, take: Callable[..., object]) -> None:
    """Give ``take`` every task that is sent, before whoever sends it goes on."""
    monkeypatch.setattr(app, "send_task", take)
    monkeypatch.setattr(queue, "_messenger", Messenger(PATIENCE_S))
