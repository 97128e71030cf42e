"""What is kept for how long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import begin, report
from webapp.accounts.models import User
from webapp.artifacts.models import Artifact
from webapp.artifacts.services import store_checkpoint
from webapp.jobs import services
from webapp.jobs.models import Run

LATER = timedelta(days=8)


@pytest.fixture
def ended(run: Run, editor: User, tmp_path: Path) -> Run:
    """A cancelled run with a checkpoint, a round and some events."""
    lease = begin(run)
    services.record_round(lease=lease, report=report(0))
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "x").write_text("x")
    stored = store_checkpoint(run_id=run.pk, folder=tmp_path / "state")
    services.record_checkpoint(
        lease=lease,
        key=stored.key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        round_index=1,
    )
    services.request_cancel(run=run, user=editor)
    services.cancel_run(lease=lease)
    run.refresh_from_db()
    return run


def test_without_settings_everything_is_kept(ended: Run) -> None:
    found = services.discard_old(now=timezone.now() + timedelta(days=10_000))
    assert found == services.Discarded(0, 0, 0)


def test_a_checkpoint_goes_when_its_run_ended_long_ago(ended: Run, settings: Settings) -> None:
    settings.KEEP_CHECKPOINTS_DAYS = 7
    key = Artifact.objects.get(run=ended).key
    assert services.discard_old(now=timezone.now()).checkpoints == 0
    assert default_storage.exists(key)
    assert services.discard_old(now=timezone.now() + LATER).checkpoints == 1
    assert not default_storage.exists(key)
    assert not Artifact.objects.exists()


def test_events_go_and_a_reader_is_not_kept_waiting_for_them(
    api: APIClient, ended: Run, editor: User, settings: Settings
) -> None:
    settings.KEEP_EVENTS_DAYS = 7
    assert services.discard_old(now=timezone.now() + LATER).runs_without_events == 1
    page = api.get(f"/api/v1/runs/{ended.pk}/events/").json()
    assert (page["events"], page["has_more"]) == ([], False)
    assert page["last_seq"] == ended.last_seq
    assert len(api.get(f"/api/v1/runs/{ended.pk}/metrics/").json()["rounds"]) == 1
    services.request_retry(run=ended, user=editor)
    (event,) = api.get(f"/api/v1/runs/{ended.pk}/events/").json()["events"]
    assert event["seq"] == ended.last_seq + 1


def test_what_is_under_way_keeps_all(run: Run, settings: Settings) -> None:
    settings.KEEP_EVENTS_DAYS = settings.KEEP_CHECKPOINTS_DAYS = 1
    begin(run)
    assert services.discard_old(now=timezone.now() + LATER) == services.Discarded(0, 0, 0)
    assert run.events.exists()
