"""How sweeps do, point by point, and ending one or going on with it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.api.pagination import CursorPagination
from webapp.jobs.selectors import get_job, get_sweep, visible_sweeps
from webapp.jobs.services import cancel_sweep, resume_sweep
from webapp.jobs.sweep_models import Sweep
from webapp.jobs.sweep_results import SweepDetail, SweepRow, detail_of, rows_of


class SweepPagination(CursorPagination):
    """Few at a time: each row sums up all runs of a sweep."""

    page_size = 20
    max_page_size = 50
    ordering = ("-job__created_at", "job_id")


class SweepPage(BaseModel):
    next: str | None
    previous: str | None
    results: list[SweepRow]


class SweepListView(generics.GenericAPIView[Sweep]):
    """The sweeps of the user's projects, the newest first."""

    pagination_class = SweepPagination
    filter_backends = ()
    queryset = Sweep.objects.none()

    @extend_schema(
        responses=SweepPage,
        tags=["jobs"],
        operation_id="sweeps_list",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)],
    )
    def get(self, request: Request) -> Response:
        page: list[Any] = self.paginate_queryset(visible_sweeps(signed_in(request))) or []
        return self.get_paginated_response([row.model_dump(mode="json") for row in rows_of(page)])


class SweepView(APIView):
    """Every point of a sweep with its runs, and the best so far."""

    @extend_schema(responses=SweepDetail, tags=["jobs"])
    def get(self, request: Request, job_id: UUID) -> Response:
        return _detail(request, job_id)


class SweepCancelView(APIView):
    """Cancel all runs of a sweep that are under way, and make no more."""

    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=None, responses=SweepDetail, tags=["jobs"])
    def post(self, request: Request, job_id: UUID) -> Response:
        user = signed_in(request)
        cancel_sweep(job=get_job(user, job_id), user=user)
        return _detail(request, job_id)


class SweepResumeView(APIView):
    """Go on with a cancelled sweep: with the runs that this ended, and those still to make."""

    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=None, responses=SweepDetail, tags=["jobs"])
    def post(self, request: Request, job_id: UUID) -> Response:
        user = signed_in(request)
        resume_sweep(job=get_job(user, job_id), user=user)
        return _detail(request, job_id)


def _detail(request: Request, job_id: UUID) -> Response:
    sweep = get_sweep(signed_in(request), job_id)
    return Response(detail_of(sweep).model_dump(mode="json"))
