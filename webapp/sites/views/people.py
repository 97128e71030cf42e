"""What people see of sites, and what administrators of a project do with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fedcore.sites.messages import SiteState
from webapp.accounts.models import AuditEntry
from webapp.accounts.permissions import signed_in
from webapp.accounts.selectors import get_project
from webapp.api.pagination import CursorPagination
from webapp.jobs.clock import database_now
from webapp.jobs.selectors import get_run
from webapp.sites import services
from webapp.sites.models import Site, SiteTask
from webapp.sites.selectors import (
    get_site,
    history_of,
    members_of,
    newest_tasks,
    visible_sites,
)
from webapp.sites.serializers import (
    HistorySerializer,
    LifetimeSerializer,
    RevokeSerializer,
    RunSiteSerializer,
    SiteInvitedSerializer,
    SiteSerializer,
    SiteTaskSerializer,
    SiteWriteSerializer,
)


class SiteFilter(django_filters.FilterSet):  # type: ignore[misc]  # published without types
    project = django_filters.UUIDFilter("project_id")
    state = django_filters.ChoiceFilter(choices=[(s.value, s.value) for s in SiteState])
    dataset = django_filters.CharFilter("datasets__name", help_text="That it has declared.")


class SitePagination(CursorPagination):
    ordering = ("name", "id")


class SiteListView(generics.ListAPIView[Site]):
    """The real sites of the user's projects."""

    serializer_class = SiteSerializer
    filterset_class = SiteFilter
    pagination_class = SitePagination

    def get_queryset(self) -> QuerySet[Site]:
        if getattr(self, "swagger_fake_view", False):
            return Site.objects.none()
        return visible_sites(signed_in(self.request))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": database_now()}


class ProjectSiteListView(APIView):
    refusals: ClassVar = {"POST": (400, 403, 404)}

    @extend_schema(
        request=SiteWriteSerializer, responses={201: SiteInvitedSerializer}, tags=["sites"]
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        """Invite a site; the answer holds its code, this once."""
        user = signed_in(request)
        project = get_project(user, project_id)
        body = SiteWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        site, code = services.invite_site(
            user=user,
            project=project,
            name=body.validated_data["name"],
            lifetime=timedelta(days=body.validated_data["expires_in_days"]),
        )
        return Response(_invited(request, site, code), status=status.HTTP_201_CREATED)


class SiteInvitationView(APIView):
    refusals: ClassVar = {"POST": (403, 404, 409)}

    @extend_schema(
        request=LifetimeSerializer, responses={201: SiteInvitedSerializer}, tags=["sites"]
    )
    def post(self, request: Request, site_id: UUID) -> Response:
        """Give an invited site another code; the old one is good for nothing any more."""
        user = signed_in(request)
        body = LifetimeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        site, code = services.renew_invitation(
            user=user,
            site=get_site(user, site_id),
            lifetime=timedelta(days=body.validated_data["expires_in_days"]),
        )
        return Response(_invited(request, site, code), status=status.HTTP_201_CREATED)


class OneSiteView(APIView):
    @extend_schema(responses=SiteSerializer, tags=["sites"])
    def get(self, request: Request, site_id: UUID) -> Response:
        """Return a site."""
        return Response(_shown(request, site_id))


class SiteApproveView(APIView):
    refusals: ClassVar = {"POST": (403, 404, 409)}

    @extend_schema(request=None, responses=SiteSerializer, tags=["sites"])
    def post(self, request: Request, site_id: UUID) -> Response:
        """Let an enrolled site take part; compare its fingerprint first."""
        user = signed_in(request)
        services.approve_site(user=user, site=get_site(user, site_id))
        return Response(_shown(request, site_id))


class SiteRevokeView(APIView):
    refusals: ClassVar = {"POST": (403, 404, 409)}

    @extend_schema(request=RevokeSerializer, responses=SiteSerializer, tags=["sites"])
    def post(self, request: Request, site_id: UUID) -> Response:
        """Refuse a site from now on, for good."""
        user = signed_in(request)
        body = RevokeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        services.revoke_site(user=user, site=get_site(user, site_id), reason=reason)
        return Response(_shown(request, site_id))


class HistoryPagination(CursorPagination):
    ordering = ("-at", "-id")


class SiteHistoryView(generics.ListAPIView[AuditEntry]):
    """All that was done to a site, and by it, newest first."""

    serializer_class = HistorySerializer
    filter_backends = ()
    pagination_class = HistoryPagination

    def get_queryset(self) -> QuerySet[AuditEntry]:
        if getattr(self, "swagger_fake_view", False):
            return AuditEntry.objects.none()
        return history_of(get_site(signed_in(self.request), self.kwargs["site_id"]))


class TaskPagination(CursorPagination):
    ordering = ("-opened_at", "id")


class SiteTaskListView(generics.ListAPIView[SiteTask]):
    """What a site was asked, and what became of it, newest first."""

    serializer_class = SiteTaskSerializer
    filter_backends = ()
    pagination_class = TaskPagination

    def get_queryset(self) -> QuerySet[SiteTask]:
        if getattr(self, "swagger_fake_view", False):
            return SiteTask.objects.none()
        site = get_site(signed_in(self.request), self.kwargs["site_id"])
        return SiteTask.objects.filter(site=site).select_related("run")


class RunSitesView(APIView):
    @extend_schema(responses=RunSiteSerializer(many=True), tags=["runs"])
    def get(self, request: Request, run_id: UUID) -> Response:
        """Return the real sites of a run, each with what it was asked last."""
        run = get_run(signed_in(request), run_id)
        context = {"now": database_now(), "tasks": newest_tasks(run)}
        return Response(RunSiteSerializer(members_of(run), many=True, context=context).data)


def _shown(request: Request, site_id: UUID) -> dict[str, Any]:
    site = get_site(signed_in(request), site_id)
    return dict(SiteSerializer(site, context={"now": database_now()}).data)


def _invited(request: Request, site: Site, code: str) -> dict[str, Any]:
    return {**_shown(request, site.pk), "code": code}
