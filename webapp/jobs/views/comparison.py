from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.api.compressed import compressed
from webapp.api.typed_fields import PydanticField
from webapp.errors import NotFoundError
from webapp.jobs.comparison import Curve, Difference, curve_of, differences
from webapp.jobs.selectors import visible_runs
from webapp.jobs.serializers import RunRowSerializer, present_runs

MAX_RUNS = 50
MAX_POINTS = 5_000


class CompareQuerySerializer(serializers.Serializer[Any]):
    runs = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MAX_RUNS)
    max_points = serializers.IntegerField(min_value=10, max_value=MAX_POINTS, default=500)


class ComparedRunSerializer(serializers.Serializer[Any]):
    run = RunRowSerializer()
    curve = PydanticField(Curve)


class ComparisonSerializer(serializers.Serializer[Any]):
    """Several runs in the order in which they were asked for."""

    runs = ComparedRunSerializer(many=True)
    differences = serializers.ListField(child=PydanticField(Difference))


@compressed
class CompareView(APIView):
    refusals: ClassVar = {"GET": (404,)}

    @extend_schema(
        parameters=[
            OpenApiParameter("runs", str, required=True, description="Ids, separated by commas."),
            OpenApiParameter("max_points", int, default=500),
        ],
        responses=ComparisonSerializer,
        tags=["runs"],
    )
    def get(self, request: Request) -> Response:
        """Return the curves of several runs, and where their specs differ."""
        ids = [part for part in request.query_params.get("runs", "").split(",") if part]
        asked = {"runs": ids, "max_points": request.query_params.get("max_points", 500)}
        query = CompareQuerySerializer(data=asked)
        query.is_valid(raise_exception=True)
        wanted = list(dict.fromkeys(query.validated_data["runs"]))
        found = {run.pk: run for run in visible_runs(signed_in(request)).filter(pk__in=wanted)}
        if len(found) < len(wanted):
            raise NotFoundError("There is no such run.")
        runs = [found[run_id] for run_id in wanted]
        points: int = query.validated_data["max_points"]
        return Response(
            {
                "runs": [
                    {"run": row, "curve": curve_of(run, points).model_dump(mode="json")}
                    for row, run in zip(present_runs(runs), runs, strict=True)
                ],
                "differences": [
                    difference.model_dump(mode="json")
                    for difference in differences([run.spec for run in runs])
                ],
            }
        )
