"""Waiting for something that other threads or processes do: with a condition and a deadline."""

from collections.abc import Callable
from threading import Event
from time import monotonic


def wait_until(
    condition: Callable[[], object], *, within_s: float, what: str, every_s: float = 0.02
) -> None:
    """Return once the condition holds; fail naming what did not happen in time."""
    pause = Event()
    deadline = monotonic() + within_s
    while not condition():
        if monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        pause.wait(every_s)
