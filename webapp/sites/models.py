"""Sites and what they have declared."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from fedcore.sites.messages import SiteState
from fedcore.sites.signing import fingerprint
from webapp.accounts.models import Project
from webapp.accounts.scoping import ProjectScopedQuerySet
from webapp.sites.work_models import RunSite, SiteRound, SiteTask

# Django looks for an app's models in this module.
__all__ = ["RunSite", "Site", "SiteDataset", "SiteNonce", "SiteRound", "SiteTask"]


class SiteQuerySet(ProjectScopedQuerySet["Site"]):
    def online(self, now: datetime) -> Self:
        """Keep the approved sites that have been heard of lately."""
        since = now - timedelta(seconds=settings.SITE_OFFLINE_AFTER_S)
        return self.filter(state=SiteState.APPROVED, last_seen_at__gt=since)


class Site(models.Model):
    """An organisation's machine that takes part with data of its own. Only the services change it.

    What it says of itself is kept as it was checked when it arrived: `fedcore.sites.messages`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sites")
    name = models.CharField(max_length=120)
    state = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in SiteState], default=SiteState.INVITED
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    #: Of its invitation, until it is used; the code itself is stored nowhere.
    code_sha256 = models.CharField(max_length=64, unique=True, null=True, blank=True)
    code_expires_at = models.DateTimeField(null=True, blank=True)
    #: Ed25519, hexadecimal; empty before it has enrolled.
    public_key = models.CharField(max_length=64, blank=True)
    enrolled_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    last_seen_at = models.DateTimeField(null=True, blank=True)
    last_address = models.GenericIPAddressField(null=True, blank=True)
    activity = models.CharField(max_length=10, blank=True)
    agent: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )
    hardware: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )
    policy: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )
    problems: models.JSONField[list[str], list[str]] = models.JSONField(default=list, blank=True)
    #: Tasks that wait for a person on the site, by id.
    waiting_tasks: models.JSONField[list[str], list[str]] = models.JSONField(
        default=list, blank=True
    )

    objects = SiteQuerySet.as_manager()

    if TYPE_CHECKING:
        viewer_role: str  # added by visible_to()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("project", Lower("name"), name="site_name_per_project")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key) if self.public_key else ""

    def is_online(self, now: datetime) -> bool:
        """Return whether it has been heard of lately."""
        if self.last_seen_at is None:
            return False
        return now - self.last_seen_at < timedelta(seconds=settings.SITE_OFFLINE_AFTER_S)


class DatasetQuerySet(ProjectScopedQuerySet["SiteDataset"]):
    to_project: ClassVar[str] = "site__project__"


class SiteDataset(models.Model):
    """A data set that a site offers: schema and counts, never rows."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=63)
    #: A `DatasetDeclaration`.
    declaration: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    declared_at = models.DateTimeField()

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["site", "name"], name="dataset_once_per_site")
        ]

    def __str__(self) -> str:
        return self.name


class NonceQuerySet(ProjectScopedQuerySet["SiteNonce"]):
    to_project: ClassVar[str] = "site__project__"


class SiteNonce(models.Model):
    """A number that a site has signed a request with, for as long as it could be shown again."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=32)
    used_at = models.DateTimeField()

    objects = NonceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["site", "nonce"], name="nonce_once_per_site")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["used_at"], name="nonce_by_age")
        ]

    def __str__(self) -> str:
        return self.nonce
