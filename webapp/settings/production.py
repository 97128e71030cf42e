"""Settings of a server that strangers can reach: no default secrets, HTTPS, nothing lax."""

from django.core.exceptions import ImproperlyConfigured

from webapp.settings.base import *  # noqa: F403
from webapp.settings.base import ENVIRONMENT
from webapp.settings.env import Mode

_MIN_SECRET_LENGTH = 50


def _refusals() -> list[str]:
    """Return a line for each setting that is not fit for production."""
    secret = ENVIRONMENT.secret_key.get_secret_value() if ENVIRONMENT.secret_key else ""
    found = []
    if ENVIRONMENT.mode is not Mode.SERVER:
        found.append("ROUNDHOUSE_MODE: must be server")
    if ENVIRONMENT.debug:
        found.append("ROUNDHOUSE_DEBUG: must be off")
    if len(secret) < _MIN_SECRET_LENGTH or len(set(secret)) < 10:  # noqa: PLR2004
        found.append("ROUNDHOUSE_SECRET_KEY: must be 50 random characters or more")
    if not ENVIRONMENT.allowed_hosts or "*" in ENVIRONMENT.allowed_hosts:
        found.append("ROUNDHOUSE_ALLOWED_HOSTS: name the hosts that this server answers to")
    return found


if _refusals():
    raise ImproperlyConfigured("\n  ".join(["Not fit for production:", *_refusals()]))

SECURE_SSL_REDIRECT = ENVIRONMENT.https
SECURE_REDIRECT_EXEMPT = [r"^api/v1/health/"]
SESSION_COOKIE_SECURE = ENVIRONMENT.https
CSRF_COOKIE_SECURE = ENVIRONMENT.https
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if ENVIRONMENT.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENVIRONMENT.https
SECURE_HSTS_PRELOAD = ENVIRONMENT.https
if ENVIRONMENT.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
