"""The one place where queries are limited to what a user may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import F

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


Row = TypeVar("Row", bound=models.Model, covariant=True)


class ProjectScopedQuerySet(models.QuerySet[Row]):
    """Rows that belong to a project; ``to_project`` is the way there, empty for projects."""

    to_project: ClassVar[str] = "project__"

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the rows of the user's projects; each carries the user's role as ``viewer_role``."""
        if not user.is_authenticated:
            return self.none()
        member = f"{self.to_project}memberships"
        limits: dict[str, Any] = {f"{member}__user": user.pk, f"{member}__user__is_active": True}
        return self.filter(**limits).annotate(viewer_role=F(f"{member}__role"))


class ProjectQuerySet(ProjectScopedQuerySet["Project"]):
    to_project: ClassVar[str] = ""
