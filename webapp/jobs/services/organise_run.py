"""What people write on runs; none of it changes what a run computes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from webapp.accounts.audit import record, recorded_as
from webapp.accounts.models import User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import ConflictError
from webapp.jobs.models import Favourite, Run, RunTag
from webapp.jobs.services.run_changes import lock_run

#: More words than this describe nothing any more, and do not fit into a row.
MAX_TAGS = 12


@dataclass(frozen=True, slots=True)
class Description:
    """What a user wants to be written on a run; None leaves a part as it is."""

    name: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] | None = None


@recorded_as("run.describe", "run", "name", "notes")
@transaction.atomic
def describe_run(*, run: Run, user: User, wanted: Description) -> None:
    """Write name, notes and tags on a run."""
    require(user, run.project_id, Permission.WRITE)
    run = lock_run(run.pk)
    texts = {"name": wanted.name, "notes": wanted.notes}
    changes = {field: text for field, text in texts.items() if text is not None}
    if changes:
        Run.objects.filter(pk=run.pk).update(**changes)
    if wanted.tags is not None:
        _set_tags(run, user, wanted.tags)


@transaction.atomic
def tag_run(*, run: Run, user: User, name: str) -> None:
    """Add one tag; a run that has it stays as it is."""
    require(user, run.project_id, Permission.WRITE)
    run = lock_run(run.pk)
    known = set(run.tags.values_list("name", flat=True))
    _set_tags(run, user, known | {name})


@transaction.atomic
def untag_run(*, run: Run, user: User, name: str) -> None:
    """Take one tag away; a run without it stays as it is."""
    require(user, run.project_id, Permission.WRITE)
    run = lock_run(run.pk)
    known = set(run.tags.values_list("name", flat=True))
    _set_tags(run, user, known - {name})


@recorded_as("run.trash", "run", "trashed_at")
@transaction.atomic
def trash_run(*, run: Run, user: User, now: datetime | None = None) -> None:
    """Put a run that has ended into the trash, from which it can be restored."""
    require(user, run.project_id, Permission.WRITE)
    run = lock_run(run.pk)
    if not run.is_final:
        raise ConflictError(f"This run is {run.state}. Cancel it before you put it into the trash.")
    Run.objects.filter(pk=run.pk, trashed_at=None).update(trashed_at=now or timezone.now())


@recorded_as("run.restore", "run", "trashed_at")
@transaction.atomic
def restore_run(*, run: Run, user: User) -> None:
    """Take a run out of the trash."""
    require(user, run.project_id, Permission.WRITE)
    Run.objects.filter(pk=run.pk).update(trashed_at=None)


@transaction.atomic
def star_run(*, run: Run, user: User) -> None:
    """Make a run one of the user's favourites; this needs no more than the right to look."""
    require(user, run.project_id, Permission.READ)
    Favourite.objects.get_or_create(run=run, user=user)


@transaction.atomic
def unstar_run(*, run: Run, user: User) -> None:
    """Take a run out of the user's favourites."""
    require(user, run.project_id, Permission.READ)
    Favourite.objects.filter(run=run, user=user).delete()


def _set_tags(run: Run, user: User, names: Iterable[str]) -> None:
    wanted = set(names)
    known = set(run.tags.values_list("name", flat=True))
    if wanted == known:
        return
    if len(wanted) > MAX_TAGS and not wanted < known:
        raise ConflictError(f"A run has at most {MAX_TAGS} tags. Take some away first.")
    run.tags.exclude(name__in=wanted).delete()
    RunTag.objects.bulk_create(RunTag(run_id=run.pk, name=name) for name in sorted(wanted - known))
    before, after = {"tags": sorted(known)}, {"tags": sorted(wanted)}
    record(actor=user, action="run.tag", row=run, before=before, after=after)
