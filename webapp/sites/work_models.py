"""The sites of a run, its rounds, and what each site is asked in them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q

from fedcore.sites.tasks import TaskKind
from webapp.accounts.scoping import ProjectScopedQuerySet
from webapp.jobs.states import RequestedAction, RunState


class TaskState(models.TextChoices):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    DONE = "done"
    #: By the site, which named a rule.
    REFUSED = "refused"
    FAILED = "failed"
    #: Its round went on without it, or the site was revoked.
    DROPPED = "dropped"


#: Tasks that may still be answered.
OPEN = (TaskState.WAITING, TaskState.ACCEPTED)


class RunSiteQuerySet(ProjectScopedQuerySet["RunSite"]):
    to_project: ClassVar[str] = "run__project__"


class RunSite(models.Model):
    """A site as a client of a run, with the counts that it had declared when the run began."""

    run = models.ForeignKey("jobs.Run", on_delete=models.CASCADE, related_name="run_sites")
    site = models.ForeignKey("sites.Site", on_delete=models.CASCADE, related_name="run_sites")
    client_id = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    num_train = models.PositiveBigIntegerField()
    num_test = models.PositiveBigIntegerField()
    class_counts: models.JSONField[dict[str, int] | None, dict[str, int] | None] = models.JSONField(
        null=True, blank=True
    )
    #: The key that it had when the run began: what it signs in a secure sum is checked with it.
    public_key = models.CharField(max_length=64, blank=True)
    #: Whether it has taken on a task of the run.
    has_joined = models.BooleanField(default=False)
    #: Whether it was last seen to be silent with a task of the run in hand.
    is_silent = models.BooleanField(default=False)
    #: Why the site takes no part any more; empty while it does.
    out_rule = models.CharField(max_length=120, blank=True)
    out_reason = models.CharField(max_length=1000, blank=True)

    objects = RunSiteQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "client_id"], name="client_once_per_run"),
            models.UniqueConstraint(fields=["run", "site"], name="site_once_per_run"),
        ]

    def __str__(self) -> str:
        return f"client {self.client_id}: {self.name}"


class SiteRoundQuerySet(ProjectScopedQuerySet["SiteRound"]):
    to_project: ClassVar[str] = "run__project__"


class SiteRound(models.Model):
    """A round that is with the sites: which of them were asked, and until when."""

    run = models.ForeignKey("jobs.Run", on_delete=models.CASCADE, related_name="site_rounds")
    round_index = models.PositiveIntegerField()
    #: Clients that could be reached when it was opened; the cohort was chosen among them.
    reachable: models.JSONField[list[int], list[int]] = models.JSONField()
    stage = models.CharField(max_length=20, default=TaskKind.TRAIN)
    opened_at = models.DateTimeField()
    stage_opened_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    #: So many answers to the stage are enough if the other sites are offline; None waits for them.
    enough = models.PositiveIntegerField(null=True, blank=True)
    #: Sites at work, each with the round whose model it was sent; None if all are of this round.
    flights: models.JSONField[list[list[int]] | None, list[list[int]] | None] = models.JSONField(
        null=True, blank=True
    )
    #: With flights: so many updates end the training; None leaves that to the deadline.
    due = models.PositiveIntegerField(null=True, blank=True)
    #: With flights: sites that have delivered and whose place is taken, in their order; None if
    #: nobody begins before the next round.
    replaced: models.JSONField[list[int] | None, list[int] | None] = models.JSONField(
        null=True, blank=True
    )
    #: With flights: the sites that the round is done with, once that is settled.
    landed: models.JSONField[list[int] | None, list[int] | None] = models.JSONField(
        null=True, blank=True
    )
    #: Which of the run's secure sums is made; None where there is none.
    sum_number = models.PositiveIntegerField(null=True, blank=True)
    #: The file with the sum of the masked vectors, and whose they are, once those are added up.
    masked_sum: models.JSONField[dict[str, Any] | None, dict[str, Any] | None] = models.JSONField(
        null=True, blank=True
    )

    objects = SiteRoundQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "round_index"], name="site_round_once")
        ]

    def __str__(self) -> str:
        return f"round {self.round_index}, {self.stage}"


class SiteTaskQuerySet(ProjectScopedQuerySet["SiteTask"]):
    to_project: ClassVar[str] = "run__project__"

    def open(self) -> Self:
        """Keep those that may still be answered."""
        return self.filter(state__in=OPEN)

    def wanted(self) -> Self:
        """Keep those whose answer is of use: the run trains, and has not gone on without them.

        A task that its run goes on without is closed then, unless the site may answer in a later
        round.
        """
        return self.open().filter(
            run__state=RunState.RUNNING,
            run__requested_action=RequestedAction.NONE,
            run__rounds_done__gte=F("round_index"),
        )


class SiteTask(models.Model):
    """One thing that one site is asked in one stage of one round."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey("jobs.Run", on_delete=models.CASCADE, related_name="site_tasks")
    site = models.ForeignKey("sites.Site", on_delete=models.CASCADE, related_name="tasks")
    client_id = models.PositiveIntegerField()
    round_index = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in TaskKind])
    attempt = models.PositiveIntegerField(default=1)
    sum_number = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=TaskState.choices, default=TaskState.WAITING)
    cohort_size = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    #: What the site starts from.
    message_key = models.CharField(max_length=300)
    message_sha256 = models.CharField(max_length=64)
    message_bytes = models.PositiveBigIntegerField()
    max_result_bytes = models.PositiveBigIntegerField()

    #: What it is at, by its own word.
    stage = models.CharField(max_length=20, blank=True)
    fraction = models.FloatField(null=True, blank=True)

    #: What has arrived in pieces, then the whole.
    received_bytes = models.PositiveBigIntegerField(default=0)
    piece_keys: models.JSONField[list[str], list[str]] = models.JSONField(default=list, blank=True)
    key = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    num_examples = models.PositiveBigIntegerField(default=0)
    tally: models.JSONField[list[float] | None, list[float] | None] = models.JSONField(
        null=True, blank=True
    )
    #: Of a refusal or failure.
    rule = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=1100, blank=True)

    objects = SiteTaskQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["run", "round_index", "kind", "client_id", "attempt"],
                name="site_task_once",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["site", "opened_at"],
                name="site_task_open",
                condition=Q(state__in=["waiting", "accepted"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}, round {self.round_index}, attempt {self.attempt}"

    @property
    def is_open(self) -> bool:
        """Whether it may still be answered."""
        return self.state in OPEN
