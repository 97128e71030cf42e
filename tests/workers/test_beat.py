"""The clock of upkeep: it ticks, and leaves nothing behind where it was started."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from webapp.celery import app
from workers.beat import BeatStep, schedule


def test_the_clock_has_its_schedule_and_writes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parent = SimpleNamespace(app=app)
    step = BeatStep(parent)
    step.start(parent)
    try:
        assert "reconcile" in step.beat.service.scheduler.schedule
    finally:
        step.stop(parent)
    assert step.beat is None
    assert list(tmp_path.iterdir()) == []


def test_upkeep_looks_several_times_within_a_lease() -> None:
    assert schedule(20.0)["reconcile"]["schedule"] == 4.0
    assert schedule(1.0)["reconcile"]["schedule"] == 1.0
