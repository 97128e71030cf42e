"""Files of rounds on sites, removed when nobody needs them; rows stay as the history of sites."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from django.db import transaction
from django.db.models import F

from fedcore.sites.tasks import TaskKind
from webapp.artifacts.services import discard_file, discard_parts
from webapp.jobs.models import Run
from webapp.jobs.services.run_changes import lock_run
from webapp.jobs.states import RunState
from webapp.sites.models import SiteRound, SiteTask
from webapp.sites.services.flights import in_flight, oldest_of

NOBODY: Mapping[int, int] = MappingProxyType({})
_ENDED = (RunState.FAILED, RunState.CANCELLED)


def forget_round(run: Run, round_index: int, *, keep: Mapping[int, int] = NOBODY) -> None:
    """Remove all that was sent in a round, either way, and before it to sites at work.

    Args:
        run: Locked.
        round_index: The round.
        keep: Sites that are at work still, each with the round whose model it was sent.
    """
    rounds = SiteRound.objects.filter(run=run, round_index=round_index)
    oldest = min((oldest_of(opened) for opened in rounds), default=round_index)
    sent = SiteTask.objects.filter(run=run, round_index__range=(oldest, round_index))
    kept = in_flight(run.pk, keep)
    tasks = sent.exclude(message_key="", key="").exclude(pk__in=kept.values("pk"))
    keys: set[str] = set()
    for message_key, key, pieces in tasks.values_list("message_key", "key", "piece_keys"):
        keys.update([message_key, key, *pieces])
    tasks.update(message_key="", key="", piece_keys=[])
    keys.difference_update(kept.values_list("message_key", flat=True))
    for masked in rounds.exclude(masked_sum=None).values_list("masked_sum", flat=True):
        keys.add((masked or {})["key"])
    rounds.update(masked_sum=None)
    _discard_on_commit(keys)


def forget_results(run: Run, kind: TaskKind) -> None:
    """Remove what sites have sent in a stage of the round that is open."""
    sent = SiteTask.objects.filter(run=run, round_index=run.rounds_done, kind=kind)
    keys = set(sent.values_list("key", flat=True))
    sent.update(key="")
    _discard_on_commit(keys)


@transaction.atomic
def forget_open_round(run: Run) -> None:
    """Forget the round that a locked run has ended in; if it is retried, sites are asked anew."""
    forget_round(run, run.rounds_done)
    SiteRound.objects.filter(run=run, round_index=run.rounds_done).delete()


def forget_ended_runs() -> None:
    """Forget the open rounds of runs that have failed or were cancelled."""
    left = SiteRound.objects.filter(run__state__in=_ENDED, round_index=F("run__rounds_done"))
    for run_id in list(left.values_list("run_id", flat=True)):
        with transaction.atomic():
            run = lock_run(run_id)
            if run.state in _ENDED:
                forget_open_round(run)
                forget_files(run_id=run_id)


@transaction.atomic
def forget_files(*, run_id: UUID) -> None:
    """Remove all parts of a run if it has failed or was cancelled, also those that no row names.

    A worker stores what it sends before it records it. The run is locked, so that nobody tries it
    again meanwhile.
    """
    run = lock_run(run_id)
    if run.state in _ENDED and not run.kept_updates:
        discard_parts(run_id=run_id)


def _discard_on_commit(keys: set[str]) -> None:
    def discard() -> None:
        for key in keys - {""}:
            discard_file(key=key)

    transaction.on_commit(discard, robust=True)
