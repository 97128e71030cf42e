"""Rows about the installation rather than about runs: who works, who may, who is told."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

#: A worker that has not been heard of for so long is taken as gone.
WORKER_SILENCE = timedelta(seconds=30)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self, now: datetime) -> Self:
        # Also not from the future: it was written before the clock was set back.
        return self.filter(seen_at__gt=now - WORKER_SILENCE, seen_at__lt=now + WORKER_SILENCE)


class Worker(models.Model):
    """A worker process, as it last described itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=40)
    queues: models.JSONField[list[str], list[str]] = models.JSONField()
    hardware: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    load: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    run_id = models.UUIDField(null=True, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} on {self.host}"


class ProjectShare(models.Model):
    """How much of the workers a project may have, and when it last had one.

    An empty limit is the installation's (``ROUNDHOUSE_MAX_RUNNING``, ``ROUNDHOUSE_MAX_QUEUED``).
    """

    project = models.OneToOneField(
        "accounts.Project", on_delete=models.CASCADE, primary_key=True, related_name="share"
    )
    max_running = models.PositiveIntegerField(null=True, blank=True)
    max_queued = models.PositiveIntegerField(null=True, blank=True)
    last_taken_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return f"share of {self.project_id}"


class NoticeChannel(models.TextChoices):
    WEBHOOK = "webhook"
    EMAIL = "email"


class Notice(models.Model):
    """A message about something that has ended; kept until it is sent or given up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(max_length=10, choices=NoticeChannel.choices)
    #: A position among the configured webhooks, or an address; never a URL from a user.
    target = models.CharField(max_length=254)
    body: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], name="notice_due", condition=Q(due_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.target}"
