from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from fedcore.spec import RunSpec
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import NotFoundError
from webapp.jobs.clock import database_now
from webapp.jobs.models import PartitionPreview, PreviewState
from webapp.jobs.queue import send_preview_on_commit

#: A worker that is in the middle of a turn takes this long at most before it looks at its queue.
_REMIND_AFTER = timedelta(seconds=15)
#: What failed may work by now: data may have been put in place.
_TRY_AGAIN_AFTER = timedelta(seconds=20)
#: Previews are cheap to make again.
_KEPT = 500
#: More clients than this cannot be told apart in a picture.
MAX_CLIENTS_SENT = 200


@transaction.atomic
def preview_partition(
    *, user: User, project: Project, spec: RunSpec, now: datetime | None = None
) -> PartitionPreview:
    """Return how a spec would divide its data, if a worker has found it out; else ask for it."""
    # It occupies a worker, so it needs the right to launch runs somewhere.
    require(user, project.pk, Permission.WRITE)
    now = now or database_now()
    parts = _relevant(spec)
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    preview, is_new = PartitionPreview.objects.select_for_update().get_or_create(
        key=key, defaults={"spec": parts, "hinted_at": now, "asked_at": now}
    )
    if is_new:
        _forget_old()
        send_preview_on_commit(key)
    elif _needs_hint(preview, now):
        PartitionPreview.objects.filter(pk=key).update(state=PreviewState.PENDING, hinted_at=now)
        preview.state = PreviewState.PENDING
        send_preview_on_commit(key)
    PartitionPreview.objects.filter(pk=key).update(asked_at=now)
    return preview


def preview_to_make(key: str) -> RunSpec | None:
    """Return what a worker has to divide, or None if that is done or nobody asks any more."""
    preview = PartitionPreview.objects.filter(pk=key, state=PreviewState.PENDING).first()
    return None if preview is None else RunSpec.model_validate(preview.spec)


def record_preview(key: str, report: dict[str, Any]) -> None:
    """Keep what a worker has found out; of many clients, the first ones."""
    clients = report["clients"]
    shown = {**report, "num_clients": len(clients), "clients": clients[:MAX_CLIENTS_SENT]}
    _finish(key, state=PreviewState.READY, report=json.loads(json.dumps(shown)), problem="")


def record_failed_preview(key: str, problem: str) -> None:
    """Keep why the data cannot be divided."""
    _finish(key, state=PreviewState.FAILED, report=None, problem=problem)


def _finish(key: str, **changes: Any) -> None:
    if not PartitionPreview.objects.filter(pk=key).update(**changes):
        raise NotFoundError("Nobody asks for this preview any more.")


def _relevant(spec: RunSpec) -> dict[str, Any]:
    """Return the parts of a spec that decide who holds what; a model may bring a tokenizer."""
    whole = spec.model_dump(mode="json")
    names = ["seed", "dataset", "partition"]
    return {name: whole[name] for name in names} | _tokenizer(whole)


def _tokenizer(whole: dict[str, Any]) -> dict[str, Any]:
    return {"model": whole["model"]} if whole["model"]["kind"] == "huggingface" else {}


def _needs_hint(preview: PartitionPreview, now: datetime) -> bool:
    waited = now - preview.hinted_at
    if preview.state == PreviewState.PENDING:
        return waited > _REMIND_AFTER
    return preview.state == PreviewState.FAILED and waited > _TRY_AGAIN_AFTER


def _forget_old() -> None:
    newest = PartitionPreview.objects.order_by("-asked_at").values_list("pk", flat=True)[:_KEPT]
    PartitionPreview.objects.exclude(pk__in=list(newest)).delete()
