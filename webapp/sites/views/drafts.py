"""Sites beside a run that is being written."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import Project, User
from webapp.accounts.permissions import signed_in
from webapp.accounts.selectors import get_project
from webapp.jobs.clock import database_now
from webapp.jobs.selectors import default_project
from webapp.sites.drafts import SiteDraft, drafted
from webapp.sites.eligibility import Eligibility, eligibility, names_in
from webapp.sites.selectors import candidates_for

MAX_SITES = 10_000


class DraftSerializer(serializers.Serializer[Any]):
    spec = serializers.DictField(help_text="The spec as it is written so far, valid or not.")
    project = serializers.UUIDField(
        required=False, help_text="If left out, the oldest project that the user may write to."
    )


class DraftOnSitesSerializer(DraftSerializer):
    dataset = serializers.CharField(max_length=63, help_text="As the sites have declared it.")
    target = serializers.CharField(
        required=False, max_length=200, help_text="Column to predict; without it, which there are."
    )
    sites = serializers.ListField(
        child=serializers.CharField(max_length=120),
        max_length=MAX_SITES,
        help_text="Names of those that take part, in the order of clients.",
    )


class SiteEligibilityView(APIView):
    refusals: ClassVar = {"POST": (404,)}

    @extend_schema(request=DraftSerializer, responses={200: Eligibility}, tags=["sites"])
    def post(self, request: Request) -> Response:
        """Return which sites would take part in a draft, and by which rule others would not."""
        user = signed_in(request)
        project, asked = _asked(user, DraftSerializer(data=request.data))
        spec = asked["spec"]
        named = names_in(spec)
        sites = list(candidates_for(user, project, named))
        known = {site.name for site in sites}
        answer = Eligibility(
            project=project.pk,
            project_name=project.name,
            sites=eligibility(sites, spec, now=database_now()),
            unknown_names=[name for name in named if name not in known],
        )
        return Response(answer.model_dump(mode="json"))


class SiteDraftView(APIView):
    refusals: ClassVar = {"POST": (404,)}

    @extend_schema(request=DraftOnSitesSerializer, responses={200: SiteDraft}, tags=["sites"])
    def post(self, request: Request) -> Response:
        """Return the sections that put a draft onto sites, made of what they have declared."""
        user = signed_in(request)
        project, asked = _asked(user, DraftOnSitesSerializer(data=request.data))
        rows = {site.name: site for site in candidates_for(user, project, asked["sites"])}
        answer = drafted(
            [rows[name] for name in dict.fromkeys(asked["sites"]) if name in rows],
            asked["spec"],
            dataset=asked["dataset"],
            target=asked.get("target"),
        )
        return Response(answer.model_dump(mode="json"))


def _asked(user: User, body: DraftSerializer) -> tuple[Project, dict[str, Any]]:
    """Return the project that a draft is for, and all that was asked about it."""
    body.is_valid(raise_exception=True)
    asked: dict[str, Any] = body.validated_data
    project_id: UUID | None = asked.get("project")
    project = default_project(user) if project_id is None else get_project(user, project_id)
    return project, asked
