"""What a partition would look like: asked for by browsers, found out by workers.

Dividing data needs the data and the engine, which a web process has neither of. So a request
leaves a row and a hint, and the browser asks again until a worker has filled the row in. The same
data divided in the same way is the same row, whoever asks.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class PreviewState(models.TextChoices):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class PartitionPreview(models.Model):
    """One way to divide one data set."""

    key = models.CharField(primary_key=True, max_length=64)
    spec: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    state = models.CharField(
        max_length=10, choices=PreviewState.choices, default=PreviewState.PENDING
    )
    report: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )
    problem = models.TextField(blank=True)
    #: When a worker was told last; a hint can be lost.
    hinted_at = models.DateTimeField()
    asked_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["asked_at"], name="preview_by_age")
        ]

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.state}"
