"""Whether a site is there, and what can be done with it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from fedcore.sites.messages import SiteState


class Presence(StrEnum):
    """Whether a site has been heard of lately."""

    ONLINE = "online"
    OFFLINE = "offline"
    NEVER_SEEN = "never_seen"

    @classmethod
    def of(cls, last_seen_at: datetime | None, *, is_online: bool) -> Self:
        if last_seen_at is None:
            return cls.NEVER_SEEN
        return cls.ONLINE if is_online else cls.OFFLINE


class SiteAction(StrEnum):
    """What the API lets an administrator of the project do with a site."""

    INVITE = "invite"
    APPROVE = "approve"
    REVOKE = "revoke"

    @classmethod
    def for_state(cls, state: SiteState) -> tuple[Self, ...]:
        if state is SiteState.REVOKED:
            return ()
        first = {SiteState.INVITED: (cls.INVITE,), SiteState.PENDING: (cls.APPROVE,)}
        return (*first.get(state, ()), cls.REVOKE)
