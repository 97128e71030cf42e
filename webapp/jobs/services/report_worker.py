from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from webapp.jobs.operation_models import Worker

#: Rows of workers that have been gone for so long are removed.
_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What a worker process says about itself, every few seconds."""

    name: str
    host: str
    pid: int
    version: str
    queues: Sequence[str]
    hardware: Mapping[str, Any]
    started_at: datetime
    id: UUID = field(default_factory=uuid4)


def report_worker(
    *, report: WorkerReport, load: Mapping[str, Any], run_id: UUID | None, now: datetime
) -> None:
    """Say that a worker is alive, how busy its machine is, and which run it works on."""
    Worker.objects.update_or_create(
        id=report.id,
        defaults={
            "name": report.name,
            "host": report.host,
            "pid": report.pid,
            "version": report.version,
            "queues": list(report.queues),
            "hardware": dict(report.hardware),
            "load": dict(load),
            "run_id": run_id,
            "started_at": report.started_at,
            "seen_at": now,
        },
    )


def forget_worker(*, worker_id: UUID) -> None:
    """Remove a worker that ends as it should."""
    Worker.objects.filter(pk=worker_id).delete()


def forget_old_workers(*, now: datetime) -> int:
    """Remove workers that went silent long ago; return how many."""
    return Worker.objects.filter(seen_at__lt=now - _FORGOTTEN_AFTER).delete()[0]
