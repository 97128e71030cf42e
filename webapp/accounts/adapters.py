"""How allauth behaves here: who may come in by single sign-on, and how secrets are stored."""

from __future__ import annotations

import base64
from typing import Any, NoReturn
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect

from webapp.accounts.addresses import address_of
from webapp.accounts.models import User
from webapp.request_places import stand_aside
from webapp.settings.env import SignUp

_UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  (recorded, not bound)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # published without types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up through allauth: accounts come from invitations and requests of ours."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request) or _UNKNOWN_ADDRESS

    def add_message(self, *_: Any, **__: Any) -> None:
        """Say nothing: the screens show what happened."""

    def respond_user_inactive(self, request: HttpRequest, user: User) -> NoReturn:
        problem = "awaiting_approval" if user.awaits_approval else "switched_off"
        raise ImmediateHttpResponse(back_to_sign_in(problem))

    def send_notification_mail(self, *_: Any, **__: Any) -> None:
        """Send nothing: what changes about an account is in the audit log."""


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # without types
    """People whom the identity provider knows, and we do not, wait for an approval or stay out."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        if settings.SIGN_UP is SignUp.CLOSED:
            raise ImmediateHttpResponse(back_to_sign_in("no_account"))
        return True

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        if settings.SIGN_UP is SignUp.APPROVAL:
            sociallogin.user.is_active = False
            sociallogin.user.awaits_approval = True
        user: User = super().save_user(request, sociallogin, form)
        return user

    def get_requests_session(self) -> Any:
        """Return what asks the identity provider, which others need not wait for."""
        stand_aside()
        return super().get_requests_session()

    def on_authentication_error(self, *_: Any, **__: Any) -> NoReturn:
        raise ImmediateHttpResponse(back_to_sign_in("single_sign_on_failed"))


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # published without types
    """Stores what second factors rest on so that the database alone does not give it away."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return "Roundhouse"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**entity, "name": "Roundhouse"}


def _cipher() -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"roundhouse second factors")
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))


def back_to_sign_in(problem: str) -> HttpResponseRedirect:
    """Return a redirect to the screen that says in words why there is no session."""
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'problem': problem})}")
