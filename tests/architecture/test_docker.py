"""What can be known about images and compose file without a container engine."""

import re
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from fedcore.cli.site import EXIT_INVALID, EXIT_REVOKED
from tests.architecture.sources import ROOT

COMPOSE = ROOT / "docker" / "compose.yml"
DOCKERFILES = ("web.Dockerfile", "worker.Dockerfile", "site.Dockerfile")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")
SECRET_NAME = re.compile(r"SECRET|PASSWORD|PASS$|TOKEN|AUTH$")


def compose() -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))


def instructions(name: str) -> list[tuple[str, str]]:
    """Return (instruction, arguments) of a Dockerfile, continued lines joined."""
    text = (ROOT / "docker" / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [cast("tuple[str, str]", tuple(line.split(maxsplit=1))) for line in joined.splitlines()]


def requirements(extra: str) -> set[str]:
    """Return the distributions that an extra asks for, extras of ours resolved."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: set[str] = set()
    waiting = list(project["dependencies"]) + list(project["optional-dependencies"][extra])
    while waiting:
        match = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", waiting.pop())
        assert match is not None
        name, extras = match[1], match[2]
        if name == project["name"]:
            for other in (extras or "").split(","):
                waiting.extend(project["optional-dependencies"][other])
        else:
            found.add(name.lower())
    return found


@pytest.mark.parametrize("name", DOCKERFILES)
def test_every_file_that_is_copied_exists(name: str) -> None:
    for instruction, arguments in instructions(name):
        if instruction == "COPY" and "--from=" not in arguments:
            for source in arguments.split()[:-1]:
                assert (ROOT / source).exists(), source


@pytest.mark.parametrize("name", DOCKERFILES)
def test_nothing_that_is_copied_is_ignored(name: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [
        source.rstrip("/")
        for instruction, arguments in instructions(name)
        if instruction == "COPY" and "--from=" not in arguments
        for source in arguments.split()[:-1]
    ]
    assert set(copied) & set(ignored) == set()
    assert {".git", ".venv", ".env", "var"} <= set(ignored)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_images_do_not_run_as_root_and_have_a_health_check(name: str) -> None:
    steps = [instruction for instruction, _ in instructions(name)]
    users = [arguments for instruction, arguments in instructions(name) if instruction == "USER"]
    assert users == ["roundhouse"]
    assert steps.index("USER") < steps.index("CMD")
    assert "HEALTHCHECK" in steps
    assert any("useradd" in arguments for _, arguments in instructions(name))


def test_the_web_image_installs_no_torch() -> None:
    (install,) = [a for i, a in instructions("web.Dockerfile") if i == "RUN" and "pip install" in a]
    extras = re.findall(r"\.\[([\w,]+)\]", install)
    assert extras == ["web"]
    heavy = {"torch", "numpy", "scikit-learn", "transformers", "datasets", "peft"}
    assert requirements("web") & heavy == set()
    assert "torch" in requirements("worker")


def test_the_site_image_has_nothing_of_the_web_application() -> None:
    steps = instructions("site.Dockerfile")
    (install,) = [a for i, a in steps if i == "RUN" and ".[" in a]
    assert re.findall(r"\.\[([\w,]+)\]", install) == ["site"]
    copied = {source for i, a in steps if i == "COPY" for source in a.split()[:-1]}
    assert copied & {"webapp/", "workers/", "manage.py"} == set()
    web = {"django", "djangorestframework", "channels", "celery", "psycopg2-binary", "redis"}
    assert requirements("site") & web == set()
    locked = (ROOT / "supply" / "site.lock").read_text(encoding="utf-8")
    assert not re.search(rf"^({'|'.join(web)})==", locked, re.MULTILINE)
    assert not [a for i, a in steps if i == "EXPOSE"]


def test_a_site_under_systemd_is_started_again_only_where_that_can_help() -> None:
    unit = (ROOT / "docker" / "roundhouse-site.service").read_text(encoding="utf-8")
    settings = dict(line.split("=", 1) for line in unit.splitlines() if re.match(r"\w+=", line))
    assert settings["RestartPreventExitStatus"] == f"{EXIT_INVALID} {EXIT_REVOKED}"
    assert settings["NoNewPrivileges"] == "yes"
    assert settings["ProtectSystem"] == "strict"
    assert settings["User"] == "roundhouse"


def test_exact_versions_are_used_in_all_images() -> None:
    for name in DOCKERFILES:
        assert any(
            "--constraint constraints.txt" in arguments for _, arguments in instructions(name)
        )
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for name in ("worker.Dockerfile", "site.Dockerfile"):
        (torch,) = [a for i, a in instructions(name) if a.startswith("TORCH=")]
        assert torch.removeprefix("TORCH=") in pinned.splitlines()


def test_compose_has_every_service_with_a_health_check() -> None:
    services = compose()["services"]
    ours = {"migrate", "web", "worker", "upkeep"}
    assert set(services) == ours | {"postgres", "redis", "rabbitmq"}
    for name in ("postgres", "redis", "rabbitmq"):
        assert "healthcheck" in services[name], name
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            assert other in services
            checked = "healthcheck" in services[other]
            assert how["condition"] == (
                "service_healthy" if checked else "service_completed_successfully"
            )


def test_compose_names_files_that_exist() -> None:
    for service in compose()["services"].values():
        if "build" in service:
            context = (COMPOSE.parent / service["build"]["context"]).resolve()
            assert context == ROOT
            assert (context / service["build"]["dockerfile"]).exists()


def test_compose_mounts_only_volumes_that_it_declares() -> None:
    document = compose()
    used = {
        volume.partition(":")[0]
        for service in document["services"].values()
        for volume in service.get("volumes", [])
    }
    assert used == set(document["volumes"])


def test_no_secret_has_a_default() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    for match in VARIABLE.finditer(text):
        if SECRET_NAME.search(match["name"]):
            # Unset stops the start, or (":-" and nothing) means that one is made up and shown.
            assert match["rest"].startswith(":?") or match["rest"] == ":-", match[0]
    for service in compose()["services"].values():
        for name, value in service.get("environment", {}).items():
            if SECRET_NAME.search(name):
                assert VARIABLE.fullmatch(str(value)), f"{name} is written out"


def test_compose_sets_only_settings_that_exist() -> None:
    from webapp.settings.env import PREFIX, Environment  # noqa: PLC0415  Django only for this test

    known = {PREFIX + name.upper() for name in Environment.model_fields}
    for service in compose()["services"].values():
        ours = {name for name in service.get("environment", {}) if name.startswith(PREFIX)}
        assert ours <= known


def test_every_variable_that_must_be_set_is_in_the_instructions() -> None:
    readme = Path(ROOT / "docker" / "README.md").read_text(encoding="utf-8")
    needed = {
        match["name"]
        for match in VARIABLE.finditer(COMPOSE.read_text(encoding="utf-8"))
        if match["rest"].startswith(":?")
    }
    assert {name for name in needed if f"{name}=" not in readme} == set()
