"""When rounds end, who has arrived by then, and what becomes of everybody else."""

from __future__ import annotations

from fedcore.engine.flights import land
from fedcore.messages import Message
from fedcore.state import Flight
from fedcore.triggers import AllArrived, Buffered, Ticking, Trigger


def at_work(*seconds: float, lost: tuple[int, ...] = ()) -> dict[int, Flight]:
    """Return clients 0, 1, ... that arrive after so many seconds."""
    return {
        client: Flight(
            message=Message(sections={}, base_version=0),
            bytes_down=0,
            since=0,
            seconds=after,
            arrives_in_s=after,
            is_lost=client in lost,
        )
        for client, after in enumerate(seconds)
    }


def landed(
    flights: dict[int, Flight], trigger: Trigger, deadline_s: float | None = None
) -> tuple[dict[int, str], float]:
    landing = land(flights, trigger, deadline_s)
    return dict(landing.fates), landing.seconds


def test_a_synchronous_round_lasts_as_long_as_its_slowest_client() -> None:
    fates, seconds = landed(at_work(2.0, 5.0, 1.0), AllArrived())
    assert fates == {0: "arrives", 1: "arrives", 2: "arrives"}
    assert seconds == 5.0


def test_a_synchronous_round_does_not_wait_for_the_lost() -> None:
    fates, seconds = landed(at_work(2.0, 5.0, lost=(1,)), AllArrived())
    assert fates == {0: "arrives", 1: "lost"}
    assert seconds == 2.0


def test_at_the_deadline_the_late_are_let_go() -> None:
    fates, seconds = landed(at_work(2.0, 5.0, 4.0, lost=(2,)), AllArrived(), deadline_s=3.0)
    assert fates == {0: "arrives", 1: "late", 2: "lost"}
    assert seconds == 3.0


def test_a_step_at_every_arrival_takes_one_update_however_many_arrive_together() -> None:
    fates, seconds = landed(at_work(3.0, 2.0, 2.0), Buffered(1))
    assert fates == {1: "arrives"}
    assert seconds == 2.0


def test_a_buffer_is_full_with_the_update_that_fills_it() -> None:
    fates, seconds = landed(at_work(3.0, 2.0, 9.0, 1.0), Buffered(2))
    assert fates == {3: "arrives", 1: "arrives"}
    assert seconds == 2.0


def test_a_lost_client_does_not_fill_a_buffer_and_is_missed_when_it_should_have_come() -> None:
    fates, seconds = landed(at_work(1.0, 2.0, 3.0, 9.0, lost=(0, 3)), Buffered(2))
    assert fates == {0: "lost", 1: "arrives", 2: "arrives"}
    assert seconds == 3.0


def test_a_buffer_that_nobody_can_fill_does_not_wait_for_ever() -> None:
    assert landed(at_work(1.0, 2.0, lost=(0, 1)), Buffered(1))[0] == {0: "lost", 1: "lost"}
    assert landed(at_work(1.0, 2.0), Buffered(5)) == ({0: "arrives", 1: "arrives"}, 2.0)


def test_a_tick_takes_what_has_arrived_be_it_nothing() -> None:
    assert landed(at_work(0.4, 0.6), Ticking(0.5)) == ({0: "arrives"}, 0.5)
    assert landed(at_work(0.7, 0.6), Ticking(0.5)) == ({}, 0.5)
    assert landed(at_work(0.1, 0.9, lost=(0, 1)), Ticking(0.5)) == ({0: "lost"}, 0.5)


def test_a_tick_forgives_the_last_digit() -> None:
    assert landed(at_work(0.3 - 0.2), Ticking(0.1))[0] == {0: "arrives"}
    assert landed(at_work(0.1 + 0.2), Ticking(0.3))[0] == {0: "arrives"}
