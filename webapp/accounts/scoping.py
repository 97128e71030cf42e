"""The one place where queries are limited to what a user may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Case, CharField, F, Value, When

from webapp.accounts.roles import Permission, Role, Scope, lowered, roles_with

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class ProjectScopedQuerySet(models.QuerySet[Row_co]):
    """Rows that belong to a project; ``to_project`` is the way there, empty for projects."""

    to_project: ClassVar[str] = "project__"

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the rows of the user's projects; each carries the user's role as ``viewer_role``.

        Whoever asks with a token has no higher role than the token's scope lends.
        """
        if not user.is_authenticated:
            return self.none()
        member = f"{self.to_project}memberships"
        limits: dict[str, Any] = {f"{member}__user": user.pk, f"{member}__user__is_active": True}
        role = _role(f"{member}__role", getattr(user, "token_scope", None))
        return self.filter(**limits).annotate(viewer_role=role)

    def writable_by(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the rows that the user may change."""
        return self.visible_to(user).filter(viewer_role__in=roles_with(Permission.WRITE))


def _role(column: str, scope: Scope | None) -> F | Case:
    if scope is None:
        return F(column)
    cases = [When(**{column: role}, then=Value(lowered(role, scope))) for role in Role]
    return Case(*cases, output_field=CharField())
