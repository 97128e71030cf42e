"""What an installation that strangers can reach must not be set to; each line says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from webapp.addresses import literal_address
from webapp.settings.env import PREFIX, Environment, Mode

_MIN_SECRET_LENGTH = 50
_MIN_DISTINCT = 10
_MIN_TOKEN_LENGTH = 24
_MAX_BODY_BYTES = 64 * 2**20
#: Passwords that servers come with, or that everybody tries first.
_KNOWN_PASSWORDS = {
    *("", "admin", "changeme", "default", "guest", "password", "postgres", "rabbitmq", "redis"),
    *("root", "roundhouse", "secret", "test", "123456"),
}


def unsafe_settings(environment: Environment) -> list[str]:
    """Return one line for each setting that is not fit for production."""
    return [
        f"{PREFIX}{name}: {problem}"
        for check in (_mode, _secrets, _hosts, _servers, _requests_out)
        for name, problem in check(environment)
    ]


Findings = Iterator[tuple[str, str]]


def _mode(environment: Environment) -> Findings:
    if environment.mode is not Mode.SERVER:
        yield "MODE", "must be server"
    if environment.debug:
        yield "DEBUG", "must be off"
    if environment.log_level == "DEBUG":
        yield "LOG_LEVEL", "must not be DEBUG: libraries then log what they send and receive"
    if environment.max_body_bytes > _MAX_BODY_BYTES:
        yield "MAX_BODY_BYTES", f"must be at most {_MAX_BODY_BYTES}: bodies are held in memory"


def _secrets(environment: Environment) -> Findings:
    if _is_weak(environment.secret_key, _MIN_SECRET_LENGTH):
        yield "SECRET_KEY", "must be 50 random characters or more"
    for name in ("metrics_token", "webhook_secret"):
        secret: SecretStr | None = getattr(environment, name)
        if secret is not None and _is_weak(secret, _MIN_TOKEN_LENGTH):
            yield name.upper(), f"must be {_MIN_TOKEN_LENGTH} random characters or more"


def _is_weak(secret: SecretStr | None, length: int) -> bool:
    text = secret.get_secret_value() if secret else ""
    return len(text) < length or len(set(text)) < _MIN_DISTINCT


def _hosts(environment: Environment) -> Findings:
    hosts = environment.allowed_hosts
    if not hosts or any(host == "*" or host.startswith("*") for host in hosts):
        yield "ALLOWED_HOSTS", "name the hosts that this server answers to"
    only_here = bool(hosts) and all(_is_here(host) for host in hosts)
    if not environment.https and not only_here:
        yield "HTTPS", "must be on; only a server for this machine alone may do without"
    for origin in environment.csrf_trusted_origins:
        if not origin.startswith("https://") or "*" in origin:
            yield "CSRF_TRUSTED_ORIGINS", f"{origin} must be one https:// address"


def _servers(environment: Environment) -> Findings:
    for name in ("database_url", "broker_url", "redis_url"):
        value: SecretStr | None = getattr(environment, name)
        parts = urlsplit(value.get_secret_value() if value else "")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        is_known = password.lower() in _KNOWN_PASSWORDS or password == user
        if parts.hostname and not _is_here(parts.hostname) and is_known:
            yield name.upper(), "needs a password of its own: the server is on another machine"
    broker = environment.broker_url.get_secret_value() if environment.broker_url else ""
    if broker.startswith("filesystem:"):
        yield "BROKER_URL", "must be amqp:// or redis://: files are for one machine"


def _requests_out(environment: Environment) -> Findings:
    for url in environment.webhook_urls:
        if _is_readable_on_the_way(url):
            yield "WEBHOOK_URLS", f"{urlsplit(url).hostname} must be reached by https://"
    if environment.intents_api_key and _is_readable_on_the_way(environment.intents_url or ""):
        yield "INTENTS_URL", "must be https://, for the key is sent with every request"


def _is_readable_on_the_way(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    address = literal_address(host.strip("[]"))
    return address is not None and address.is_loopback
