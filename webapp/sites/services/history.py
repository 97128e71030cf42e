"""What sites do themselves, in the audit log under their own name."""

from __future__ import annotations

from typing import Any

from webapp.accounts.audit import record
from webapp.sites.models import Site


def record_by_site(
    site: Site,
    *,
    action: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add an entry that names the site as the one who acted."""
    record(actor=None, by=f"site {site.name}", action=action, row=site, before=before, after=after)
