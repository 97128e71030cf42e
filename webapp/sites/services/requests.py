"""Whether a request comes from the site that it names, now, and for the first time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from fedcore.sites.messages import SiteState
from fedcore.sites.signing import MAX_SKEW_S, NONCE_LIFE_S, Credential, NotSignedError, Request
from webapp.jobs.clock import database_now
from webapp.sites.errors import (
    ClockSkewError,
    NotApprovedError,
    NotProvenError,
    ReplayedError,
    RevokedError,
)
from webapp.sites.models import Site, SiteNonce

#: The same for a site that is not known and for a signature that is not its own.
_NOT_PROVEN = "This request is not signed by a site that is known here."


def authenticate(*, header: str, request: Request, now: datetime | None = None) -> Site:
    """Return the site that has signed a request; its nonce is used up.

    Raises:
        NotProvenError: If none has, or another one.
        RevokedError: If the site is refused for good.
        ClockSkewError: If the request is too old, or of the future.
        ReplayedError: If its nonce was used before.
    """
    now = now or database_now()
    try:
        credential = Credential.of_header(header)
        site = Site.objects.get(pk=credential.site_id)
    except (NotSignedError, Site.DoesNotExist):
        raise NotProvenError(_NOT_PROVEN) from None
    if not request.is_signed(credential, bytes.fromhex(site.public_key)):
        raise NotProvenError(_NOT_PROVEN)
    if site.state == SiteState.REVOKED:
        raise RevokedError("This site was revoked. Ask for a new invitation.")
    if abs(now.timestamp() - credential.time) > MAX_SKEW_S:
        raise ClockSkewError(
            f"The request was signed more than {MAX_SKEW_S} s from the server's time; "
            "see the Date of this answer."
        )
    try:
        with transaction.atomic():
            SiteNonce.objects.create(site=site, nonce=credential.nonce, used_at=now)
    except IntegrityError:
        raise ReplayedError("This request was made before.") from None
    _note_sign_of_life(site, now)
    return site


def _note_sign_of_life(site: Site, now: datetime) -> None:
    """Write down that a site is there, at most twice for each of its heartbeats."""
    due = now - timedelta(seconds=settings.SITE_HEARTBEAT_S / 2)
    if site.last_seen_at is None or site.last_seen_at < due:
        Site.objects.filter(pk=site.pk).update(last_seen_at=now)
        site.last_seen_at = now


def require_approved(site: Site) -> None:
    """Refuse a site that nobody has approved.

    Raises:
        NotApprovedError: If that is so.
    """
    if site.state != SiteState.APPROVED:
        raise NotApprovedError("An administrator of the project has to approve this site first.")


def forget_nonces(now: datetime) -> int:
    """Remove the nonces whose signatures are too old to be shown again."""
    old = SiteNonce.objects.filter(used_at__lt=now - timedelta(seconds=NONCE_LIFE_S))
    return old.delete()[0]
