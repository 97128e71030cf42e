"""Who a site is: invited, enrolled, approved, with another key, revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from fedcore.sites.messages import EnrolmentRequest, KeyRotation, SiteState
from fedcore.sites.signing import fingerprint, is_enrolment_proven, is_rotation_proven
from webapp.accounts.audit import record
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import require
from webapp.accounts.roles import Permission
from webapp.errors import NotFoundError
from webapp.jobs.clock import database_now
from webapp.sites.errors import (
    CodeInvalidError,
    NotProvenError,
    SiteNameTakenError,
    SiteStateError,
)
from webapp.sites.models import Site
from webapp.sites.services.history import record_by_site
from webapp.sites.services.leaving import leave_runs

_CODE_BYTES = 24
_PREFIX = "rhs_"


@transaction.atomic
def invite_site(
    *, user: User, project: Project, name: str, lifetime: timedelta
) -> tuple[Site, str]:
    """Return a new site and its code, of which only a hash is stored."""
    require(user, project.pk, Permission.MANAGE)
    code, fields = _new_code(lifetime)
    try:
        with transaction.atomic():
            site = Site.objects.create(project=project, name=name, created_by=user, **fields)
    except IntegrityError:
        raise SiteNameTakenError(
            "This project has a site of this name.", fields={"name": ["Choose another name."]}
        ) from None
    record(actor=user, action="site.invite", row=site, after={"name": name})
    return site, code


@transaction.atomic
def renew_invitation(*, user: User, site: Site, lifetime: timedelta) -> tuple[Site, str]:
    """Return the site and a new code for it, in place of one that was lost or is too old."""
    site = _managed(user, site.pk)
    _need(site, SiteState.INVITED)
    code, fields = _new_code(lifetime)
    _change(site, **fields)
    record(actor=user, action="site.invite_again", row=site)
    return site, code


@transaction.atomic
def enrol_site(*, request: EnrolmentRequest, address: str | None) -> Site:
    """Give the bearer of a code the identity that its key makes; somebody has to approve it.

    Raises:
        CodeInvalidError: If there is no such code, or it was used, withdrawn or is too old.
        NotProvenError: If the key is not proven to be the sender's; the code stays good.
    """
    now = database_now()
    found = Site.objects.select_for_update().filter(
        code_sha256=_hash(request.code), state=SiteState.INVITED, code_expires_at__gt=now
    )
    site = found.select_related(None).first()
    if site is None:
        raise CodeInvalidError("This code is not valid any more. Ask for a new invitation.")
    if not is_enrolment_proven(request.public_key, request.code, request.proof):
        raise NotProvenError("The proof does not fit the key and the code.")
    _change(
        site,
        state=SiteState.PENDING,
        code_sha256=None,
        code_expires_at=None,
        public_key=request.public_key,
        enrolled_at=now,
        last_seen_at=now,
        last_address=address,
        agent=request.agent.model_dump(mode="json"),
        hardware=request.hardware.model_dump(mode="json"),
    )
    record_by_site(site, action="site.enrol", after={"fingerprint": site.fingerprint})
    return site


@transaction.atomic
def approve_site(*, user: User, site: Site) -> Site:
    """Let an enrolled site take part."""
    site = _managed(user, site.pk)
    _need(site, SiteState.PENDING)
    _change(site, state=SiteState.APPROVED, approved_at=database_now())
    record(actor=user, action="site.approve", row=site, after={"fingerprint": site.fingerprint})
    return site


@transaction.atomic
def revoke_site(*, user: User, site: Site, reason: str) -> Site:
    """Refuse the site from now on, for good, and take it out of the runs that it is in."""
    site = _managed(user, site.pk)
    if site.state == SiteState.REVOKED:
        raise SiteStateError("This site is revoked already.")
    before, now = site.state, database_now()
    _change(site, state=SiteState.REVOKED, revoked_at=now, code_sha256=None, code_expires_at=None)
    after = {"state": site.state, "reason": reason}
    record(actor=user, action="site.revoke", row=site, before={"state": before}, after=after)
    leave_runs(site, reason=reason, now=now)
    return site


@transaction.atomic
def rotate_key(*, site: Site, rotation: KeyRotation) -> Site:
    """Put another key in the place of the site's; the old one is good for nothing any more.

    Raises:
        NotProvenError: If the new key is not proven to be the site's.
    """
    locked = Site.objects.select_for_update().get(pk=site.pk)
    if locked.public_key != site.public_key:
        raise NotProvenError("The key was replaced in the meantime.")
    if not is_rotation_proven(rotation.public_key, site.pk, rotation.proof):
        raise NotProvenError("The proof does not fit the new key.")
    before = {"fingerprint": locked.fingerprint}
    _change(locked, public_key=rotation.public_key)
    after = {"fingerprint": fingerprint(rotation.public_key)}
    record_by_site(locked, action="site.rotate_key", before=before, after=after)
    return locked


def _managed(user: User, site_id: UUID) -> Site:
    """Return the site, locked, if the user may manage its project."""
    site = Site.objects.select_for_update().filter(pk=site_id).first()
    if site is None:
        raise NotFoundError("There is no such site.")
    require(user, site.project_id, Permission.MANAGE)
    return site


def _need(site: Site, state: SiteState) -> None:
    if site.state != state:
        raise SiteStateError(f"This site is {site.state}, not {state.value}.")


def _change(site: Site, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(site, name, value)
    site.save(update_fields=list(fields))


def _new_code(lifetime: timedelta) -> tuple[str, dict[str, str | datetime]]:
    code = _PREFIX + secrets.token_urlsafe(_CODE_BYTES)
    return code, {"code_sha256": _hash(code), "code_expires_at": database_now() + lifetime}


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
