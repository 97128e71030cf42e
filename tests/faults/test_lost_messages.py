"""A broker or Redis that forgets everything changes neither the numbers nor the events of a run."""

from __future__ import annotations

from typing import Any

import pytest

from tests import services
from tests.faults.conftest import SPEC
from tests.faults.servers import BROKER_DB, LIVE_DB, flush, purge
from tests.faults.stack import Stack, assert_as_undisturbed, wait_for_end, wait_for_rounds

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

Lines = list[dict[str, Any]]


def lose_messages(stack: Stack) -> None:
    """Empty the broker of this stack, and Redis where it has one."""
    broker = stack.settings.get("ROUNDHOUSE_BROKER_URL", "")
    if not broker:
        for message in (stack.var_dir / "broker" / "messages").iterdir():
            message.unlink(missing_ok=True)
        return
    flush(LIVE_DB, BROKER_DB)
    if broker == services.AMQP_URL:
        purge(broker)


def test_losing_every_message_in_the_middle_loses_nothing(stack: Stack, undisturbed: Lines) -> None:
    """One worker and two runs: one trains, and the message of the other is what gets lost."""
    with stack.client() as client:
        runs = [client.submit(name=f"messages lost {n}", spec=SPEC).runs[0] for n in (1, 2)]
        wait_for_rounds(client, runs[0], 10)
        for rounds in (12, 16, 20):
            wait_for_rounds(client, runs[0], rounds)
            lose_messages(stack)
        for run in runs:
            ended = wait_for_end(client, run)
            assert_as_undisturbed(client, ended, undisturbed)


def test_a_run_whose_only_message_was_lost_is_started_all_the_same(
    stack: Stack, undisturbed: Lines
) -> None:
    with stack.client() as client:
        busy = client.submit(name="keeps the worker busy", spec=SPEC).runs[0]
        run = client.submit(name="never announced", spec=SPEC).runs[0]
        lose_messages(stack)
        for each in (busy, run):
            ended = wait_for_end(client, each)
            assert_as_undisturbed(client, ended, undisturbed)
