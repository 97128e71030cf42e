"""A clock that is set, or that differs from the database's, changes nothing and stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.clock import Clock
from tests.faults.conftest import ON_EACH_DATABASE, ON_POSTGRESQL, SPEC
from tests.faults.stack import (
    Stack,
    assert_as_undisturbed,
    wait_for_end,
    wait_for_rounds,
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

Lines = list[dict[str, Any]]

HOUR_S = 3600


@pytest.fixture
def host_clock(stack: Stack) -> Iterator[Clock]:
    assert stack.servers is not None
    yield from _that_can_jump(stack.servers.host_clock)


@pytest.fixture
def database_clock(stack: Stack) -> Iterator[Clock]:
    assert stack.servers is not None
    if stack.servers.database_clock is None or "postgresql" not in stack.servers.own:
        pytest.skip("the clock of this database cannot be set")
    yield from _that_can_jump(stack.servers.database_clock)


def _that_can_jump(clock: Clock) -> Iterator[Clock]:
    if not clock.can_jump:
        pytest.skip("there is no compiler here to make a clock with")
    yield clock
    clock.set_right()


@ON_EACH_DATABASE
@pytest.mark.fault("clock of web and workers set forward, then back, by hours")
def test_setting_the_clock_of_the_processes_loses_nothing(
    stack: Stack, host_clock: Clock, undisturbed: Lines
) -> None:
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="clock set", spec=SPEC).runs[0]
            for rounds, hours in ((5, 3), (40, -5)):
                wait_for_rounds(client, run, rounds)
                host_clock.jump(hours * HOUR_S)
                stack.injected += 1
        waiting = client.submit(name="submitted in the past", spec=SPEC).runs[0]
        stack.lose_messages()
        for each in (run, waiting):
            assert_as_undisturbed(client, wait_for_end(client, each), undisturbed)


@ON_EACH_DATABASE
@pytest.mark.fault("clock set back by hours, and the worker killed before it has renewed its lease")
def test_a_lease_that_ends_in_hours_of_a_worker_that_is_dead_does_not_hold_its_run(
    stack: Stack, host_clock: Clock, undisturbed: Lines
) -> None:
    """Everything that was due in seconds is due in hours now, and nobody is there to renew it."""
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="clock set, worker killed", spec=SPEC).runs[0]
            wait_for_rounds(client, run, 20)
            host_clock.jump(-2 * HOUR_S)
            stack.kill("worker-1")
        assert_as_undisturbed(client, wait_for_end(client, run), undisturbed)


@ON_POSTGRESQL
@pytest.mark.fault("clock of PostgreSQL set forward, then back, by hours, and the worker killed")
def test_setting_the_clock_of_the_database_loses_nothing(
    stack: Stack, database_clock: Clock, undisturbed: Lines
) -> None:
    with stack.client() as client:
        with stack.slowed():
            run = client.submit(name="database's clock set", spec=SPEC).runs[0]
            for rounds, hours in ((5, 3), (40, -5)):
                wait_for_rounds(client, run, rounds)
                database_clock.jump(hours * HOUR_S)
                stack.injected += 1
            stack.kill("worker-1")
        assert_as_undisturbed(client, wait_for_end(client, run), undisturbed)
