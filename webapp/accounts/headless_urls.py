"""Those routes of allauth that the screens use; all others of it do not exist here.

Signing in with a password, signing up and sessions are routes of our own, below ``/api/v1/``.
"""

from __future__ import annotations

from allauth.headless.account import views as account
from allauth.headless.constants import Client
from allauth.headless.mfa import views as factors
from allauth.headless.socialaccount import views as social
from django.urls import URLPattern, path


def _route(address: str, view: type, name: str) -> URLPattern:
    return path(address, view.as_api_view(client=Client.BROWSER), name=name)  # type: ignore[attr-defined]


app_name = "headless"
urlpatterns = [
    _route("auth/session", account.SessionView, "current_session"),
    _route("auth/reauthenticate", account.ReauthenticateView, "reauthenticate"),
    _route("auth/2fa/authenticate", factors.AuthenticateView, "mfa_authenticate"),
    _route("auth/2fa/reauthenticate", factors.ReauthenticateView, "mfa_reauthenticate"),
    _route("auth/webauthn/login", factors.LoginWebAuthnView, "login_webauthn"),
    _route("auth/webauthn/authenticate", factors.AuthenticateWebAuthnView, "authenticate_webauthn"),
    _route(
        "auth/webauthn/reauthenticate",
        factors.ReauthenticateWebAuthnView,
        "reauthenticate_webauthn",
    ),
    _route("auth/provider/redirect", social.RedirectToProviderView, "redirect_to_provider"),
    _route("account/providers", social.ManageProvidersView, "manage_providers"),
    _route("account/password/change", account.ChangePasswordView, "change_password"),
    _route("account/authenticators", factors.AuthenticatorsView, "authenticators"),
    _route("account/authenticators/totp", factors.ManageTOTPView, "manage_totp"),
    _route(
        "account/authenticators/recovery-codes",
        factors.ManageRecoveryCodesView,
        "manage_recovery_codes",
    ),
    _route("account/authenticators/webauthn", factors.ManageWebAuthnView, "manage_webauthn"),
]
