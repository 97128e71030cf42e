"""A worker says that it is there, and what it works on."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.waiting import wait_until
from webapp.jobs.models import Worker
from workers.presence import Presence, hardware, load, working_on


def test_the_hardware_and_load_of_this_machine_are_plausible() -> None:
    assert hardware()["cpus"] >= 1
    assert hardware()["memory_bytes"] > 10**8
    assert 0 < (load()["memory_available_bytes"] or 1) <= hardware()["memory_bytes"]


@pytest.mark.django_db(transaction=True)
def test_a_process_reports_itself_and_its_run_and_goes_without_a_trace() -> None:
    presence = Presence("worker-9", ["cpu"], interval_s=0.01)
    run_id = uuid4()
    presence.start()
    try:
        with working_on(run_id):
            busy = Worker.objects.filter(run_id=run_id, name="worker-9")
            wait_until(busy.exists, within_s=20, what="a report")
        wait_until(lambda: not busy.exists(), within_s=20, what="a report of an idle worker")
        assert Worker.objects.get(name="worker-9").queues == ["cpu"]
    finally:
        presence.stop()
    assert not Worker.objects.exists()
