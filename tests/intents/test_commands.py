"""The commands ``ask`` and ``intents``, as they are used from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from fedcore.cli.main import build_app, find_commands
from fedcore.spec import RunSpec


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(find_commands(list(arguments))), list(arguments))


def test_ask_answers_with_the_contract_of_the_api() -> None:
    result = run("ask", "MNIST with 12 clients", "--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 0
    assert set(answer) >= {
        *("spec", "sweep", "fields", "questions", "warnings", "declined", "backend", "seconds")
    }
    assert answer["spec"]["partition"]["clients"] == 12
    assert answer["sweep"] is None


def test_ask_shows_what_was_understood_and_what_was_not() -> None:
    result = run("ask", "MNIST with 12 clients, momentum 3")
    assert "partition.clients" in result.stdout
    assert "? local.momentum" in result.stdout


def test_ask_prints_a_spec_that_can_be_submitted() -> None:
    result = run("ask", "nine rounds of FedNova", "--yaml")
    assert RunSpec.from_yaml(result.stdout).algorithm.kind == "fednova"


def test_ask_changes_a_draft(tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text("rounds: 8")
    result = run("ask", "12 clients", "--draft", str(file), "--json")
    assert json.loads(result.stdout)["spec"]["rounds"] == 8


def test_ask_declines_with_a_status_of_its_own() -> None:
    result = run("ask", "delete all runs")
    assert result.exit_code == 3
    assert "nothing was done" in " ".join(result.stdout.split())


def test_a_draft_that_is_wrong_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text("rounds: -1")
    for name in (str(file), str(tmp_path / "missing.yaml")):
        assert run("ask", "12 clients", "--draft", name).exit_code == 2


def test_evaluate_scores_a_back_end(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text('- {say: "30 rounds", want: {rounds: 30}}\n- {say: "hm", want: {rounds: 3}}\n')
    row = json.loads(run("intents", "evaluate", "--data", str(file), "--json").stdout)
    assert (row["prompts"], row["exact_match"], row["invalid_rate"]) == (2, 0.5, 0.0)
    assert run("intents", "evaluate", "--backend", "psychic").exit_code == 2
