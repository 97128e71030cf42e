from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.api.pagination import CursorPagination
from webapp.artifacts.downloads import Download
from webapp.artifacts.models import Artifact, ArtifactKind
from webapp.errors import ConflictError
from webapp.jobs.selectors import get_run

MODEL_FILE = "model.safetensors"


class ModelNotReadyError(ConflictError):
    code = "model_not_ready"


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    class Meta:
        model = Artifact
        fields = ("id", "kind", "name", "size_bytes", "sha256", "round_index", "created_at")
        read_only_fields = fields


class ArtifactListView(generics.ListAPIView[Artifact]):
    """The files of a run."""

    serializer_class = ArtifactSerializer
    pagination_class = CursorPagination
    filter_backends = ()
    queryset = Artifact.objects.none()

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        run = get_run(signed_in(self.request), self.kwargs["run_id"])
        return Artifact.objects.visible_to(self.request.user).filter(run=run)


class ModelView(APIView):
    """Download the trained model as safetensors."""

    refusals: ClassVar = {"GET": (409,)}

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, tags=["runs"]
    )
    def get(self, request: Request, run_id: UUID) -> Download:
        run = get_run(signed_in(request), run_id)
        model = Artifact.objects.filter(run=run, kind=ArtifactKind.MODEL, name=MODEL_FILE).first()
        if model is None:
            raise ModelNotReadyError("This run has no model yet; it has one when it has succeeded.")
        return Download(request, model, filename=f"{_file_name(run.name)}-{run.number}.safetensors")


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:80] or "model"
