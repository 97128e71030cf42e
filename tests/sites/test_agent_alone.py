"""The agent needs the engine and an HTTP client, and nothing of the web application."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import pyproject
from tests.sites.conftest import write_site

_WEB = ("django", "rest_framework", "channels", "celery", "kombu", "webapp", "workers")
_WITHOUT_WEB = f"""
import sys
sys.modules.update(dict.fromkeys({_WEB!r}))  # importing one of them raises
from fedcore.cli.main import main
sys.argv = ["roundhouse", *sys.argv[1:]]
main()
"""


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT_WEB, "site", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_site_is_checked_without_the_web_application(tmp_path: Path) -> None:
    write_site(tmp_path, seed=1)
    done = run("check", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"num_train": 48' in done.stdout
    assert "projects: Only heart." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("run",), 2, "no configuration file site.yaml"),
        (("status", "--config", "none.yaml"), 2, "no configuration file none.yaml"),
        (("enrol", "a-code-00000", "--server", "http://far.example"), 2, "not encrypted"),
        (("enrol", "a-code-00000"), 2, "name the server with --server"),
    ],
)
def test_a_mistake_is_explained_and_nothing_is_written(
    tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_help_loads_neither_torch_nor_the_agent() -> None:
    program = (
        "import sys; from fedcore.cli import main; "
        "print([m for m in ('torch', 'fedcore.agent', 'httpx') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert told.stdout.strip() == b"[]"


def test_what_a_site_installs_has_no_web_framework() -> None:
    project = pyproject()["project"]
    assert isinstance(project, dict)
    extras = project["optional-dependencies"]
    assert extras["site"] == ["roundhouse[engine,client]"]
    assert not [
        each for name in ("engine", "client") for each in extras[name] if each.startswith(_WEB)
    ]
