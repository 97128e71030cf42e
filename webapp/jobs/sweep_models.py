from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q

from webapp.accounts.scoping import ProjectScopedQuerySet
from webapp.jobs.states import SweepState


class SweepQuerySet(ProjectScopedQuerySet["Sweep"]):
    to_project: ClassVar[str] = "job__project__"


class Sweep(models.Model):
    """What makes a job several runs: the document, and how far it has been worked through.

    Runs are made one after another as earlier ones end, so that a search can learn from them.
    """

    job = models.OneToOneField(
        "jobs.Job", on_delete=models.CASCADE, primary_key=True, related_name="sweep"
    )
    document: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    state = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in SweepState], default=SweepState.RUNNING
    )
    runs_total = models.PositiveIntegerField()
    #: Runs made, or left out because a proposed point cannot be run.
    runs_made = models.PositiveIntegerField(default=0)
    #: Of a search: each point's values, and its problems where it cannot be run.
    proposed: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = SweepQuerySet.as_manager()

    if TYPE_CHECKING:
        viewer_role: str  # added by visible_to()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state"], name="sweep_running", condition=Q(state="running"))
        ]

    def __str__(self) -> str:
        return f"{self.runs_made} of {self.runs_total} runs"
