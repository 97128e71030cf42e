from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from webapp.accounts.scoping import ProjectScopedQuerySet
from webapp.jobs.models import Run


class ArtifactKind(models.TextChoices):
    CHECKPOINT = "checkpoint"
    MODEL = "model"


class ArtifactQuerySet(ProjectScopedQuerySet["Artifact"]):
    to_project: ClassVar[str] = "run__project__"


class Artifact(models.Model):
    """A file that is complete: its row is written after its bytes are safe."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="artifacts")
    kind = models.CharField(max_length=10, choices=ArtifactKind.choices)
    name = models.CharField(max_length=120)
    key = models.CharField(max_length=300, unique=True)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    round_index = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "kind", "-round_index"], name="artifact_newest")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
