"""The clock of upkeep: it ticks whatever the time of day, and ends with its worker."""

from __future__ import annotations

from queue import Queue

from tests.waiting import wait_until
from webapp.jobs.queue import RECONCILE
from workers.beat import Clock, intervals_s


def test_each_task_is_due_at_once_and_then_after_its_interval() -> None:
    sent: Queue[str] = Queue()
    clock = Clock({"often": 0.02, "seldom": 600.0}, lambda task, _: sent.put(task))
    clock.start()
    try:
        wait_until(lambda: sent.qsize() >= 5, within_s=10, what="some turns")
    finally:
        clock.stop()
    turns = [sent.get() for _ in range(sent.qsize())]
    assert turns.count("seldom") == 1
    assert turns.count("often") == len(turns) - 1


def test_a_clock_that_was_stopped_starts_nothing_more() -> None:
    sent: Queue[str] = Queue()
    clock = Clock({"task": 0.001}, lambda task, _: sent.put(task))
    clock.start()
    wait_until(lambda: not sent.empty(), within_s=10, what="a turn")
    clock.stop()
    number = sent.qsize()
    assert not clock._thread.is_alive()  # noqa: SLF001 (that it ends is what is tested)
    assert sent.qsize() == number


def test_upkeep_looks_several_times_within_a_lease() -> None:
    assert intervals_s(20.0)[RECONCILE] == 4.0
    assert intervals_s(1.0)[RECONCILE] == 1.0
