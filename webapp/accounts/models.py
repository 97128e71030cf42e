from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from knox.models import AbstractAuthToken

from webapp.accounts.audit_models import AuditEntry
from webapp.accounts.invitation_models import Invitation
from webapp.accounts.roles import Role, Scope
from webapp.accounts.scoping import ProjectScopedQuerySet

# Django looks for an app's models in this module.
__all__ = ["ApiToken", "AuditEntry", "Invitation", "Membership", "Project", "User"]


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox has no types
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: The account in which a project's own token acts; nobody can sign in to it.
    is_service = models.BooleanField(default=False, editable=False)
    #: Asked for by somebody, and not yet looked at by who runs the installation.
    awaits_approval = models.BooleanField(default=False)

    #: What the token of this request lends; None for a person at a browser. Never stored.
    token_scope: Scope | None = None
    token_name: str = ""


class ProjectQuerySet(ProjectScopedQuerySet["Project"]):
    to_project: ClassVar[str] = ""


class Project(models.Model):  # type: ignore[django-manager-missing]  # knox has no types
    """What access is granted to: every job, run and file belongs to one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "project"], name="one_role_per_project")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.project}"


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """A named, hashed, expiring token; the token itself is shown once and stored nowhere."""

    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    scope = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in Scope], default=Scope.RUN
    )
    #: Of a project's token, which belongs to no person and acts in this project only.
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="tokens"
    )
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.GenericIPAddressField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
