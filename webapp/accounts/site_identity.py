"""What a request by a real site carries in the place of a user."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SiteIdentity:
    """A site that has proven itself; it acts for itself alone and has no right in any project."""

    site_id: UUID
