"""A server that is killed and comes back, empty where it may be, changes nothing of a run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.conftest import ON_EACH_SERVER_BROKER, ON_POSTGRESQL, SPEC
from tests.faults.stack import (
    PATIENCE_S,
    Stack,
    assert_as_undisturbed,
    wait_for_end,
    wait_for_rounds,
)
from tests.waiting import wait_until
from webapp.client import Run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

Lines = list[dict[str, Any]]


@ON_POSTGRESQL
@pytest.mark.fault("PostgreSQL killed and started again, in training")
def test_a_database_that_crashes_twice_loses_nothing(stack: Stack, undisturbed: Lines) -> None:
    with stack.client() as client:

        def refused() -> None:
            wait_until(lambda: not client.is_ready(), within_s=60, what="the web server to notice")

        with stack.slowed():
            run = client.submit(name="database killed", spec=SPEC).runs[0]
            for rounds in (10, 40):
                wait_until(client.is_ready, within_s=PATIENCE_S, what="the database back")
                wait_for_rounds(client, run, rounds)
                stack.restart_server("postgresql", while_down=refused)
        ended = wait_for_end(client, run)
        assert_as_undisturbed(client, ended, undisturbed)


def num_turns(stack: Stack) -> int:
    """Return how often a worker has let go of a run, and so of a message, until now."""
    return (stack.var_dir / "up.log").read_text(errors="replace").count("turn ended")


@ON_EACH_SERVER_BROKER
@pytest.mark.fault("broker killed, started again without its queues")
def test_a_broker_that_forgets_its_queues_loses_nothing(stack: Stack, undisturbed: Lines) -> None:
    """One run trains, one waits with its message in the queue, one comes while nobody takes any."""
    name = "rabbitmq" if stack.settings["ROUNDHOUSE_BROKER_URL"].startswith("amqp") else "redis"
    with stack.client() as client:
        late: list[Run] = []

        def submit_one_more() -> None:
            turns = num_turns(stack)
            late.extend(client.submit(name="broker away", spec=SPEC).runs)
            wait_until(lambda: num_turns(stack) > turns, within_s=60, what="the end of a turn")

        with stack.slowed():
            runs = [client.submit(name=f"broker killed {n}", spec=SPEC).runs[0] for n in (1, 2)]
            wait_for_rounds(client, runs[0], 10)
            stack.restart_server(name, while_down=submit_one_more)
        for run in [*runs, *late]:
            ended = wait_for_end(client, run)
            assert_as_undisturbed(client, ended, undisturbed)
