"""How a sweep does, point by point, and ending it."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.jobs.selectors import get_job, get_sweep
from webapp.jobs.services import cancel_sweep
from webapp.jobs.sweep_results import SweepDetail, detail_of


class SweepView(APIView):
    """Every point of a sweep with its runs, and the best so far."""

    @extend_schema(responses=SweepDetail, tags=["jobs"])
    def get(self, request: Request, job_id: UUID) -> Response:
        sweep = get_sweep(signed_in(request), job_id)
        return Response(detail_of(sweep).model_dump(mode="json"))


class SweepCancelView(APIView):
    """Cancel all runs of a sweep that are under way, and make no more."""

    @extend_schema(request=None, responses=SweepDetail, tags=["jobs"])
    def post(self, request: Request, job_id: UUID) -> Response:
        user = signed_in(request)
        cancel_sweep(job=get_job(user, job_id), user=user)
        return Response(detail_of(get_sweep(user, job_id)).model_dump(mode="json"))
