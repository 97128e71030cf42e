"""What others tell of accounts, written into the audit log: Django's and allauth's own signals."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_set
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from webapp.accounts.audit import record
from webapp.accounts.models import User


def _signed_in(user: User, **_: Any) -> None:
    record(actor=user, action="session.start", row=user)


def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        record(actor=user, action="session.end", row=user)


def _refused(credentials: dict[str, Any], **_: Any) -> None:
    # Only the name of somebody who exists: people type their password into the wrong field.
    user = User.objects.filter(username=str(credentials.get("username", ""))).first()
    if user is not None:
        record(actor=None, action="session.refused", row=user)


def _password_changed(user: User, **_: Any) -> None:
    record(actor=user, action="password.change", row=user)


def _factor_added(user: User, authenticator: Any, **_: Any) -> None:
    record(actor=user, action="factor.add", row=user, after={"type": str(authenticator.type)})


def _factor_removed(user: User, authenticator: Any, **_: Any) -> None:
    record(actor=user, action="factor.remove", row=user, before={"type": str(authenticator.type)})


def _factor_reset(user: User, authenticator: Any, **_: Any) -> None:
    record(actor=user, action="factor.renew", row=user, after={"type": str(authenticator.type)})


def _identity_added(sociallogin: Any, **_: Any) -> None:
    after = {"provider": sociallogin.account.provider}
    record(actor=sociallogin.user, action="identity.add", row=sociallogin.user, after=after)


def _identity_removed(socialaccount: Any, **_: Any) -> None:
    before = {"provider": socialaccount.provider}
    user = socialaccount.user
    record(actor=user, action="identity.remove", row=user, before=before)


def connect() -> None:
    """Listen from now on."""
    # Django keeps weak references; these functions live as long as their module.
    user_logged_in.connect(_signed_in)
    user_logged_out.connect(_signed_out)
    user_login_failed.connect(_refused)
    password_changed.connect(_password_changed)
    password_set.connect(_password_changed)
    authenticator_added.connect(_factor_added)
    authenticator_removed.connect(_factor_removed)
    authenticator_reset.connect(_factor_reset)
    social_account_added.connect(_identity_added)
    social_account_removed.connect(_identity_removed)
