"""The log of a site is only ever added to, and shows when somebody did otherwise."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fedcore.agent.audit import AuditError, AuditLog

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "audit.jsonl"


@pytest.fixture
def log(file: Path) -> AuditLog:
    log = AuditLog(file, now=lambda: NOON)
    for round_index in range(5):
        log.record("task accepted", run_id="r", round_index=round_index)
    return log


def test_lines_say_when_what_and_about_whom(log: AuditLog, file: Path) -> None:
    newest, *_ = log.latest(2)
    assert (newest.time, newest.event) == ("2026-05-01T12:00:00.000+00:00", "task accepted")
    assert newest.facts == {"run_id": "r", "round_index": 4}
    assert len(log.latest(2)) == 2
    assert log.check() == 5
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    empty = AuditLog(tmp_path / "none.jsonl")
    assert (empty.check(), empty.latest(3)) == (0, [])


@pytest.mark.parametrize("line", [0, 1, 3])
def test_a_changed_line_is_noticed(log: AuditLog, file: Path, line: int) -> None:
    lines = file.read_text().splitlines()
    lines[line] = lines[line].replace("accepted", "refused")
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(AuditError, match=f"line {line + 2} "):
        log.check()


@pytest.mark.parametrize("line", [0, 2])
def test_a_missing_line_is_noticed(log: AuditLog, file: Path, line: int) -> None:
    lines = file.read_text().splitlines()
    del lines[line]
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(AuditError, match=f"line {line + 1} "):
        log.check()


def test_a_line_that_was_cut_off_does_not_stop_the_log(log: AuditLog, file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])  # the power went while it was written
    log.record("agent started")
    assert log.check() == 6
    assert [entry.event for entry in log.latest(2)] == [
        "agent started",
        "a line that cannot be read",
    ]


def test_no_line_can_forge_another(log: AuditLog) -> None:
    log.record("run refused", message='x"}\n{"event": "task accepted"')
    assert log.check() == 6
    assert log.latest(1)[0].facts["message"] == 'x"}\n{"event": "task accepted"'


def test_two_writers_do_not_break_the_chain(log: AuditLog, file: Path) -> None:
    def write() -> None:
        other = AuditLog(file)
        for number in range(20):
            other.record("approved", number=number, long="x" * 5000)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.check() == 85


def test_a_line_longer_than_one_read_is_followed(log: AuditLog, file: Path) -> None:
    log.record("long", text="x" * 200_000)
    log.record("short")
    assert log.check() == 7
    assert json.loads(file.read_text().splitlines()[-1])["event"] == "short"
