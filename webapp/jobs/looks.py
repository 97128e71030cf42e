"""What the viewers of a run are shown, read once for all of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from webapp.accounts.models import Membership
from webapp.jobs.history import events_after
from webapp.jobs.models import Favourite
from webapp.jobs.selectors import find_run_for_all
from webapp.jobs.serializers import ShownTo, present_run_to

#: Most events in one frame. A reader who is slow gets fuller frames, never a longer queue: the next
#: frame is only made when the one before it has been taken.
MAX_EVENTS_PER_FRAME = 500


class NoLongerVisibleError(Exception):
    """The run is gone, or the user may not see it any more."""


@dataclass(frozen=True, slots=True)
class Page:
    """Events in a row as one frame, and the number of the last one; without a frame, none."""

    frame: str | None
    end: int


@dataclass(frozen=True, slots=True)
class Look:
    """A run at one moment, for everybody who was watching it then.

    Attributes:
        last_seq: Number of its newest event.
        asked: The users for whom it was read.
        shown: The run as JSON, for each of them who may see it.
        news: The events since the look before it, if they are not too many for a frame.
    """

    last_seq: int
    asked: frozenset[UUID]
    shown: Mapping[UUID, str]
    news: Page | None = None

    def shown_to(self, user_id: UUID) -> str:
        """Return the run as JSON.

        Raises:
            NoLongerVisibleError: If this user may not see it.
        """
        shown = self.shown.get(user_id)
        if shown is None:
            raise NoLongerVisibleError
        return shown


def as_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def look(run_id: UUID, user_ids: Collection[UUID], since: int | None) -> Look:
    """Read a run for some users: in six queries, or four more while it waits in its queue.

    Each look reads who may see the run, so that every look checks the permission.
    """
    asked = frozenset(user_ids)
    run = find_run_for_all(run_id)
    if run is None:
        return Look(0, asked, {})
    members = Membership.objects.filter(
        project_id=run.project_id, user_id__in=asked, user__is_active=True
    )
    stars = set(Favourite.objects.filter(run=run, user_id__in=asked).values_list("user", flat=True))
    viewers = {
        user_id: ShownTo(role, is_favourite=user_id in stars)
        for user_id, role in members.values_list("user_id", "role")
    }
    texts = {
        viewer: as_json(shown)
        for viewer, shown in present_run_to(run, set(viewers.values())).items()
    }
    news = None
    if since is not None and since < run.last_seq <= since + MAX_EVENTS_PER_FRAME:
        news = page(run_id, since, run.last_seq)
    shown = {user_id: texts[viewer] for user_id, viewer in viewers.items()}
    return Look(run.last_seq, asked, shown, news)


def page(run_id: UUID, after: int, last_seq: int) -> Page:
    """Return the next events up to a number; of a run that ended long ago they may be gone."""
    events = events_after(run_id, after, min(MAX_EVENTS_PER_FRAME, last_seq - after))
    if not events:
        return Page(None, last_seq)
    return Page(as_json({"type": "events", "events": events}), events[-1]["seq"])
