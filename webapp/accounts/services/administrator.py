"""The first administrator, and the project that everybody starts in."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from webapp.accounts.audit import record
from webapp.accounts.models import Membership, Project, User
from webapp.accounts.roles import Role

DEFAULT_PROJECT = "Default"


@transaction.atomic
def ensure_administrator() -> str | None:
    """Make the first administrator and the project that everybody starts in, if there is none.

    Returns:
        A password that was made up just now and is stored nowhere, or None if the environment gave
        one or the administrator exists already.

    Raises:
        ValidationError: If the password in the environment is too weak.
    """
    environment = settings.ENVIRONMENT
    if User.objects.filter(is_superuser=True).exists():
        return None
    given = environment.admin_password
    password = given.get_secret_value() if given else secrets.token_urlsafe(15)
    user = User(username=environment.admin_username, is_staff=True, is_superuser=True)
    validate_password(password, user)
    user.set_password(password)
    user.save()
    project, _ = Project.objects.get_or_create(name=DEFAULT_PROJECT)
    Membership.objects.create(user=user, project=project, role=Role.ADMIN)
    record(actor=None, action="user.create", row=user, after={"is_superuser": True})
    return None if given else password
