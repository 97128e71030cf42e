"""Sites as people see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from fedcore.sites.messages import (
    Agent,
    DatasetDeclaration,
    Hardware,
    PolicyDeclaration,
    SiteState,
)
from webapp.accounts.models import AuditEntry
from webapp.accounts.roles import Permission, Role, allows
from webapp.api.text_fields import NameField
from webapp.api.typed_fields import EnumField, PydanticField
from webapp.sites.models import RunSite, Site, SiteDataset, SiteTask
from webapp.sites.presence import Presence, SiteAction


class SiteDatasetSerializer(serializers.ModelSerializer[SiteDataset]):
    declaration = PydanticField(DatasetDeclaration)

    class Meta:
        model = SiteDataset
        fields = ("name", "declaration", "declared_at")
        read_only_fields = fields


class SiteSerializer(serializers.ModelSerializer[Site]):
    state = EnumField(SiteState)
    presence = serializers.SerializerMethodField()
    project = serializers.UUIDField(source="project_id", read_only=True)
    project_name = serializers.CharField(source="project.name", read_only=True)
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    fingerprint = serializers.CharField(
        read_only=True, help_text="To compare with what the site shows; empty before it enrolled."
    )
    agent = PydanticField(Agent, allow_null=True)
    hardware = PydanticField(Hardware, allow_null=True)
    policy = PydanticField(PolicyDeclaration, allow_null=True)
    problems = serializers.ListField(child=serializers.CharField(), read_only=True)
    waiting_tasks = serializers.ListField(child=serializers.UUIDField(), read_only=True)
    datasets = SiteDatasetSerializer(many=True, read_only=True)
    allowed_actions = serializers.SerializerMethodField()

    class Meta:
        model = Site
        fields: tuple[str, ...] = (
            "id",
            "name",
            "project",
            "project_name",
            "state",
            "presence",
            "fingerprint",
            "created_by",
            "created_at",
            "code_expires_at",
            "enrolled_at",
            "approved_at",
            "revoked_at",
            "last_seen_at",
            "last_address",
            "activity",
            "agent",
            "hardware",
            "policy",
            "problems",
            "waiting_tasks",
            "datasets",
            "allowed_actions",
        )
        read_only_fields = fields

    @extend_schema_field(EnumField(Presence))
    def get_presence(self, site: Site) -> Presence:
        now: datetime = self.context["now"]
        return Presence.of(site.last_seen_at, is_online=site.is_online(now))

    @extend_schema_field(serializers.ListField(child=EnumField(SiteAction)))
    def get_allowed_actions(self, site: Site) -> list[SiteAction]:
        if not allows(Role(site.viewer_role), Permission.MANAGE):
            return []
        return list(SiteAction.for_state(SiteState(site.state)))


class SiteInvitedSerializer(SiteSerializer):
    code = serializers.CharField(
        read_only=True, help_text="Shown this once; the site enrols with it."
    )

    class Meta(SiteSerializer.Meta):
        fields = (*SiteSerializer.Meta.fields, "code")
        read_only_fields = fields


class LifetimeSerializer(serializers.Serializer[Any]):
    expires_in_days = serializers.IntegerField(min_value=1, max_value=30, default=7)


class SiteWriteSerializer(LifetimeSerializer):
    name = NameField(max_length=120)


class RevokeSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class SiteTaskSerializer(serializers.ModelSerializer[SiteTask]):
    run_name = serializers.CharField(source="run.name", read_only=True)

    class Meta:
        model = SiteTask
        fields = (
            "id",
            "run",
            "run_name",
            "client_id",
            "round_index",
            "kind",
            "attempt",
            "state",
            "opened_at",
            "deadline_at",
            "accepted_at",
            "answered_at",
            "stage",
            "fraction",
            "received_bytes",
            "size_bytes",
            "seconds",
            "num_examples",
            "rule",
            "reason",
        )
        read_only_fields = fields


class RunSiteSerializer(serializers.ModelSerializer[RunSite]):
    state = EnumField(SiteState, source="site.state")
    presence = serializers.SerializerMethodField()
    task = serializers.SerializerMethodField()

    class Meta:
        model = RunSite
        fields = (
            "client_id",
            "site",
            "name",
            "state",
            "presence",
            "num_train",
            "num_test",
            "has_joined",
            "out_rule",
            "out_reason",
            "task",
        )
        read_only_fields = fields

    @extend_schema_field(EnumField(Presence))
    def get_presence(self, member: RunSite) -> Presence:
        site, now = member.site, self.context["now"]
        return Presence.of(site.last_seen_at, is_online=site.is_online(now))

    @extend_schema_field(SiteTaskSerializer(allow_null=True))
    def get_task(self, member: RunSite) -> dict[str, Any] | None:
        """Return what the site was asked last."""
        task = self.context["tasks"].get(member.client_id)
        return None if task is None else dict(SiteTaskSerializer(task).data)


class HistorySerializer(serializers.ModelSerializer[AuditEntry]):
    before = serializers.JSONField(read_only=True)
    after = serializers.JSONField(read_only=True)

    class Meta:
        model = AuditEntry
        fields = ("id", "at", "actor_name", "action", "before", "after")
        read_only_fields = fields
