from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fedcore.spec import check
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import signed_in
from webapp.api.filters import YesNoFilter
from webapp.api.idempotency import IDEMPOTENCY_KEY, answer_once
from webapp.api.spec_field import SpecField, SweepField
from webapp.api.text_fields import NameField
from webapp.api.typed_fields import EnumField, PydanticField
from webapp.jobs.models import Job, Run
from webapp.jobs.selectors import default_project, get_job, get_run, visible_runs
from webapp.jobs.serializers import RunRowSerializer, RunSerializer, present_run, present_runs
from webapp.jobs.services import discard_template, launch_run, submit_job, submit_sweep
from webapp.jobs.states import Priority, SweepState
from webapp.jobs.sweep_models import Sweep
from webapp.jobs.sweep_results import SweepSummary, summary_of
from webapp.sites.services import refuse_unfit_sites

#: A job's answer holds its newest runs; all of them are at ``jobs/{id}/runs/``.
_RUNS_SHOWN = 20


class JobRowSerializer(serializers.ModelSerializer[Job]):
    project = serializers.UUIDField(source="project_id")
    created_by = serializers.CharField(source="created_by.username")
    priority = serializers.SerializerMethodField()
    sweep_state = serializers.SerializerMethodField(
        help_text="Null where the job is no sweep but one spec."
    )

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id",
            "name",
            "project",
            "created_at",
            "created_by",
            "runs_launched",
            "is_template",
            "priority",
            "sweep_state",
        )
        read_only_fields = fields

    @extend_schema_field(EnumField(Priority))
    def get_priority(self, job: Job) -> str:
        return Priority.of_rank(job.priority)

    @extend_schema_field(EnumField(SweepState, allow_null=True))
    def get_sweep_state(self, job: Job) -> str | None:
        sweep = _sweep_of(job)
        return None if sweep is None else sweep.state


def _sweep_of(job: Job) -> Sweep | None:
    return getattr(job, "sweep", None)


class JobSerializer(JobRowSerializer):
    """A job with its spec, its sweep if it is one, and its newest runs."""

    spec = SpecField()
    sweep = serializers.SerializerMethodField()
    runs = serializers.SerializerMethodField()

    class Meta(JobRowSerializer.Meta):
        fields = (*JobRowSerializer.Meta.fields, "spec", "sweep", "runs")
        read_only_fields = fields

    @extend_schema_field(PydanticField(SweepSummary, allow_null=True))
    def get_sweep(self, job: Job) -> dict[str, Any] | None:
        sweep = _sweep_of(job)
        return None if sweep is None else summary_of(sweep).model_dump(mode="json")

    @extend_schema_field(RunRowSerializer(many=True))
    def get_runs(self, job: Job) -> list[dict[str, Any]]:
        mine = visible_runs(self.context["user"]).filter(job=job).defer("spec")
        return present_runs(list(mine.order_by("-number")[:_RUNS_SHOWN]))


class JobCreateSerializer(serializers.Serializer[Any]):
    """A name and either a spec or a sweep."""

    name = NameField(max_length=120)
    is_template = serializers.BooleanField(
        default=False, help_text="Offer it where runs are made, to start from."
    )
    spec = SpecField(required=False)
    sweep = SweepField(required=False)
    launch = serializers.BooleanField(
        default=True, help_text="Of a spec: whether to start it at once. A sweep always starts."
    )
    priority = serializers.ChoiceField(
        choices=[priority.value for priority in Priority],
        default=Priority.NORMAL.value,
        help_text="Among the runs of the same project.",
    )
    project = serializers.UUIDField(
        required=False, help_text="If left out, the oldest project that the user may write to."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("spec" in attrs) == ("sweep" in attrs):
            raise serializers.ValidationError({"spec": ["Give either a spec or a sweep."]})
        if "sweep" in attrs and not attrs["launch"]:
            raise serializers.ValidationError({"launch": ["A sweep starts when it is submitted."]})
        if "sweep" in attrs and attrs["is_template"]:
            raise serializers.ValidationError({"is_template": ["A template is a single spec."]})
        return {**attrs, "priority": Priority(attrs["priority"])}


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]  # published without types
    is_template = YesNoFilter(help_text="Only templates, or only other jobs.")


class JobListView(generics.ListAPIView[Job]):
    """What the user's projects have saved."""

    serializer_class = JobRowSerializer
    filterset_class = JobFilter

    def get_queryset(self) -> Any:
        visible = Job.objects.visible_to(self.request.user)
        return visible.select_related("created_by", "sweep").defer("spec")

    @extend_schema(
        request=JobCreateSerializer,
        responses={201: JobSerializer},
        parameters=[IDEMPOTENCY_KEY],
        tags=["jobs"],
        description="Save a job and, unless told otherwise, launch its first run; of a sweep, as"
        " many runs as may be under way at the same time.",
    )
    def post(self, request: Request) -> Response:
        user = signed_in(request)
        body = JobCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer_once(request, user, lambda: _submit(user, **body.validated_data))


def _submit(
    user: User, *, launch: bool, is_template: bool, project: UUID | None = None, **wanted: Any
) -> Response:
    chosen = _project(user, project)
    if "sweep" in wanted:
        job = submit_sweep(user=user, project=chosen, **wanted)
    else:
        if launch:
            refuse_unfit_sites(project=chosen, spec=wanted["spec"])
        job = submit_job(
            user=user, project=chosen, launch=launch, is_template=is_template, **wanted
        )
    answer = JobSerializer(get_job(user, job.pk), context={"user": user}).data
    return Response(answer, status=status.HTTP_201_CREATED)


def _project(user: User, project_id: UUID | None) -> Project:
    if project_id is None:
        return default_project(user)
    project = Project.objects.visible_to(user).filter(pk=project_id).first()
    if project is None:
        raise serializers.ValidationError({"project": ["There is no such project."]})
    return project


class JobView(APIView):
    refusals: ClassVar = {"DELETE": (409,)}

    @extend_schema(responses=JobSerializer, tags=["jobs"])
    def get(self, request: Request, job_id: UUID) -> Response:
        user = signed_in(request)
        return Response(JobSerializer(get_job(user, job_id), context={"user": user}).data)

    @extend_schema(responses={204: None}, tags=["jobs"])
    def delete(self, request: Request, job_id: UUID) -> Response:
        """Delete a template."""
        user = signed_in(request)
        discard_template(job=get_job(user, job_id), user=user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class JobRunListView(generics.GenericAPIView[Run]):
    """The runs of one job."""

    refusals: ClassVar = {"POST": (409,)}
    serializer_class = RunRowSerializer
    filter_backends = ()
    queryset = Run.objects.none()

    @extend_schema(
        tags=["jobs"], operation_id="job_runs_list", responses=RunRowSerializer(many=True)
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        user = signed_in(request)
        runs = visible_runs(user).filter(job=get_job(user, job_id)).defer("spec")
        page = self.paginate_queryset(runs) or []
        return self.get_paginated_response(present_runs(page))

    @extend_schema(
        request=None,
        responses={201: RunSerializer},
        parameters=[IDEMPOTENCY_KEY],
        tags=["jobs"],
        description="Launch the job once more.",
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        user = signed_in(request)
        job = get_job(user, job_id)
        return answer_once(request, user, lambda: _launch(user, job))


def _launch(user: User, job: Job) -> Response:
    checked = check(job.spec).spec  # one that has become invalid is refused below
    if checked is not None:
        refuse_unfit_sites(project=job.project, spec=checked)
    run = launch_run(job=job, user=user)
    return Response(present_run(get_run(user, run.pk)), status=status.HTTP_201_CREATED)
