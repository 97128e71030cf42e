"""Settings of every installation; what differs between modes follows from the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from webapp.logs import logging_config
from webapp.settings.artifacts import artifact_storage
from webapp.settings.database import database_from_url, sqlite
from webapp.settings.env import Environment, Mode, load_environment, secret_key_in

ENVIRONMENT: Environment = load_environment()
EMBEDDED = ENVIRONMENT.mode is Mode.EMBEDDED
BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = ENVIRONMENT.var

DEBUG = ENVIRONMENT.debug
SECRET_KEY = (
    ENVIRONMENT.secret_key.get_secret_value()
    if ENVIRONMENT.secret_key
    else secret_key_in(ENVIRONMENT.var)
)
# Besides the names given, the machine itself: health checks and the embedded mode use these.
ALLOWED_HOSTS = [*ENVIRONMENT.allowed_hosts, "localhost", "127.0.0.1", "[::1]"]
if ENVIRONMENT.host not in ("0.0.0.0", "::", *ALLOWED_HOSTS):  # noqa: S104 (compared, not bound)
    ALLOWED_HOSTS.append(ENVIRONMENT.host)
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.csrf_trusted_origins

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "knox",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "webapp.accounts",
    "webapp.jobs",
    "webapp.artifacts",
    "webapp.intents",
    "webapp.sites",
    "webapp.api",
]

MIDDLEWARE = [
    "webapp.logs.RequestLogMiddleware",
    "webapp.metrics.RequestMetricsMiddleware",
    "webapp.accounts.audit.AuditOriginMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "webapp.security.SecurityHeadersMiddleware",
    "webapp.spa.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- data -----------------------------------------------------------------------------------------

DATABASES = {
    "default": database_from_url(ENVIRONMENT.database_url.get_secret_value())
    if ENVIRONMENT.database_url
    else sqlite(VAR_DIR / "roundhouse.sqlite3")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

STORAGES = {
    "default": artifact_storage(ENVIRONMENT),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_DIR = ENVIRONMENT.data_dir

REDIS_URL = ENVIRONMENT.redis_url.get_secret_value() if ENVIRONMENT.redis_url else None
# A Redis that does not answer must not keep every request waiting.
REDIS_TIMEOUTS = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "webapp.caches.SteadyRedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": REDIS_TIMEOUTS,
        }
    }
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "roundhouse"},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CHANNEL_LAYERS = {}

# --- work -----------------------------------------------------------------------------------------

CELERY_BROKER_URL = (
    ENVIRONMENT.broker_url.get_secret_value() if ENVIRONMENT.broker_url else "filesystem://"
)
LEASE_S = ENVIRONMENT.lease_s
SLICE_S = ENVIRONMENT.slice_s
CHECKPOINT_EVERY_S = ENVIRONMENT.checkpoint_every_s
MAX_RUNNING = ENVIRONMENT.max_running
MAX_QUEUED = ENVIRONMENT.max_queued
KEEP_CHECKPOINTS_DAYS = ENVIRONMENT.keep_checkpoints_days
KEEP_EVENTS_DAYS = ENVIRONMENT.keep_events_days
MAX_MODEL_BYTES = ENVIRONMENT.max_model_bytes
ACCEPT_WHAT_DOES_NOT_FIT = ENVIRONMENT.accept_what_does_not_fit

# How often a web process looks for news of the runs that somebody watches. Without a channel
# layer this is how news arrives at all; with one it only repairs a hint that was lost.
WATCH_INTERVAL_S = 2.0 if CHANNEL_LAYERS else 0.25
# How often an open websocket proves that it is alive, and that its user is still allowed to look.
WEBSOCKET_PING_S = 15.0
SOCKETS_PER_USER = ENVIRONMENT.sockets_per_user

SITE_HEARTBEAT_S = ENVIRONMENT.site_heartbeat_s
# Two heartbeats may be lost before a site counts as offline.
SITE_OFFLINE_AFTER_S = 3.5 * ENVIRONMENT.site_heartbeat_s
SITE_POLL_S = ENVIRONMENT.site_poll_s

METRICS_TOKEN = ENVIRONMENT.metrics_token.get_secret_value() if ENVIRONMENT.metrics_token else None
WEBHOOK_URLS = ENVIRONMENT.webhook_urls
WEBHOOK_SECRET = ENVIRONMENT.webhook_secret.get_secret_value() if ENVIRONMENT.webhook_secret else ""
REACHABLE_NETWORKS = ENVIRONMENT.reachable_networks
DEFAULT_FROM_EMAIL = ENVIRONMENT.email_from
EMAIL_HOST_IS_SET = ENVIRONMENT.smtp_url is not None
EMAIL_TIMEOUT = 5
if ENVIRONMENT.smtp_url:
    _smtp = urlsplit(ENVIRONMENT.smtp_url.get_secret_value())
    EMAIL_HOST = _smtp.hostname or "localhost"
    EMAIL_USE_SSL = _smtp.scheme == "smtps"
    EMAIL_USE_TLS = not EMAIL_USE_SSL and bool(_smtp.username)
    EMAIL_PORT = _smtp.port or (465 if EMAIL_USE_SSL else 25)
    EMAIL_HOST_USER = unquote(_smtp.username or "")
    EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")

# --- access ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in"
SESSION_COOKIE_NAME = "roundhouse_session"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "webapp.api.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# docs/access.md says what these add up to.
SESSION_COOKIE_AGE = 14 * 24 * 3600
SIGN_UP = ENVIRONMENT.sign_up
ACCOUNT_ADAPTER = "webapp.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # of this browser; all others are signed out
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser",)
HEADLESS_FRONTEND_URLS = {"socialaccount_login_error": "/sign-in?problem=single_sign_on_failed"}
MFA_ADAPTER = "webapp.accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are not what anybody signs in with
# Browsers take http://localhost for secure, the library has to be told.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EMBEDDED
SOCIALACCOUNT_ADAPTER = "webapp.accounts.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an address proves nothing about who owns an account
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": ENVIRONMENT.oidc_name,
                "client_id": ENVIRONMENT.oidc_client_id,
                "secret": ENVIRONMENT.oidc_client_secret.get_secret_value()
                if ENVIRONMENT.oidc_client_secret
                else "",
                "settings": {"server_url": ENVIRONMENT.oidc_url},
            }
        ]
        if ENVIRONMENT.oidc_url
        else [],
    }
}

KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 (a model)
# Knox's migrations would make its own token table beside ours, empty but referring to our users.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_PREFIX": "rh_",
    "AUTH_TOKEN_CHARACTER_LENGTH": 64,
    "TOKEN_TTL": timedelta(days=90),
}

# --- REST -----------------------------------------------------------------------------------------

INTENTS_BACKEND = ENVIRONMENT.intents_backend
INTENTS_URL = ENVIRONMENT.intents_url
INTENTS_MODEL = ENVIRONMENT.intents_model
INTENTS_API_KEY = ENVIRONMENT.intents_api_key
INTENTS_TIMEOUT_S = ENVIRONMENT.intents_timeout_s

MAX_BODY_BYTES = ENVIRONMENT.max_body_bytes
RATE_LIMITS = {  # requests per minute, by what is counted
    "requests": ENVIRONMENT.requests_per_minute,
    "changes": ENVIRONMENT.changes_per_minute,
    "anonymous": ENVIRONMENT.anonymous_per_minute,
    "sites": ENVIRONMENT.site_requests_per_minute,
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "webapp.accounts.authentication.BearerTokenAuthentication",
        "webapp.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["webapp.accounts.rules.Ruled"],
    "DEFAULT_PARSER_CLASSES": ["webapp.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "webapp.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "webapp.api.schema.RoundhouseSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "webapp.api.rate_limits.UserRateLimit",
        "webapp.api.rate_limits.ChangeRateLimit",
        "webapp.api.rate_limits.AnonymousRateLimit",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "login": "10/min",
        "login_address": "60/min",
        "door": "20/min",
        "mail": "30/hour",
        "intents": "60/min",
    },
    "EXCEPTION_HANDLER": "webapp.api.errors.exception_handler",
    "NUM_PROXIES": ENVIRONMENT.trusted_proxies,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Roundhouse",
    "DESCRIPTION": "Federated learning: describe a run, launch it, watch it.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["webapp.accounts.rules.Ruled"],
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    # Enumerations get their names from the code (typed_fields.EnumField), not from guesses.
    "POSTPROCESSING_HOOKS": [
        "webapp.jobs.frames.add_to_schema",
        "webapp.api.refusals.describe",
        "webapp.api.links.add_links",
    ],
}

# --- static files ---------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = None
FRONTEND_DIR = BASE_DIR / "frontend" / "dist"
WHITENOISE_ROOT = FRONTEND_DIR if FRONTEND_DIR.is_dir() else None
WHITENOISE_USE_FINDERS = True  # the admin's own files, without a collectstatic step
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Vite puts a hash into the name of everything below assets/.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/assets/"

LOGGING = logging_config(
    ENVIRONMENT.log_level, console=DEBUG or ENVIRONMENT.log_format == "console"
)
