"""Sentences that wait for a model on a worker: a web process has no room for one."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models


class IntentRequest(models.Model):
    """One sentence, until its answer has been read; nothing of it is kept afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prompt = models.TextField()
    draft: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )
    #: What the model wrote; null until a worker has asked it.
    text = models.TextField(null=True, blank=True)  # noqa: DJ001  (an empty answer is an answer)
    problem = models.TextField(blank=True)
    asked_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return str(self.pk)
