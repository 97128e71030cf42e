"""What a site asks: the server's side of `fedcore.sites.routes`.

Their messages are a package that both sides import; in the API's schema their names end in Message.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fedcore.sites import PROTOCOL
from fedcore.sites.messages import (
    EnrolmentReply,
    EnrolmentRequest,
    Heartbeat,
    HeartbeatReply,
    KeyRotation,
    Limits,
    SiteState,
    SiteStatus,
)
from fedcore.sites.tasks import (
    Blob,
    Member,
    Refusal,
    RunDescription,
    Task,
    TaskFailure,
    TaskKind,
    TaskList,
    TaskResult,
    UploadState,
)
from webapp.accounts.addresses import address_of
from webapp.artifacts.downloads import send_range
from webapp.jobs.clock import database_now
from webapp.sites import services
from webapp.sites.authentication import SignatureAuthentication, SiteRateLimit, site_of
from webapp.sites.bodies import OctetParser, answered, body_of, piece_of
from webapp.sites.errors import TaskNotWantedError
from webapp.sites.models import RunSite, Site, SiteTask

TAGS = ["site"]
OCTETS = OctetParser.media_type


class _OffsetSerializer(serializers.Serializer[Any]):
    offset = serializers.IntegerField(min_value=0, max_value=2**53 - 1)


class EnrolView(APIView):
    authentication_classes = ()
    refusals: ClassVar = {"POST": (404,)}

    @extend_schema(request=EnrolmentRequest, responses={201: EnrolmentReply}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Take a code and a key, and give an identity that somebody has to approve."""
        asked = body_of(request, EnrolmentRequest)
        site = services.enrol_site(request=asked, address=address_of(request))
        reply = EnrolmentReply.model_validate(_status(site).model_dump())
        return answered(reply, status.HTTP_201_CREATED)


class SiteView(APIView):
    """A view that only a site is let into, by its signature."""

    authentication_classes = (SignatureAuthentication,)
    throttle_classes = (SiteRateLimit,)


class StatusView(SiteView):
    @extend_schema(responses=SiteStatus, tags=TAGS)
    def get(self, request: Request) -> Response:
        return answered(_status(site_of(request)))


class HeartbeatView(SiteView):
    @extend_schema(request=Heartbeat, responses=HeartbeatReply, tags=TAGS)
    def post(self, request: Request) -> Response:
        site, beat = site_of(request), body_of(request, Heartbeat)
        unwanted = services.record_heartbeat(site=site, beat=beat, address=address_of(request))
        reply = HeartbeatReply(
            state=SiteState(site.state),
            server_time=database_now(),
            tasks=bool(services.tasks_of(site)),
            no_longer_wanted=unwanted,
            limits=_limits(),
        )
        return answered(reply)


class KeyView(SiteView):
    @extend_schema(request=KeyRotation, responses=SiteStatus, tags=TAGS)
    def post(self, request: Request) -> Response:
        rotation = body_of(request, KeyRotation)
        return answered(_status(services.rotate_key(site=site_of(request), rotation=rotation)))


class WorkView(SiteView):
    """A view that only an approved site is let into."""

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        services.require_approved(site_of(request))


class TaskListView(WorkView):
    @extend_schema(responses=TaskList, tags=TAGS, operation_id="site_tasks_asked")
    def get(self, request: Request) -> Response:
        tasks = [_task(task) for task in services.tasks_of(site_of(request))]
        return answered(TaskList(tasks=tuple(tasks), server_time=database_now()))


class SiteRunView(WorkView):
    @extend_schema(responses=RunDescription, tags=TAGS)
    def get(self, request: Request, run_id: UUID) -> Response:
        run = services.get_member(site_of(request), run_id).run
        members = RunSite.objects.filter(run=run).order_by("client_id")
        return answered(
            RunDescription(
                run_id=run.pk,
                name=str(run),
                project=run.project.name,
                launched_by=run.created_by.username,
                spec=run.spec,
                spec_digest=run.digest,
                members=tuple(
                    Member(
                        client_id=member.client_id,
                        site_id=member.site_id,
                        name=member.name,
                        public_key=member.public_key,
                    )
                    for member in members
                ),
            )
        )


class AcceptView(WorkView):
    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=None, responses=Task, tags=TAGS)
    def post(self, request: Request, task_id: UUID) -> Response:
        return answered(_task(services.accept_task(site=site_of(request), task_id=task_id)))


class RefuseView(WorkView):
    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=Refusal, responses={204: None}, tags=TAGS)
    def post(self, request: Request, task_id: UUID) -> Response:
        refusal = body_of(request, Refusal)
        services.refuse_task(site=site_of(request), task_id=task_id, refusal=refusal)
        return Response(status=status.HTTP_204_NO_CONTENT)


class FailView(WorkView):
    refusals: ClassVar = {"POST": (409,)}

    @extend_schema(request=TaskFailure, responses={204: None}, tags=TAGS)
    def post(self, request: Request, task_id: UUID) -> Response:
        failure = body_of(request, TaskFailure)
        services.fail_task(site=site_of(request), task_id=task_id, failure=failure)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MessageView(WorkView):
    refusals: ClassVar = {"GET": (409,)}

    @extend_schema(
        responses={
            (200, OCTETS): OpenApiTypes.BINARY,
            (206, OCTETS): OpenApiTypes.BINARY,
            416: None,
        },
        tags=TAGS,
        description="With `Range: bytes=N-` what comes from byte N on.",
    )
    def get(self, request: Request, task_id: UUID) -> HttpResponseBase:
        task = services.get_task(site_of(request), task_id)
        if not task.message_key:
            raise _gone()
        try:
            return send_range(
                request,
                key=task.message_key,
                size_bytes=task.message_bytes,
                sha256=task.message_sha256,
            )
        except FileNotFoundError as error:  # its run has ended meanwhile
            raise _gone() from error


class UploadView(WorkView):
    parser_classes = (OctetParser,)
    refusals: ClassVar = {"PUT": (409, 422)}

    @extend_schema(responses=UploadState, tags=TAGS)
    def get(self, request: Request, task_id: UUID) -> Response:
        task = services.get_task(site_of(request), task_id)
        return answered(UploadState(received_bytes=task.received_bytes))

    @extend_schema(
        parameters=[_OffsetSerializer],
        request={OCTETS: OpenApiTypes.BINARY},
        responses=UploadState,
        tags=TAGS,
    )
    def put(self, request: Request, task_id: UUID) -> Response:
        site = site_of(request)
        offset = _OffsetSerializer(data=request.query_params)
        offset.is_valid(raise_exception=True)
        received = services.add_piece(
            site=site,
            task=services.get_task(site, task_id),
            offset=offset.validated_data["offset"],
            piece=piece_of(request),
        )
        return answered(UploadState(received_bytes=received))


class ResultView(WorkView):
    refusals: ClassVar = {"POST": (409, 422)}

    @extend_schema(request=TaskResult, responses={204: None}, tags=TAGS)
    def post(self, request: Request, task_id: UUID) -> Response:
        result = body_of(request, TaskResult)
        services.finish_task(site=site_of(request), task_id=task_id, result=result)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _gone() -> TaskNotWantedError:
    return TaskNotWantedError("Nobody waits for this task any more.")


def _limits() -> Limits:
    return Limits(
        heartbeat_s=settings.SITE_HEARTBEAT_S,
        poll_s=settings.SITE_POLL_S,
        offline_after_s=settings.SITE_OFFLINE_AFTER_S,
        max_chunk_bytes=settings.MAX_BODY_BYTES,
    )


def _status(site: Site) -> SiteStatus:
    return SiteStatus(
        protocol=PROTOCOL,
        site_id=site.pk,
        name=site.name,
        project=site.project.name,
        state=SiteState(site.state),
        fingerprint=site.fingerprint,
        server_time=database_now(),
        limits=_limits(),
    )


def _task(task: SiteTask) -> Task:
    return Task(
        task_id=task.pk,
        kind=TaskKind(task.kind),
        run_id=task.run_id,
        spec_digest=task.run.digest,
        dataset=task.run.spec["dataset"]["name"],
        round_index=task.round_index,
        client_id=task.client_id,
        cohort_size=task.cohort_size,
        attempt=task.attempt,
        message=Blob(sha256=task.message_sha256, size_bytes=task.message_bytes),
        opened_at=task.opened_at,
        deadline_at=task.deadline_at,
        max_result_bytes=task.max_result_bytes,
        sum_number=task.sum_number,
    )
