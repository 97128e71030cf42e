"""Settings: everything that is wrong is named at once, and production refuses what is unsafe."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from webapp.settings.database import database_from_url
from webapp.settings.env import Mode, load_environment, secret_key_in
from webapp.settings.safety import unsafe_settings

ROOT = Path(__file__).resolve().parents[2]
SERVER = {
    "ROUNDHOUSE_MODE": "server",
    "ROUNDHOUSE_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ROUNDHOUSE_DATABASE_URL": "postgresql://u:pFq7-own@db/roundhouse",
    "ROUNDHOUSE_BROKER_URL": "amqp://u:pFq7-own@broker//",
    "ROUNDHOUSE_REDIS_URL": "redis://:pFq7-own@cache/0",
    "ROUNDHOUSE_ALLOWED_HOSTS": "roundhouse.example, other.example",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ROUNDHOUSE_")]:
        monkeypatch.delenv(name)


def set_all(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_without_any_variable_it_runs_embedded() -> None:
    environment = load_environment()
    assert environment.mode is Mode.EMBEDDED
    assert (environment.host, environment.port) == ("127.0.0.1", 8000)
    assert environment.var == Path("var").absolute()


def test_a_server_names_everything_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUNDHOUSE_MODE", "server")
    monkeypatch.setenv("ROUNDHOUSE_REDIS_URL", "")  # what a compose file makes of an unset one
    with pytest.raises(ImproperlyConfigured) as caught:
        load_environment()
    for name in ("SECRET_KEY", "DATABASE_URL", "BROKER_URL", "REDIS_URL"):
        assert f"ROUNDHOUSE_{name}" in str(caught.value)


def test_every_wrong_value_is_named_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"PORT": "70000", "LEASE_S": "-3", "MODE": "cloudy", "LOG_LEVEL": "hunter2"}
    set_all(monkeypatch, {f"ROUNDHOUSE_{name}": value for name, value in wrong.items()})
    with pytest.raises(ImproperlyConfigured) as caught:
        load_environment()
    assert all(f"ROUNDHOUSE_{name}:" in str(caught.value) for name in wrong)
    assert "hunter2" not in str(caught.value)


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SERVER)
    assert load_environment().allowed_hosts == ["roundhouse.example", "other.example"]


def test_secrets_are_not_in_the_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SERVER)
    text = repr(load_environment())
    assert "pFq7" not in text
    assert SERVER["ROUNDHOUSE_SECRET_KEY"] not in text


def test_the_embedded_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    secret = secret_key_in(tmp_path / "var")
    assert secret_key_in(tmp_path / "var") == secret
    assert len(secret) > 50
    path = tmp_path / "var" / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret_key"]


def test_a_postgresql_url_is_taken_apart() -> None:
    found = database_from_url("postgresql://us%40er:p%2Fw@db.example:6543/name?sslmode=require")
    assert (found["USER"], found["PASSWORD"]) == ("us@er", "p/w")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", "6543", "name")
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_a_sqlite_url_names_a_file() -> None:
    assert database_from_url("sqlite:////srv/x.sqlite3")["NAME"] == "/srv/x.sqlite3"
    assert database_from_url("sqlite:///x.sqlite3")["NAME"] == str(Path("x.sqlite3").absolute())


def test_another_database_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="mysql"):
        database_from_url("mysql://db/name")


def check(settings_module: str, values: dict[str, str], *command: str) -> tuple[int, str]:
    done = subprocess.run(
        [
            sys.executable,
            "manage.py",
            *(command or ("check", "--deploy", "--fail-level", "WARNING")),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": settings_module, **values},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


def test_production_passes_djangos_own_deployment_checks(tmp_path: Path) -> None:
    values = {**SERVER, "ROUNDHOUSE_VAR_DIR": str(tmp_path)}
    code, text = check("webapp.settings.production", values)
    assert code == 0, text


def test_production_refuses_to_start_with_unsafe_settings(tmp_path: Path) -> None:
    unsafe = {
        **SERVER,
        "ROUNDHOUSE_VAR_DIR": str(tmp_path),
        "ROUNDHOUSE_SECRET_KEY": "changeme",
        "ROUNDHOUSE_DEBUG": "1",
        "ROUNDHOUSE_ALLOWED_HOSTS": "*",
    }
    code, text = check("webapp.settings.production", unsafe)
    assert code != 0
    for name in ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS"):
        assert f"ROUNDHOUSE_{name}" in text
    assert "changeme" not in text


def test_the_embedded_mode_is_not_for_production(tmp_path: Path) -> None:
    code, text = check("webapp.settings.production", {"ROUNDHOUSE_VAR_DIR": str(tmp_path)})
    assert code != 0
    assert "ROUNDHOUSE_MODE" in text


GOOD_SECRET = "q8Zr-4TnW_x1Yc6Lk0Jd9Vb"  # noqa: S105  (of no installation)


def test_a_good_server_has_nothing_unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SERVER)
    assert unsafe_settings(load_environment()) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"MODE": "embedded"}, "MODE"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL"),
        ({"MAX_BODY_BYTES": "1000000000"}, "MAX_BODY_BYTES"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": "ab" * 40}, "SECRET_KEY"),
        ({"METRICS_TOKEN": "letmein"}, "METRICS_TOKEN"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*.example"}, "ALLOWED_HOSTS"),
        ({"HTTPS": "0"}, "HTTPS"),
        ({"HTTPS": "0", "ALLOWED_HOSTS": "localhost,fl.example"}, "HTTPS"),
        ({"CSRF_TRUSTED_ORIGINS": "http://fl.example"}, "CSRF_TRUSTED_ORIGINS"),
        ({"CSRF_TRUSTED_ORIGINS": "https://*.example"}, "CSRF_TRUSTED_ORIGINS"),
        ({"DATABASE_URL": "postgresql://postgres@db/x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://fl:fl@db/x"}, "DATABASE_URL"),
        ({"BROKER_URL": "amqp://guest:guest@broker//"}, "BROKER_URL"),
        ({"BROKER_URL": "filesystem://"}, "BROKER_URL"),
        ({"REDIS_URL": "redis://cache/0"}, "REDIS_URL"),
        (
            {"WEBHOOK_URLS": "http://hooks.example/", "WEBHOOK_SECRET": GOOD_SECRET + "12"},
            "WEBHOOK_URLS",
        ),
        ({"WEBHOOK_SECRET": "secret"}, "WEBHOOK_SECRET"),
        (
            {"INTENTS_URL": "http://llm.example/v1", "INTENTS_API_KEY": "k"},
            "INTENTS_URL",
        ),
    ],
)
def test_each_unsafe_setting_is_named_and_no_value_is_shown(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], named: str
) -> None:
    set_all(monkeypatch, SERVER)
    set_all(monkeypatch, {f"ROUNDHOUSE_{name}": value for name, value in changes.items()})
    found = unsafe_settings(load_environment())
    assert [line.partition(":")[0] for line in found] == [f"ROUNDHOUSE_{named}"]
    for value in (changes.get(secret, "") for secret in ("SECRET_KEY", "METRICS_TOKEN")):
        assert not value or value not in found[0]


def test_a_server_for_this_machine_alone_may_do_without_https(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(monkeypatch, SERVER)
    local = {"HTTPS": "0", "ALLOWED_HOSTS": "localhost", "REDIS_URL": "redis://127.0.0.1/0"}
    set_all(monkeypatch, {f"ROUNDHOUSE_{name}": value for name, value in local.items()})
    assert unsafe_settings(load_environment()) == []


def test_the_deployment_check_names_our_own_findings_too(tmp_path: Path) -> None:
    code, text = check("webapp.settings.base", {"ROUNDHOUSE_VAR_DIR": str(tmp_path)})
    assert code != 0
    assert "roundhouse.E001" in text
    assert "ROUNDHOUSE_MODE" in text


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"S3_ENDPOINT": "https://store.example"}, "ROUNDHOUSE_S3_BUCKET"),
        ({"S3_BUCKET": "b", "ARTIFACT_DIR": "/srv"}, "not both"),
        ({"S3_BUCKET": "b", "S3_ACCESS_KEY_ID": "k"}, "ROUNDHOUSE_S3_SECRET_ACCESS_KEY"),
    ],
)
def test_half_a_bucket_is_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], named: str
) -> None:
    set_all(monkeypatch, {f"ROUNDHOUSE_{name}": value for name, value in values.items()})
    with pytest.raises(ImproperlyConfigured, match=named):
        load_environment()
