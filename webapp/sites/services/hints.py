"""Telling sites that something waits for them; only a hint, they ask for it themselves."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from webapp.jobs.hints import SITES, publish_to


def tell_sites_on_commit(site_ids: Iterable[UUID]) -> None:
    """Have the websockets of some sites say so, once the transaction is durable."""
    told = tuple(site_ids)

    def publish() -> None:
        for site_id in told:
            publish_to(SITES, site_id)

    transaction.on_commit(publish, robust=True)
