"""The one place that reads the environment; it lists everything that is missing at once."""

from __future__ import annotations

import os
import secrets
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from webapp.addresses import LOOPBACK, Network, literal_address, may_be_reached

PREFIX = "ROUNDHOUSE_"


class Mode(StrEnum):
    EMBEDDED = "embedded"
    SERVER = "server"


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class SignUp(StrEnum):
    """How people without an account and without an invitation come in."""

    CLOSED = "closed"
    APPROVAL = "approval"
    OPEN = "open"


def _half_of_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


CommaSeparated = Annotated[list[str], NoDecode]


class Environment(BaseSettings):
    """Every setting of the installation; each is the variable ``ROUNDHOUSE_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    mode: Mode = Field(Mode.EMBEDDED, description="embedded: no servers needed; server: they are.")
    debug: bool = Field(default=False, description="Developer's pages; refused in production.")
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    var_dir: Path = Field(Path("var"), description="Database, files and secret when embedded.")
    data_dir: Path | None = Field(None, description="Folder with local data sets.")

    secret_key: SecretStr | None = None
    database_url: SecretStr | None = Field(None, description="postgresql:// or sqlite:///")
    broker_url: SecretStr | None = Field(None, description="amqp://, redis:// or filesystem://")
    redis_url: SecretStr | None = Field(None, description="Live updates, cache and throttles.")
    artifact_dir: Path | None = Field(None, description="Shared folder for checkpoints, models.")
    s3_bucket: str | None = Field(None, description="Bucket for them instead of a folder.")
    s3_prefix: str = Field("", description="Folder in the bucket.")
    s3_endpoint: str | None = Field(None, description="Address of the store; empty: Amazon's.")
    s3_region: str | None = None
    s3_access_key_id: str | None = Field(None, description="Empty: the machine's own role.")
    s3_secret_access_key: SecretStr | None = None

    allowed_hosts: CommaSeparated = []
    csrf_trusted_origins: CommaSeparated = []
    https: bool = Field(
        default=True, description="Production only: cookies, redirect and HSTS need it."
    )
    trusted_proxies: int = Field(0, ge=0, description="Reverse proxies before the web process.")

    admin_username: str = "admin"
    admin_password: SecretStr | None = Field(None, description="Only read when it is created.")

    sign_up: SignUp = Field(
        SignUp.CLOSED,
        description="closed: by invitation; approval: anybody may ask, an operator approves;"
        " open: as approval, but single sign-on needs none.",
    )
    oidc_url: str | None = Field(None, description="OpenID Connect: address of the issuer.")
    oidc_name: str = Field("single sign-on", description="What the button says.")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None

    max_model_bytes: PositiveInt = Field(default_factory=_half_of_memory)
    accept_what_does_not_fit: bool = Field(
        default=False, description="Runs may wait for a worker with more memory than any here has."
    )
    max_running: PositiveInt | None = Field(
        None, description="Runs of one project that train at the same time; empty: no limit."
    )
    max_queued: PositiveInt = Field(1000, description="Runs of one project that may wait.")
    max_body_bytes: PositiveInt = Field(1024 * 1024, description="Largest body of an API request.")
    requests_per_minute: PositiveInt = Field(1200, description="Requests that one user may make.")
    changes_per_minute: PositiveInt = Field(300, description="Those of them that are no reading.")
    anonymous_per_minute: PositiveInt = Field(
        240, description="Requests by nobody from one address, to what is open to everybody."
    )
    sockets_per_user: PositiveInt = Field(
        64, description="Websockets that one user may hold open at one web process."
    )
    site_heartbeat_s: PositiveFloat = Field(
        15.0, description="How often a real site says that it is there, in seconds."
    )
    site_poll_s: PositiveFloat = Field(
        5.0, description="How often a real site without a websocket asks for work, in seconds."
    )
    site_requests_per_minute: PositiveInt = Field(
        1200, description="Requests that one real site may make."
    )
    keep_checkpoints_days: PositiveInt | None = Field(
        None, description="Checkpoints of runs that ended longer ago are removed."
    )
    keep_events_days: PositiveInt | None = Field(
        None, description="Events of runs that ended longer ago are removed."
    )
    metrics_token: SecretStr | None = Field(None, description="Lets Prometheus read /metrics.")
    webhook_urls: CommaSeparated = Field([], description="Are told of every run that ends.")
    webhook_secret: SecretStr | None = Field(None, description="Signs what webhooks are sent.")
    private_addresses: CommaSeparated | None = Field(
        None,
        description="Addresses or networks, not public, that webhooks and the language model may"
        " be at; unset: none, or this machine when embedded.",
    )
    smtp_url: SecretStr | None = Field(None, description="smtp:// or smtps://user:pw@host:port")
    email_from: str = "roundhouse@localhost"
    lease_s: PositiveFloat = Field(
        15.0, description="A worker silent for so long has lost its run."
    )
    slice_s: PositiveFloat = Field(
        5.0, description="How long a worker keeps a run when others wait."
    )
    checkpoint_every_s: PositiveFloat = 10.0

    intents_backend: Literal["builtin", "openai", "local"] = Field(
        "builtin",
        description="What reads prompts: rules, a model at intents_url, or a model on a worker.",
    )
    intents_url: str | None = Field(None, description="OpenAI-compatible API, ending in /v1.")
    intents_model: str = Field(
        "default",
        description="Name of the model at intents_url; of local, its folder in the models folder.",
    )
    intents_api_key: SecretStr | None = Field(None, description="Secret of that API, if any.")
    intents_timeout_s: PositiveFloat = Field(
        20.0, description="Seconds for a model's answer; then the built-in rules answer."
    )

    log_format: LogFormat = LogFormat.JSON
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator(
        "allowed_hosts",
        "csrf_trusted_origins",
        "webhook_urls",
        "private_addresses",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator(
        "secret_key",
        "database_url",
        "broker_url",
        "redis_url",
        "admin_password",
        "intents_url",
        "intents_api_key",
        "data_dir",
        "artifact_dir",
        "s3_bucket",
        "s3_endpoint",
        "s3_region",
        "s3_access_key_id",
        "s3_secret_access_key",
        "max_running",
        "keep_checkpoints_days",
        "keep_events_days",
        "metrics_token",
        "webhook_secret",
        "smtp_url",
        "oidc_url",
        "oidc_client_secret",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        # Compose files pass an unset variable on as an empty one.
        return None if value == "" else value

    @model_validator(mode="after")
    def _server_is_complete(self) -> Self:
        if self.mode is Mode.SERVER:
            needed = ("secret_key", "database_url", "broker_url", "redis_url")
            missing = [PREFIX + name.upper() for name in needed if getattr(self, name) is None]
            if missing:
                raise ValueError(f"server mode needs {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _artifacts_have_one_place(self) -> Self:
        others = ("endpoint", "region", "access_key_id", "secret_access_key", "prefix")
        given = [name for name in others if getattr(self, f"s3_{name}")]
        if self.s3_bucket is None and given:
            raise ValueError(f"{PREFIX}S3_{given[0].upper()} needs {PREFIX}S3_BUCKET")
        if self.s3_bucket is not None and self.artifact_dir is not None:
            raise ValueError(f"set {PREFIX}S3_BUCKET or {PREFIX}ARTIFACT_DIR, not both")
        if (self.s3_access_key_id is None) is not (self.s3_secret_access_key is None):
            raise ValueError(
                f"{PREFIX}S3_ACCESS_KEY_ID and {PREFIX}S3_SECRET_ACCESS_KEY go together"
            )
        return self

    @model_validator(mode="after")
    def _model_has_an_address(self) -> Self:
        if self.intents_backend == "openai" and not self.intents_url:
            raise ValueError(f"intents_backend openai needs {PREFIX}INTENTS_URL")
        if self.intents_backend == "local" and self.intents_model == "default":
            raise ValueError(f"intents_backend local needs {PREFIX}INTENTS_MODEL")
        return self

    @model_validator(mode="after")
    def _single_sign_on_is_complete(self) -> Self:
        # What the issuer answers is believed because TLS says who answers.
        local = ("http://localhost", "http://127.0.0.1")
        if self.oidc_url and not self.oidc_url.startswith(("https://", *local)):
            raise ValueError(f"{PREFIX}OIDC_URL must begin with https://")
        if self.oidc_url and not (self.oidc_client_id and self.oidc_client_secret):
            raise ValueError(
                f"{PREFIX}OIDC_URL needs {PREFIX}OIDC_CLIENT_ID and {PREFIX}OIDC_CLIENT_SECRET"
            )
        return self

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> Self:
        if self.webhook_urls and self.webhook_secret is None:
            raise ValueError(f"{PREFIX}WEBHOOK_URLS needs {PREFIX}WEBHOOK_SECRET")
        for url in self.webhook_urls:
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"{PREFIX}WEBHOOK_URLS: {url} is no http:// or https:// address")
        return self

    @field_validator("private_addresses")
    @classmethod
    def _are_networks(cls, value: list[str] | None) -> list[str] | None:
        for part in value or ():
            ip_network(part)  # its message names what is wrong
        return value

    @model_validator(mode="after")
    def _addresses_may_be_reached(self) -> Self:
        named = [("WEBHOOK_URLS", url) for url in self.webhook_urls]
        if self.intents_backend == "openai" and self.intents_url:
            named.append(("INTENTS_URL", self.intents_url))
        for name, url in named:
            host = urlsplit(url).hostname or ""
            address = literal_address(host)
            if address and not may_be_reached(address, self.reachable_networks):
                raise ValueError(
                    f"{PREFIX}{name}: {host} is not a public address; if it is meant, add it to"
                    f" {PREFIX}PRIVATE_ADDRESSES"
                )
        return self

    @property
    def reachable_networks(self) -> tuple[Network, ...]:
        """Networks that are not public and may be reached all the same."""
        if self.private_addresses is None:
            return LOOPBACK if self.mode is Mode.EMBEDDED else ()
        return tuple(ip_network(part) for part in self.private_addresses)

    @property
    def var(self) -> Path:
        return self.var_dir.absolute()


def load_environment() -> Environment:
    """Return the settings, or refuse with one message that names every wrong variable."""
    try:
        return Environment()
    except ValidationError as error:
        lines = [
            f"  {PREFIX}{str(detail['loc'][0]).upper()}: {detail['msg']}"
            if detail["loc"]
            else f"  {detail['msg'].removeprefix('Value error, ')}"
            for detail in error.errors(include_url=False, include_input=False)
        ]
        raise ImproperlyConfigured("\n".join(["Wrong settings:", *lines])) from None


def secret_key_in(folder: Path) -> str:
    """Return the secret of an embedded installation, made at its first start."""
    path = folder / "secret_key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".secret_key.{os.getpid()}"
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            # Unlike a rename, a link fails when another process was first: all use one secret.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
