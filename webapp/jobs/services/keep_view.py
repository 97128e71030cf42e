from __future__ import annotations

from django.db import transaction

from webapp.accounts.models import User
from webapp.errors import ConflictError
from webapp.jobs.models import SavedView

MAX_VIEWS = 100


@transaction.atomic
def keep_view(*, user: User, name: str, query: str) -> SavedView:
    """Save a view of the list of runs under a name; the same name again replaces it."""
    mine = SavedView.objects.filter(user=user)
    if mine.exclude(name=name).count() >= MAX_VIEWS:
        raise ConflictError(f"You have {MAX_VIEWS} saved views. Delete one first.")
    view, _ = mine.update_or_create(user=user, name=name, defaults={"query": query})
    return view
