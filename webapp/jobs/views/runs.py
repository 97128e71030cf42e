from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import User
from webapp.accounts.permissions import signed_in
from webapp.api.pagination import OrderedCursorPagination
from webapp.jobs.models import Run
from webapp.jobs.selectors import get_run, visible_runs
from webapp.jobs.serializers import RunRowSerializer, RunSerializer, present_run, present_runs
from webapp.jobs.services import request_cancel, request_pause, request_resume, request_retry
from webapp.jobs.states import RunState


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]  # published without types
    state = django_filters.MultipleChoiceFilter(
        choices=[(state.value, state.value) for state in RunState],
        help_text="May be given several times.",
    )
    job = django_filters.UUIDFilter(field_name="job_id")
    project = django_filters.UUIDFilter(field_name="project_id")
    search = django_filters.CharFilter(
        field_name="name", lookup_expr="icontains", max_length=120, help_text="Part of the name."
    )


class RunPagination(OrderedCursorPagination):
    orderings: ClassVar[tuple[str, ...]] = ("created_at", "name", "state", "rounds_done")


class RunListView(generics.ListAPIView[Run]):
    """The runs of the user's projects."""

    serializer_class = RunRowSerializer
    filterset_class = RunFilter
    pagination_class = RunPagination

    def get_queryset(self) -> Any:
        return visible_runs(self.request.user).defer("spec")

    def list(self, request: Request, *_: Any, **__: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(present_runs(page))

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


class RunView(APIView):
    @extend_schema(responses=RunSerializer, tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(present_run(get_run(signed_in(request), run_id)))


def _after(user: User, run_id: UUID, act: Callable[..., Run]) -> Response:
    act(run=get_run(user, run_id), user=user)
    return Response(present_run(get_run(user, run_id)))


class RunPauseView(APIView):
    """Pause a run; a worker that holds it stops at its next batch."""

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_pause)


class RunResumeView(APIView):
    """Let a paused run go on."""

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_resume)


class RunCancelView(APIView):
    """Cancel a run; a worker that holds it stops at its next batch."""

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_cancel)


class RunRetryView(APIView):
    """Let a failed or cancelled run go on from its last checkpoint."""

    @extend_schema(request=None, responses=RunSerializer, tags=["runs"])
    def post(self, request: Request, run_id: UUID) -> Response:
        return _after(signed_in(request), run_id, request_retry)
