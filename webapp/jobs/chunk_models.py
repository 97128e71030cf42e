"""Parts of a round that workers share out."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from webapp.accounts.scoping import ProjectScopedQuerySet


class ChunkState(models.TextChoices):
    WAITING = "waiting"
    TRAINING = "training"
    DONE = "done"
    #: Another attempt was first, or its worker was lost; this one counts for nothing.
    DROPPED = "dropped"


#: Attempts that may still bring a result.
LIVE = (ChunkState.WAITING, ChunkState.TRAINING)


class ChunkQuerySet(ProjectScopedQuerySet["Chunk"]):
    to_project: ClassVar[str] = "run__project__"

    def of_round(self, run_id: uuid.UUID, round_index: int) -> Self:
        return self.filter(run_id=run_id, round_index=round_index)

    def live(self) -> Self:
        """Keep the attempts that may still bring a result."""
        return self.filter(state__in=LIVE)

    def done(self) -> Self:
        return self.filter(state=ChunkState.DONE)


class Chunk(models.Model):
    """One attempt at a part of a round: a message names it, a lease says who trains it.

    Of several attempts at a part at most one is done: the first whose result arrived.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey("jobs.Run", on_delete=models.CASCADE, related_name="chunks")
    round_index = models.PositiveIntegerField()
    index = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField(default=1)
    first_lane = models.PositiveIntegerField()
    end_lane = models.PositiveIntegerField()
    num_clients = models.PositiveIntegerField()

    state = models.CharField(max_length=10, choices=ChunkState.choices, default=ChunkState.WAITING)
    opened_at = models.DateTimeField()
    waiting_since = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_holder = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    hints_sent = models.PositiveIntegerField(default=1)
    hint_due_at = models.DateTimeField()

    #: Where the result is, once it is done.
    key = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    num_updates = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    failure: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )

    objects = ChunkQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["run", "round_index", "index", "attempt"], name="chunk_attempt_once"
            ),
            models.UniqueConstraint(
                fields=["run", "round_index", "index"],
                condition=Q(state="done"),
                name="chunk_done_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["state", "waiting_since"],
                name="chunk_live",
                condition=Q(state__in=["waiting", "training"]),
            )
        ]

    def __str__(self) -> str:
        return f"round {self.round_index}, part {self.index}, attempt {self.attempt}"

    def is_held(self, now: datetime) -> bool:
        """Return whether a worker that is alive trains it."""
        return (
            self.state == ChunkState.TRAINING
            and self.lease_expires_at is not None
            and self.lease_expires_at > now
        )
