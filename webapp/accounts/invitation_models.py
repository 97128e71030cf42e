"""Links by which people come into a project."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from webapp.accounts.roles import Role


class Invitation(models.Model):
    """A link that makes whoever has it a member, once; only a hash of its code is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(
        "accounts.Project", on_delete=models.CASCADE, related_name="invitations"
    )
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role])
    #: For whom it is meant, as its maker wrote it.
    note = models.CharField(max_length=200, blank=True)
    code_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.role} of {self.project_id}"
