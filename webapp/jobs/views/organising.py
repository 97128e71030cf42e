"""Many runs at once: bulk actions, what can be filtered by, small curves, saved views."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import User
from webapp.accounts.permissions import signed_in
from webapp.api.compressed import compressed
from webapp.api.text_fields import NameField
from webapp.errors import DomainError, NotFoundError
from webapp.jobs import services
from webapp.jobs.models import RoundRecord, Run, RunTag, SavedView
from webapp.jobs.run_filter import sparkline_rounds
from webapp.jobs.selectors import visible_runs
from webapp.jobs.views.runs import TagField

MAX_BULK = 200
#: Points of a curve that is as wide as a word.
SPARKLINE_POINTS = 32


class BulkAction(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    RETRY_FAILED = "retry-failed"
    TRASH = "trash"
    RESTORE = "restore"
    STAR = "star"
    UNSTAR = "unstar"
    TAG = "tag"
    UNTAG = "untag"


_PLAIN: dict[str, Callable[..., Any]] = {
    BulkAction.PAUSE: services.request_pause,
    BulkAction.RESUME: services.request_resume,
    BulkAction.CANCEL: services.request_cancel,
    BulkAction.RETRY: services.request_retry,
    BulkAction.RETRY_FAILED: services.request_retry_failed,
    BulkAction.TRASH: services.trash_run,
    BulkAction.RESTORE: services.restore_run,
    BulkAction.STAR: services.star_run,
    BulkAction.UNSTAR: services.unstar_run,
}
_TAGGING: dict[str, Callable[..., Any]] = {
    BulkAction.TAG: services.tag_run,
    BulkAction.UNTAG: services.untag_run,
}


class BulkRefusal(BaseModel):
    """A run that stayed as it was, and why."""

    id: UUID
    code: str
    message: str


class BulkOutcome(BaseModel):
    done: list[UUID]
    refused: list[BulkRefusal]


class BulkSerializer(serializers.Serializer[Any]):
    runs = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MAX_BULK, allow_empty=False
    )
    action = serializers.ChoiceField(choices=[action.value for action in BulkAction])
    tag = TagField(required=False, help_text="For tag and untag.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["action"] in _TAGGING) != ("tag" in attrs):
            raise serializers.ValidationError(
                {"tag": ["Give a tag with the actions tag and untag, and with no other."]}
            )
        return attrs


class RunBulkView(APIView):
    @extend_schema(request=BulkSerializer, responses=BulkOutcome, tags=["runs"])
    def post(self, request: Request) -> Response:
        """Do the same with many runs; each of them is done or refused by itself."""
        body = BulkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        outcome = _for_each(signed_in(request), wanted["runs"], wanted["action"], wanted.get("tag"))
        return Response(outcome.model_dump(mode="json"))


def _for_each(user: User, ids: list[UUID], action: str, tag: str | None) -> BulkOutcome:
    runs = {run.pk: run for run in Run.objects.visible_to(user).filter(pk__in=ids).defer("spec")}
    outcome = BulkOutcome(done=[], refused=[])
    for run_id in dict.fromkeys(ids):
        try:
            if run_id not in runs:
                raise NotFoundError("There is no such run.")
            if tag is None:
                _PLAIN[action](run=runs[run_id], user=user)
            else:
                _TAGGING[action](run=runs[run_id], user=user, name=tag)
        except DomainError as error:
            refusal = BulkRefusal(id=run_id, code=error.code, message=error.message)
            outcome.refused.append(refusal)
        else:
            outcome.done.append(run_id)
    return outcome


class Facet(BaseModel):
    value: str
    count: int


class RunFacets(BaseModel):
    """What the user's runs can be filtered by, and how many runs there are of each."""

    states: list[Facet]
    methods: list[Facet]
    datasets: list[Facet]
    tags: list[Facet]
    trashed: int


class RunFacetsView(APIView):
    @extend_schema(responses=RunFacets, tags=["runs"])
    def get(self, request: Request) -> Response:
        """Return the values that filters can take."""
        mine = Run.objects.visible_to(signed_in(request))
        kept = mine.filter(trashed_at=None)

        def counted(column: str) -> list[Facet]:
            rows = kept.order_by(column).values_list(column).annotate(count=Count("pk"))
            return [Facet(value=value, count=count) for value, count in rows if value]

        tagged = RunTag.objects.filter(run__in=kept.values("pk"))
        tags = tagged.order_by("name").values_list("name").annotate(count=Count("pk"))
        facets = RunFacets(
            states=counted("state"),
            methods=counted("method"),
            datasets=counted("dataset"),
            tags=[Facet(value=value, count=count) for value, count in tags],
            trashed=mine.exclude(trashed_at=None).count(),
        )
        return Response(facets.model_dump(mode="json"))


class Sparkline(BaseModel):
    run: UUID
    values: list[float]


class Sparklines(BaseModel):
    metric: str
    lines: list[Sparkline]


class SparklinesQuerySerializer(serializers.Serializer[Any]):
    runs = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MAX_BULK)
    metric = serializers.CharField(max_length=60, default="accuracy")


@compressed
class RunSparklinesView(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("runs", str, required=True, description="Ids, separated by commas."),
            OpenApiParameter("metric", str, default="accuracy"),
        ],
        responses=Sparklines,
        tags=["runs"],
    )
    def get(self, request: Request) -> Response:
        """Return curves of a few points each, to be drawn as wide as a word."""
        ids = [part for part in request.query_params.get("runs", "").split(",") if part]
        metric = request.query_params.get("metric", "accuracy")
        query = SparklinesQuerySerializer(data={"runs": ids, "metric": metric})
        query.is_valid(raise_exception=True)
        mine = visible_runs(signed_in(request)).filter(pk__in=query.validated_data["runs"])
        lines = _sparklines(list(mine.only("pk", "rounds_done")), metric)
        return Response(Sparklines(metric=metric, lines=lines).model_dump(mode="json"))


def _sparklines(runs: list[Run], metric: str) -> list[Sparkline]:
    wanted = Q(pk__in=[])
    for run in runs:
        rounds = sparkline_rounds(run, SPARKLINE_POINTS)
        wanted |= Q(run_id=run.pk, round_index__in=rounds)
    lines: dict[UUID, list[float]] = {run.pk: [] for run in runs}
    rows = RoundRecord.objects.filter(wanted).order_by("round_index")
    for run_id, metrics in rows.values_list("run_id", "metrics"):
        value = metrics.get(metric)
        if value is not None:
            lines[run_id].append(value)
    return [Sparkline(run=run_id, values=values) for run_id, values in lines.items()]


class SavedViewSerializer(serializers.ModelSerializer[SavedView]):
    class Meta:
        model = SavedView
        fields = ("id", "name", "query", "created_at")
        read_only_fields = ("id", "created_at")


class SavedViewWriteSerializer(serializers.Serializer[Any]):
    name = NameField(max_length=80)
    query = serializers.CharField(
        max_length=2000, allow_blank=True, help_text="The query part of the list's address."
    )


class SavedViewListView(generics.ListAPIView[SavedView]):
    """The user's own views of the list of runs."""

    serializer_class = SavedViewSerializer
    pagination_class = None
    filter_backends = ()

    def get_queryset(self) -> Any:
        return SavedView.objects.filter(user=signed_in(self.request))

    @extend_schema(
        request=SavedViewWriteSerializer, responses={201: SavedViewSerializer}, tags=["views"]
    )
    def post(self, request: Request) -> Response:
        """Save a view under a name; the same name again replaces it."""
        body = SavedViewWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        view = services.keep_view(user=signed_in(request), **body.validated_data)
        return Response(SavedViewSerializer(view).data, status=status.HTTP_201_CREATED)


class SavedViewView(APIView):
    @extend_schema(responses={204: None}, tags=["views"])
    def delete(self, request: Request, view_id: UUID) -> Response:
        """Delete a saved view."""
        deleted, _ = SavedView.objects.filter(user=signed_in(request), pk=view_id).delete()
        if not deleted:
            raise NotFoundError("There is no such view.")
        return Response(status=status.HTTP_204_NO_CONTENT)
