"""The command finds what is installed, and never loads more than was asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fedcore.cli.main import GROUP, build_app, find_commands

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {"simulate", "up", "demo", "doctor", "worker", "submit", "runs", "logs"}


def loaded_after(*arguments: str) -> set[str]:
    """Return the modules that a process has loaded once the command line has answered."""
    lines = (
        "import sys",
        f"sys.argv[1:] = {list(arguments)!r}",
        "from fedcore.cli.main import main",
        "try:",
        "    main()",
        "except SystemExit:",
        "    pass",
        "print('loaded:', *sys.modules)",
    )
    program = "\n".join(lines)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("loaded:")[2].split())


def test_help_names_every_command_and_loads_neither_torch_nor_django() -> None:
    result = CliRunner().invoke(build_app(find_commands([])), ["--help"])
    assert result.exit_code == 0
    assert all(f" {name} " in result.stdout for name in COMMANDS)
    assert not {"torch", "django", "celery"} & loaded_after("--help")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_of_each_command_loads_neither_torch_nor_django(command: str) -> None:
    assert not {"torch", "django", "celery"} & loaded_after(command, "--help")


def test_simulate_loads_no_other_command() -> None:
    assert find_commands(["simulate", "spec.yaml"]) == ()


def test_a_command_that_is_named_is_the_only_one_that_is_loaded() -> None:
    assert [entry.name for entry in find_commands(["submit", "spec.yaml"])] == ["submit"]


def test_a_command_whose_packages_are_missing_is_named_and_the_rest_works(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missing = EntryPoint("site", "no_such_package.commands:site", GROUP)
    app = build_app([missing])
    assert "`roundhouse site` is not available" in capsys.readouterr().err
    assert CliRunner().invoke(app, ["simulate", "--help"]).exit_code == 0
