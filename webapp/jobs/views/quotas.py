"""How many runs of a project may train and wait."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import Project
from webapp.accounts.permissions import signed_in
from webapp.accounts.selectors import get_project
from webapp.errors import NotFoundError
from webapp.jobs.operation_models import ProjectShare
from webapp.jobs.quotas import waiting_runs
from webapp.jobs.services import set_quota

MAX_LIMIT = 1_000_000


class Quota(BaseModel):
    """A project's own limits, those of the installation, and what is in use."""

    max_running: int | None = Field(description="Null: the limit of the installation.")
    max_queued: int | None = Field(description="Null: the limit of the installation.")
    installation_max_running: int | None = Field(description="Null: no limit.")
    installation_max_queued: int
    queued: int = Field(description="Runs of the project that wait now.")


class QuotaWriteSerializer(serializers.Serializer[Any]):
    max_running = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, allow_null=True)
    max_queued = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, allow_null=True)


class QuotaView(APIView):
    @extend_schema(responses=Quota, tags=["projects"])
    def get(self, request: Request, project_id: UUID) -> Response:
        return Response(_present(get_project(signed_in(request), project_id)))

    @extend_schema(request=QuotaWriteSerializer, responses=Quota, tags=["projects"])
    def put(self, request: Request, project_id: UUID) -> Response:
        """Set a project's limits. Only administrators of the installation may."""
        user = signed_in(request)
        project = Project.objects.filter(pk=project_id).first()
        if project is None:
            raise NotFoundError("There is no such project.")
        body = QuotaWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        set_quota(user=user, project=project, **body.validated_data)
        return Response(_present(project))


def _present(project: Project) -> dict[str, Any]:
    share = ProjectShare.objects.filter(project=project).first()
    quota = Quota(
        max_running=share and share.max_running,
        max_queued=share and share.max_queued,
        installation_max_running=settings.MAX_RUNNING,
        installation_max_queued=settings.MAX_QUEUED,
        queued=waiting_runs(project.pk),
    )
    return quota.model_dump(mode="json")
