from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.api.spec_field import SpecField
from webapp.jobs.models import PreviewState
from webapp.jobs.selectors import default_project
from webapp.jobs.services import preview_partition


class PreviewClient(BaseModel):
    client_id: int
    name: str | None
    num_train: int
    num_test: int
    class_counts: list[int] = Field(description="Training examples of each class.")


class PreviewReport(BaseModel):
    """How data would be divided."""

    num_clients: int
    clients: list[PreviewClient] = Field(description="The first ones, where there are many.")
    num_classes: int
    class_names: list[str]
    unused_train: int = Field(description="Training examples that nobody holds.")
    total_variation: float = Field(
        description="Mean distance of a client's classes from those of all: 0 alike, 1 apart."
    )
    jensen_shannon: float = Field(description="Divergence between the clients, in bits.")
    size_gini: float = Field(description="Inequality of sizes: 0 equal, 1 all with one client.")


class PartitionAnswer(BaseModel):
    """A preview; while it is pending, ask again."""

    state: PreviewState
    report: PreviewReport | None
    problem: str


class PartitionQuestionSerializer(serializers.Serializer[Any]):
    spec = SpecField()


class SpecPartitionView(APIView):
    @extend_schema(
        request=PartitionQuestionSerializer, responses={200: PartitionAnswer}, tags=["spec"]
    )
    def post(self, request: Request) -> Response:
        """Return how a spec would divide its data among the clients, once a worker knows."""
        body = PartitionQuestionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = signed_in(request)
        preview = preview_partition(
            user=user, project=default_project(user), spec=body.validated_data["spec"]
        )
        return Response(
            {"state": preview.state, "report": preview.report, "problem": preview.problem}
        )
