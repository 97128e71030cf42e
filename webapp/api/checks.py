"""``manage.py check --deploy``: Django's own questions, and what ours add to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from webapp.settings.safety import unsafe_settings


@register(Tags.security, deploy=True)
def check_environment(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Name every variable that production refuses to start with."""
    return [
        Error(line, id="roundhouse.E001", hint="docs/operations.md says what it may be.")
        for line in unsafe_settings(settings.ENVIRONMENT)
    ]


@register(Tags.security, deploy=True)
def check_doors(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Check what no variable changes, but an edit of the settings could."""
    rest: dict[str, Any] = settings.REST_FRAMEWORK
    found = {
        "E002": (
            rest["DEFAULT_PERMISSION_CLASSES"] == ["webapp.accounts.rules.Ruled"],
            "Views do not ask the table of rules who may use them.",
        ),
        "E003": (bool(rest["DEFAULT_THROTTLE_CLASSES"]), "Requests are not limited by default."),
        "E004": (
            "webapp.security.SecurityHeadersMiddleware" in settings.MIDDLEWARE,
            "Answers have no content security policy.",
        ),
        "E005": (
            "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE,
            "Requests are not checked for forgery.",
        ),
        "E006": (
            "argon2" in settings.PASSWORD_HASHERS[0].lower(),
            "New passwords are not hashed with Argon2.",
        ),
        "E007": (
            not any("corsheaders" in name for name in settings.INSTALLED_APPS),
            "Pages of other sites may read answers.",
        ),
        "E008": (
            settings.SESSION_COOKIE_HTTPONLY and settings.SESSION_COOKIE_SAMESITE == "Lax",
            "Scripts or other sites can use the session cookie.",
        ),
    }
    return [
        Error(message, id=f"roundhouse.{number}")
        for number, (is_safe, message) in found.items()
        if not is_safe
    ]
