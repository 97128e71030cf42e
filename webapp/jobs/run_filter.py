"""How the list of runs is searched, filtered and sorted."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from rest_framework.request import Request
from rest_framework.views import APIView

from webapp.api.filters import YesNoFilter
from webapp.api.pagination import OrderedCursorPagination
from webapp.jobs.models import Favourite, Run, RunQuerySet, RunTag
from webapp.jobs.states import RunState

#: Runs that have no value are listed where they are least in the way: lowest.
_LOWEST = -1.0


def with_rank(runs: RunQuerySet, metric: str) -> RunQuerySet:
    """Add the latest value of a metric as a number that can be sorted by."""
    value = Cast(KeyTextTransform(metric, "latest_metrics"), FloatField())
    return runs.annotate(rank=Coalesce(value, Value(_LOWEST)))


class RunPagination(OrderedCursorPagination):
    #: What the API calls an order, and what the query does.
    columns: ClassVar[dict[str, str]] = {
        "created_at": "created_at",
        "name": "name",
        "state": "state",
        "rounds_done": "rounds_done",
        "method": "method",
        "dataset": "dataset",
        "seconds": "seconds",
        "bytes": "bytes_total",
        "accuracy": "rank",
        "loss": "rank",
    }
    orderings: ClassVar[tuple[str, ...]] = tuple(columns)

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Return the runs of the page with no more than their place; the rest is read by id.

        A database that sorts carries all columns of all rows along, and computes them.
        """
        wanted = request.query_params.get("ordering", "").removeprefix("-")
        column = self.columns.get(wanted, "created_at")
        if column == "rank":
            queryset = with_rank(queryset, wanted).only("pk")
        elif column == "bytes_total":
            queryset = queryset.annotate(bytes_total=F("bytes_up") + F("bytes_down")).only("pk")
        else:
            queryset = queryset.only("pk", column)
        return super().paginate_queryset(queryset, request, view)

    def get_ordering(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> tuple[str, ...]:
        first, *rest = super().get_ordering(request, queryset, view)
        sign = "-" if first.startswith("-") else ""
        return (sign + self.columns[first.removeprefix("-")], *rest)


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]  # published without types
    state = django_filters.MultipleChoiceFilter(
        choices=[(state.value, state.value) for state in RunState],
        help_text="May be given several times.",
    )
    method = django_filters.CharFilter(
        method="filter_any", help_text="Kind of algorithm; may be given several times."
    )
    dataset = django_filters.CharFilter(
        method="filter_any", help_text="Kind of data set; may be given several times."
    )
    tag = django_filters.CharFilter(
        method="filter_tags", help_text="May be given several times; runs have all of them."
    )
    favourite = YesNoFilter(
        method="filter_favourite", help_text="Only the user's favourites, or only the others."
    )
    trash = YesNoFilter(
        method="filter_trash", help_text="What is in the trash instead of what is not."
    )
    job = django_filters.UUIDFilter(field_name="job_id")
    project = django_filters.UUIDFilter(field_name="project_id")
    search = django_filters.CharFilter(
        method="filter_search", max_length=120, help_text="Part of the name, the notes or a tag."
    )

    def filter_queryset(self, queryset: RunQuerySet) -> RunQuerySet:
        if not self.form.cleaned_data.get("trash"):
            queryset = queryset.filter(trashed_at=None)
        found: RunQuerySet = super().filter_queryset(queryset)
        return found

    def filter_trash(self, queryset: RunQuerySet, _: str, value: bool) -> RunQuerySet:  # noqa: FBT001
        return queryset.filter(trashed_at__isnull=not value)

    def filter_favourite(self, queryset: RunQuerySet, _: str, value: bool) -> RunQuerySet:  # noqa: FBT001
        starred = Favourite.objects.filter(run=OuterRef("pk"), user=self.request.user.pk)
        return queryset.filter(Exists(starred) if value else ~Exists(starred))

    def filter_any(self, queryset: RunQuerySet, name: str, _: str) -> RunQuerySet:
        return queryset.filter(**{f"{name}__in": self.data.getlist(name)})

    def filter_tags(self, queryset: RunQuerySet, name: str, _: str) -> RunQuerySet:
        for tag in self.data.getlist(name):
            if tag:
                queryset = queryset.filter(_has_tag(Q(name=tag)))
        return queryset

    def filter_search(self, queryset: RunQuerySet, _: str, value: str) -> RunQuerySet:
        return queryset.filter(
            Q(name__icontains=value)
            | Q(notes__icontains=value)
            | _has_tag(Q(name__icontains=value))
        )


def _has_tag(wanted: Q) -> Q:
    return Q(Exists(RunTag.objects.filter(wanted, run=OuterRef("pk"))))


def sparkline_rounds(run: Run, num_points: int) -> list[int]:
    """Return the rounds that a small curve of a run is drawn from, the last one included."""
    if run.rounds_done <= num_points:
        return list(range(run.rounds_done))
    step = (run.rounds_done - 1) / (num_points - 1)
    return sorted({round(index * step) for index in range(num_points)})
