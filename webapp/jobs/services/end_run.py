"""How a worker ends its part: the run succeeded, failed, or stops as its user asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from webapp.artifacts.models import Artifact, ArtifactKind
from webapp.artifacts.services import StoredFile
from webapp.jobs.clock import database_now
from webapp.jobs.events import ArtifactCreatedData
from webapp.jobs.failures import Failure
from webapp.jobs.models import Run
from webapp.jobs.services.leases import Lease, lock_leased_run
from webapp.jobs.services.run_changes import FREE, cancel_reason, transition
from webapp.jobs.states import RequestedAction, RunState

log = structlog.get_logger(__name__)

#: Clients that are kept of a failed round; they mostly say the same.
_MOST_CLIENTS = 1_000

_ENDED: dict[str, Any] = {**FREE, "requested_action": RequestedAction.NONE}


@transaction.atomic
def finish_run(
    *,
    lease: Lease,
    metrics: Mapping[str, float],
    totals: Mapping[str, float],
    model_artifacts: Sequence[StoredFile],
    now: datetime | None = None,
) -> None:
    """Record the success: the final metrics, and the model's files, which are stored already.

    The totals of the run are the sums of its recorded rounds; the engine's own are compared, for
    a difference would mean that a round was counted twice or not at all.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    _compare_totals(run, totals)
    Artifact.objects.bulk_create(
        Artifact(
            run=run,
            kind=ArtifactKind.MODEL,
            name=file.name,
            key=file.key,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            round_index=run.rounds_done,
        )
        for file in model_artifacts
    )
    created = [ArtifactCreatedData(kind="model", size_bytes=f.size_bytes) for f in model_artifacts]
    transition(
        run,
        RunState.SUCCEEDED,
        *created,
        reason=f"{run.rounds_done} rounds are done.",
        now=now,
        finished_at=now,
        latest_metrics={**run.latest_metrics, **metrics},
        **_ENDED,
    )


@transaction.atomic
def fail_run(
    *,
    lease: Lease,
    failure: Failure,
    clients: Mapping[int | str, str] | None = None,
    kept: StoredFile | None = None,
    now: datetime | None = None,
) -> None:
    """Record why the run cannot go on, and of which clients of its last round that is known.

    Args:
        lease: The right to work on the run.
        failure: Why.
        clients: Reasons by client.
        kept: The updates of the others, stored for a second try of the round.
        now: Time of the change; the clock's if not given.
    """
    now = now or database_now()
    run = lock_leased_run(lease)
    transition(
        run,
        RunState.FAILED,
        reason=failure.message,
        now=now,
        finished_at=now,
        failure=failure.model_dump(mode="json"),
        kept_updates=kept
        and {"key": kept.key, "sha256": kept.sha256, "round_index": run.rounds_done},
        failed_clients=[
            {"client_id": client_id, "status": "failed", "reason": reason}
            for client_id, reason in list((clients or {}).items())[:_MOST_CLIENTS]
        ],
        **_ENDED,
    )


@transaction.atomic
def pause_run(*, lease: Lease, now: datetime | None = None) -> None:
    """Stop here as asked; the run keeps its checkpoint and goes on when it is resumed."""
    run = lock_leased_run(lease)
    reason = "Paused on request."
    transition(run, RunState.PAUSED, reason=reason, now=now or database_now(), **_ENDED)


@transaction.atomic
def cancel_run(*, lease: Lease, now: datetime | None = None) -> None:
    """Stop for good as asked."""
    now = now or database_now()
    run = lock_leased_run(lease)
    reason = cancel_reason(run)
    transition(run, RunState.CANCELLED, reason=reason, now=now, finished_at=now, **_ENDED)


def _compare_totals(run: Run, totals: Mapping[str, float]) -> None:
    for name in ("bytes_up", "bytes_down"):
        if name in totals and totals[name] != getattr(run, name):
            log.warning(
                "totals differ",
                run_id=str(run.pk),
                name=name,
                recorded=getattr(run, name),
                engine=totals[name],
            )
