from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from webapp.artifacts.models import Artifact, ArtifactKind
from webapp.artifacts.services import discard_other_checkpoints
from webapp.jobs.clock import database_now
from webapp.jobs.events import CheckpointSavedData
from webapp.jobs.models import Run
from webapp.jobs.services.leases import Checkpoint, Lease, lock_leased_run
from webapp.jobs.services.run_changes import change


@transaction.atomic
def record_checkpoint(
    *,
    lease: Lease,
    key: str,
    size_bytes: int,
    sha256: str,
    round_index: int,
    now: datetime | None = None,
) -> None:
    """Make a stored file the run's checkpoint; the one before it is removed.

    Args:
        lease: The right to work on the run.
        key: Where the file is, from ``artifacts.services.store_checkpoint``.
        size_bytes: Its size.
        sha256: Its checksum.
        round_index: How many rounds it contains.
        now: Time of the change; the clock's if not given.

    Raises:
        LeaseLostError: If the run belongs to somebody else; the caller then removes the file.
    """
    run = lock_leased_run(lease)
    now = now or database_now()
    name_checkpoint(run, Checkpoint(key, size_bytes, sha256, round_index), now)
    saved = CheckpointSavedData(round_index=round_index, size_bytes=size_bytes)
    change(run, saved, now=now)
    # Robust: the checkpoint is recorded, whether or not an old file can be removed.
    transaction.on_commit(lambda: discard_other_checkpoints(run_id=run.pk, keep=key), robust=True)


def name_checkpoint(run: Run, newest: Checkpoint, now: datetime) -> None:
    """Make a file the checkpoint of a locked run; it has one row, which says what it is now."""
    named = {
        **asdict(newest),
        "name": f"checkpoint-{newest.round_index}.tar",
        "created_at": now,
    }
    checkpoints = Artifact.objects.filter(run=run, kind=ArtifactKind.CHECKPOINT)
    if not checkpoints.update(**named):
        Artifact.objects.create(run=run, kind=ArtifactKind.CHECKPOINT, **named)
