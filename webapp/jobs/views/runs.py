from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import User
from webapp.accounts.permissions import signed_in
from webapp.api.text_fields import NameField
from webapp.jobs.models import Run
from webapp.jobs.run_filter import RunFilter, RunPagination
from webapp.jobs.selectors import get_run, visible_runs
from webapp.jobs.serializers import RunRowSerializer, RunSerializer, present_run, present_runs
from webapp.jobs.services import (
    MAX_TAGS,
    Description,
    describe_run,
    request_cancel,
    request_pause,
    request_resume,
    request_retry,
    request_retry_failed,
    star_run,
    unstar_run,
)


class RunListView(generics.ListAPIView[Run]):
    """The runs of the user's projects."""

    serializer_class = RunRowSerializer
    filterset_class = RunFilter
    pagination_class = RunPagination

    def get_queryset(self) -> Any:
        return Run.objects.visible_to(self.request.user)

    def list(self, request: Request, *_: Any, **__: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        rows = visible_runs(request.user).defer("spec").in_bulk([run.pk for run in page])
        # One that has gone in between is not shown.
        shown = [rows[run.pk] for run in page if run.pk in rows]
        return self.get_paginated_response(present_runs(shown))

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "ordering",
                enum=[*RunPagination.orderings, *(f"-{n}" for n in RunPagination.orderings)],
            )
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)


class TagField(NameField):
    """A word or a few; surrounding spaces and case do not tell tags apart."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)

    def to_internal_value(self, data: Any) -> str:
        tag = str(super().to_internal_value(data)).lower()
        if "," in tag:
            raise serializers.ValidationError("A tag has no comma; commas come between tags.")
        return tag


class RunDescriptionSerializer(serializers.Serializer[Any]):
    """What is written on a run; what is left out stays as it is."""

    name = NameField(required=False, max_length=120)
    notes = serializers.CharField(required=False, max_length=20_000, allow_blank=True)
    tags = serializers.ListField(required=False, child=TagField(), max_length=MAX_TAGS)
    is_favourite = serializers.BooleanField(required=False, help_text="Of the user who asks.")


class RunView(APIView):
    refusals: ClassVar = {"PATCH": (409,)}

    @extend_schema(responses=RunSerializer, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(present_run(get_run(signed_in(request), run_id)))

    @extend_schema(request=RunDescriptionSerializer, responses=RunSerializer, tags=["runs"])
    def patch(self, request: Request, run_id: UUID) -> Response:
        """Write name, notes or tags on a run, or make it a favourite."""
        user = signed_in(request)
        run = get_run(user, run_id)
        body = RunDescriptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        _describe(user, run, body.validated_data)
        return Response(present_run(get_run(user, run_id)))


@transaction.atomic
def _describe(user: User, run: Run, wanted: dict[str, Any]) -> None:
    starred: bool | None = wanted.pop("is_favourite", None)
    if wanted:
        tags = wanted.pop("tags", None)
        parts = Description(**wanted, tags=None if tags is None else tuple(tags))
        describe_run(run=run, user=user, wanted=parts)
    if starred is not None:
        (star_run if starred else unstar_run)(run=run, user=user)


def _after(user: User, run_id: UUID, act: Callable[..., Run]) -> Response:
    act(run=get_run(user, run_id), user=user)
    return Response(present_run(get_run(user, run_id)))


class RunPauseView(APIView):
    """Pause a run; a worker that holds it stops at its next batch."""

    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_pause)


class RunResumeView(APIView):
    """Let a paused run go on."""

    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_resume)


class RunCancelView(APIView):
    """Cancel a run; a worker that holds it stops at its next batch."""

    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_cancel)


class RunRetryView(APIView):
    """Let a failed or cancelled run go on from its last checkpoint."""

    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_retry)


class RunRetryFailedView(APIView):
    """Try a failed run's round again with the clients that failed; keep the others' updates."""

    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_retry_failed)
