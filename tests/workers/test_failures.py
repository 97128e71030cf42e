"""Every error becomes a card with a code, a message for people and, where known, the fix."""

from __future__ import annotations

import errno
import logging

import pytest

from fedcore.errors import ClientFailedError, DatasetError
from workers.failures import failure_of


def test_a_named_error_keeps_its_code_its_place_and_its_fix() -> None:
    error = DatasetError("no such folder", field="dataset.path", fix="Name a folder.")
    failure = failure_of(error, round_index=None)
    assert failure.code == "dataset_unreadable"
    assert failure.message == "no such folder"
    assert failure.field == "dataset.path"
    assert failure.fix == "Name a folder."


def test_the_client_and_the_round_of_an_error_are_named() -> None:
    failure = failure_of(ClientFailedError("lost", client_id=7, round_index=3), round_index=9)
    assert (failure.client_id, failure.round_index) == (7, 3)


def test_an_error_that_does_not_know_its_round_gets_the_running_one() -> None:
    assert failure_of(ClientFailedError("lost", client_id=7), round_index=9).round_index == 9


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "out_of_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
    ],
)
def test_a_machine_at_its_limit_is_told_from_a_mistake_of_ours(error: Exception, code: str) -> None:
    failure = failure_of(error, round_index=1)
    assert failure.code == code
    assert failure.fix


def test_the_traceback_of_an_unexpected_error_is_in_the_log_and_not_on_the_card(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        failure = failure_of(KeyError("surprise"), round_index=2)
    assert failure.code == "internal_error"
    assert "surprise" in failure.message
    assert "Traceback" not in failure.message
    (record,) = caplog.records
    assert isinstance(record.msg, dict)
    assert isinstance(record.msg["exc_info"], KeyError)
