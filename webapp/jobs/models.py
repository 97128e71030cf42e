from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from webapp.accounts.models import Project, User
from webapp.accounts.scoping import ProjectScopedQuerySet
from webapp.jobs.chunk_models import Chunk
from webapp.jobs.operation_models import Notice, ProjectShare, Worker
from webapp.jobs.organising import Favourite, RunTag, SavedView
from webapp.jobs.previews import PartitionPreview, PreviewState
from webapp.jobs.states import FINAL_STATES, WORKABLE_STATES, RequestedAction, RunState
from webapp.jobs.sweep_models import Sweep

# Django looks for an app's models in this module.
__all__ = [
    "Chunk",
    "ClientTable",
    "Favourite",
    "Job",
    "Notice",
    "PartitionPreview",
    "PreviewState",
    "ProjectShare",
    "Queue",
    "RoundRecord",
    "Run",
    "RunEvent",
    "RunQuerySet",
    "RunTag",
    "SavedView",
    "Sweep",
    "Worker",
]


class JobQuerySet(ProjectScopedQuerySet["Job"]):
    pass


class RunQuerySet(ProjectScopedQuerySet["Run"]):
    def waiting(self) -> Self:
        """Keep the runs that could be worked on if a worker took them."""
        return self.filter(state__in=WORKABLE_STATES, lease_token=None, parts_out=False)

    def abandoned(self, now: datetime) -> Self:
        """Keep the runs whose worker went silent."""
        return self.exclude(lease_token=None).filter(lease_expires_at__lte=now)


class RoundQuerySet(ProjectScopedQuerySet["RoundRecord"]):
    to_project: ClassVar[str] = "run__project__"


class EventQuerySet(ProjectScopedQuerySet["RunEvent"]):
    to_project: ClassVar[str] = "run__project__"


class Queue(models.TextChoices):
    """Where a worker looks for work."""

    CPU = "cpu"
    GPU = "gpu"


class Job(models.Model):
    """What a user saves: a name and a spec; each launch of it is a run."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="jobs")
    name = models.CharField(max_length=120)
    spec: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    runs_launched = models.PositiveIntegerField(default=0)
    #: Kept to start from, and offered where runs are made.
    is_template = models.BooleanField(default=False)
    priority = models.SmallIntegerField(default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "-created_at"], name="job_by_project")
        ]

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One execution of a spec. Only the services change it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="runs")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    spec: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    digest = models.CharField(max_length=64)
    #: Of the spec, so that lists filter and sort by them without reading it.
    method = models.CharField(max_length=60, blank=True)
    dataset = models.CharField(max_length=60, blank=True)
    notes = models.TextField(blank=True)
    #: When it was put into the trash; it is kept, and left out of lists.
    trashed_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    state = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in RunState], default=RunState.QUEUED
    )
    requested_action = models.CharField(
        max_length=10,
        choices=[(a.value, a.value) for a in RequestedAction],
        default=RequestedAction.NONE,
    )
    failure: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )
    #: The clients of the round that ended the run, which is not recorded: id, status and reason.
    failed_clients: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list, blank=True
    )
    #: Updates of that round that can be used when it is tried again: key, sha256, round_index.
    kept_updates: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )
    attempt = models.PositiveIntegerField(default=1)
    executor = models.CharField(max_length=60, blank=True)

    rounds_total = models.PositiveIntegerField()
    rounds_done = models.PositiveIntegerField(default=0)
    latest_metrics: models.JSONField[dict[str, float | None], dict[str, float | None]] = (
        models.JSONField(default=dict, blank=True)
    )
    bytes_up = models.BigIntegerField(default=0)
    bytes_down = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    sim_seconds = models.FloatField(default=0)
    recent_round_s = models.FloatField(null=True, blank=True)

    #: Events of this run so far; the next one gets the number after it.
    last_seq = models.PositiveIntegerField(default=0)
    #: Events up to this number were removed when they had become old.
    trimmed_seq = models.PositiveIntegerField(default=0)

    #: Which point of its job's sweep the run is: index, values, seed, and its metric at each rung.
    point: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )
    #: Rounds after which the run is next compared with the others of its sweep.
    next_rung = models.PositiveIntegerField(null=True, blank=True)
    pruned = models.BooleanField(default=False)
    #: Runs of the same workload take as long per round; see ``fedcore.spec.workload``.
    workload = models.CharField(max_length=16, blank=True)

    queue = models.CharField(max_length=10, choices=Queue.choices, default=Queue.CPU)
    priority = models.SmallIntegerField(default=0)
    lease_token = models.CharField(max_length=32, null=True, blank=True)  # noqa: DJ001 (NULL: free)
    lease_holder = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    #: Whether its round is with workers in parts; the last part to arrive takes the run on.
    parts_out = models.BooleanField(default=False)
    hints_sent = models.PositiveIntegerField(default=0)
    hint_due_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    if TYPE_CHECKING:
        tag_rows: list[RunTag]  # with the JSON form, see selectors
        viewer_role: str  # added by visible_to()
        place: object  # set before the run is shown: where it stands in its queue, or None

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["job", "number"], name="run_number_per_job")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "-created_at"], name="run_by_project"),
            # In the order of the list: of many runs only those on the page are looked at.
            models.Index(fields=["-created_at", "id"], name="run_by_age"),
            models.Index(fields=["project", "state"], name="run_by_state"),
            models.Index(
                fields=["lease_expires_at"],
                name="run_held",
                condition=Q(lease_token__isnull=False),
            ),
            models.Index(
                fields=["queue", "queued_at"],
                name="run_unfinished",
                condition=Q(state__in=["queued", "starting", "running"]),
            ),
            models.Index(
                fields=["workload", "-finished_at"],
                name="run_measured",
                condition=Q(state="succeeded"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.number}"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def is_waiting(self) -> bool:
        """Return whether the run needs a worker and has none."""
        is_workable = self.state in WORKABLE_STATES
        return is_workable and self.lease_token is None and not self.parts_out

    def is_held(self, now: datetime) -> bool:
        """Return whether a worker that is alive owns the run."""
        return self.lease_expires_at is not None and self.lease_expires_at > now


class RoundRecord(models.Model):
    """One finished round, named by run and index; there are many, so the primary key is small."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="rounds")
    round_index = models.PositiveIntegerField()
    metrics: models.JSONField[dict[str, float | None], dict[str, float | None]] = models.JSONField()
    bytes_up = models.BigIntegerField()
    bytes_down = models.BigIntegerField()
    seconds = models.FloatField()
    sim_seconds = models.FloatField()
    participants = models.PositiveIntegerField()
    clients: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list
    )
    #: Of each client that tested the model on its own data, where the spec asks for that.
    scores: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list
    )
    recorded_at = models.DateTimeField()

    objects = RoundQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "round_index"], name="round_once_per_run")
        ]

    def __str__(self) -> str:
        return f"round {self.round_index}"


class RunEvent(models.Model):
    """One thing that happened to a run; never changed, numbered without gaps."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=32)
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    created_at = models.DateTimeField()

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "seq"], name="event_number_per_run")
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class ClientTable(models.Model):
    """A run's clients: how many examples each holds, also by class, and who talks to whom."""

    run = models.OneToOneField(
        Run, on_delete=models.CASCADE, primary_key=True, related_name="client_table"
    )
    clients: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField()
    #: Pairs of clients that talked to each other in the latest round; none with a server.
    links: models.JSONField[list[list[int | str]], list[list[int | str]]] = models.JSONField(
        default=list
    )

    def __str__(self) -> str:
        return f"{len(self.clients)} clients"
