"""What people keep beside runs so that they find them again: tags, favourites and saved views."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from webapp.accounts.models import User


class RunTag(models.Model):
    """One word on one run, seen by all members of its project."""

    run = models.ForeignKey("jobs.Run", on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "name"], name="tag_once_per_run")
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["name"], name="tag_by_name")]

    def __str__(self) -> str:
        return self.name


class Favourite(models.Model):
    """A run that one user has starred."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey("jobs.Run", on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "run"], name="favourite_once_per_user")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.run}"


class SavedView(models.Model):
    """A name for one way to look at the list of runs: the query part of its address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "name"], name="view_name_per_user")
        ]

    def __str__(self) -> str:
        return self.name
