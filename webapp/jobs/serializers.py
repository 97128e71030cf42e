"""The JSON form of jobs and runs, the same in REST answers and on websockets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from django.db.models import DateTimeField, Field
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from pydantic import BaseModel, ConfigDict
from rest_framework import serializers

from webapp.accounts.roles import Permission, Role, allows
from webapp.api.spec_field import SpecField
from webapp.api.typed_fields import EnumField, PydanticField
from webapp.jobs.failures import Failure
from webapp.jobs.models import Run
from webapp.jobs.selectors import QueuePlace, queue_places
from webapp.jobs.states import (
    READING_ACTIONS,
    Priority,
    RequestedAction,
    RunAction,
    RunState,
    actions_for,
)


class RunTotals(BaseModel):
    """Sums over the recorded rounds."""

    model_config = ConfigDict(from_attributes=True)

    bytes_up: int
    bytes_down: int
    seconds: float
    sim_seconds: float


class RunPoint(BaseModel):
    """Which point of its job's sweep a run is."""

    index: int
    values: dict[str, Any]
    seed: int


class QueueSerializer(serializers.Serializer[QueuePlace]):
    position = serializers.IntegerField(help_text="1 is next.")
    reason = serializers.CharField(help_text="Why the run waits.")
    starts_in_s = serializers.FloatField(
        allow_null=True, help_text="About how long until a worker takes it; null if unknown."
    )


class JobRefSerializer(serializers.Serializer[Run]):
    id = serializers.UUIDField(source="job_id")
    name = serializers.CharField(source="job_name")


class TimeField(serializers.DateTimeField):
    """A time in UTC, as it is stored; what the base class finds out about zones is known here."""

    def to_representation(self, value: datetime) -> str:
        return value.isoformat().replace("+00:00", "Z")


class RunRowSerializer(serializers.ModelSerializer[Run]):
    """A run as lists show it."""

    serializer_field_mapping: ClassVar[dict[type[Field[Any, Any]], Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        DateTimeField: TimeField,
    }

    job = JobRefSerializer(source="*")
    project = serializers.UUIDField(source="project_id")
    state = EnumField(RunState)
    requested_action = EnumField(RequestedAction)
    is_final = serializers.BooleanField()
    allowed_actions = serializers.SerializerMethodField()
    latest_metrics = serializers.DictField(child=serializers.FloatField(allow_null=True))
    totals = PydanticField(RunTotals, source="*")
    failure = PydanticField(Failure, allow_null=True)
    queue = QueueSerializer(allow_null=True, source="place")
    eta_s = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="creator")
    tags = serializers.SerializerMethodField()
    is_favourite = serializers.BooleanField(help_text="Of the user who asks.")
    priority = serializers.SerializerMethodField()
    point = serializers.SerializerMethodField(help_text="Null where the run is of no sweep.")

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "id",
            "job",
            "project",
            "number",
            "name",
            "state",
            "is_final",
            "allowed_actions",
            "requested_action",
            "attempt",
            "rounds_total",
            "rounds_done",
            "latest_metrics",
            "totals",
            "executor",
            "failure",
            "queue",
            "eta_s",
            "digest",
            "last_seq",
            "created_at",
            "queued_at",
            "started_at",
            "finished_at",
            "created_by",
            "method",
            "dataset",
            "tags",
            "notes",
            "is_favourite",
            "trashed_at",
            "priority",
            "point",
            "pruned",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=EnumField(RunAction)))
    def get_allowed_actions(self, run: Run) -> list[str]:
        actions = actions_for(RunState(run.state), RequestedAction(run.requested_action))
        if run.state == RunState.FAILED and run.kept_updates:
            actions = (RunAction.RETRY_FAILED, *actions)
        may_write = allows(Role(run.viewer_role), Permission.WRITE)
        return [action for action in actions if may_write or action in READING_ACTIONS]

    def get_tags(self, run: Run) -> list[str]:
        return sorted(tag.name for tag in run.tag_rows)

    @extend_schema_field(EnumField(Priority))
    def get_priority(self, run: Run) -> str:
        return Priority.of_rank(run.priority)

    @extend_schema_field(PydanticField(RunPoint, allow_null=True))
    def get_point(self, run: Run) -> dict[str, Any] | None:
        return run.point and {name: run.point[name] for name in RunPoint.model_fields}

    def get_eta_s(self, run: Run) -> float | None:
        """Return the training time left, from the duration of recent rounds."""
        if run.recent_round_s is None or run.state not in (RunState.STARTING, RunState.RUNNING):
            return None
        return round((run.rounds_total - run.rounds_done) * run.recent_round_s, 1)


class RunSerializer(RunRowSerializer):
    """A run with its spec."""

    spec = SpecField()

    class Meta(RunRowSerializer.Meta):
        fields = (*RunRowSerializer.Meta.fields, "spec")
        read_only_fields = fields


# Making a serializer is slow, using it is not; these two hold no state between calls.
@cache
def _row_serializer() -> RunRowSerializer:
    return RunRowSerializer()


@cache
def _serializer() -> RunSerializer:
    return RunSerializer()


def present_runs(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return runs for a list, without their specs; they come from ``visible_runs``."""
    _find_places(runs)
    return [_row_serializer().to_representation(run) for run in runs]


def present_run(run: Run) -> dict[str, Any]:
    """Return one run with its spec; it comes from ``visible_runs``."""
    _find_places([run])
    return _serializer().to_representation(run)


@dataclass(frozen=True, slots=True)
class ShownTo:
    """What of a run's JSON form depends on who looks at it."""

    role: str
    is_favourite: bool


def present_run_to(run: Run, viewers: Iterable[ShownTo]) -> dict[ShownTo, dict[str, Any]]:
    """Return one run as each of some viewers sees it; it comes from ``find_run_for_all``."""
    _find_places([run])
    shown = {}
    for viewer in viewers:
        vars(run).update(viewer_role=viewer.role, is_favourite=viewer.is_favourite)
        shown[viewer] = _serializer().to_representation(run)
    return shown


def _find_places(runs: Sequence[Run]) -> None:
    places = queue_places(runs, timezone.now())
    for run in runs:
        run.place = places.get(run.pk)
