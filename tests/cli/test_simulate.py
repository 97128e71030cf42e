"""``roundhouse simulate``: its output is a contract, and stopping it changes no number."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fedcore.spec import RunSpec

ROOT = Path(__file__).resolve().parents[2]
SPEC: dict[str, Any] = {
    "rounds": 8,
    "dataset": {"kind": "synthetic", "num_samples": 400, "num_features": 10},
    "partition": {"kind": "iid", "clients": 5},
    "model": {"kind": "mlp", "hidden": [8]},
    "runtime": {"executor": "sequential"},
}
LINE_KEYS = {
    "round",
    "metrics",
    "bytes_up",
    "bytes_down",
    "seconds",
    "sim_seconds",
    "participants",
}
#: What is measured differs between two runs of one spec; everything else is a function of it.
MEASURED = {"seconds"}

Lines = list[dict[str, Any]]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fedcore.cli.main", "simulate", *arguments]


def simulate(spec: Any, *options: str, folder: Path, expect: int = 0) -> tuple[Lines, str]:
    """Return the lines of standard output, and standard error."""
    file = folder / "spec.json"
    file.write_text(spec if isinstance(spec, str) else json.dumps(spec))
    done = subprocess.run(
        command(str(file), "--json", *options),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == expect, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def unmeasured(lines: Sequence[dict[str, Any]]) -> Lines:
    """Return lines without what is measured, to compare the rest to the last digit."""
    return [
        {
            key: unmeasured([value])[0] if key == "totals" else value
            for key, value in line.items()
            if key not in MEASURED
        }
        for line in lines
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """The lines of an uninterrupted run."""
    lines, _ = simulate(SPEC, folder=tmp_path_factory.mktemp("whole"))
    return lines


def test_what_is_logged_is_not_among_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ROUNDHOUSE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    lines, logged = simulate(SPEC | {"rounds": 1, "dataset": {"kind": "digits"}}, folder=tmp_path)
    assert len(lines) == 2
    assert "data set not cached" in logged


def test_each_round_is_a_line_and_the_last_line_sums_up(whole: Lines) -> None:
    *rounds, final = whole
    assert [line["round"] for line in rounds] == list(range(SPEC["rounds"]))
    assert all(set(line) == LINE_KEYS for line in rounds)
    assert {"accuracy", "loss"} <= set(rounds[0]["metrics"])
    assert set(final) == {"status", "digest", "metrics", "totals", "executor"}
    assert final["status"] == "succeeded"
    assert final["digest"] == RunSpec.parse(SPEC).digest()
    assert final["metrics"] == rounds[-1]["metrics"]
    for name in ("bytes_up", "bytes_down"):
        assert final["totals"][name] == sum(line[name] for line in rounds)


def test_the_same_spec_prints_the_same_numbers_to_the_last_digit(
    whole: Lines, tmp_path: Path
) -> None:
    again, _ = simulate(SPEC, folder=tmp_path)
    assert unmeasured(again) == unmeasured(whole)


def test_a_run_stopped_and_resumed_prints_the_same_numbers(whole: Lines, tmp_path: Path) -> None:
    checkpoint = ("--checkpoint", str(tmp_path / "checkpoint"))
    first, _ = simulate(SPEC, *checkpoint, "--stop-after-round", "4", folder=tmp_path)
    rest, _ = simulate(SPEC, *checkpoint, folder=tmp_path)
    *stopped_rounds, stopped = first
    assert [line["round"] for line in stopped_rounds] == [0, 1, 2, 3, 4]
    assert stopped["status"] == "stopped"
    assert unmeasured([*stopped_rounds, *rest]) == unmeasured(whole)


def test_a_finished_run_prints_its_result_again(whole: Lines, tmp_path: Path) -> None:
    checkpoint = ("--checkpoint", str(tmp_path / "checkpoint"))
    simulate(SPEC, *checkpoint, folder=tmp_path)
    again, _ = simulate(SPEC, *checkpoint, folder=tmp_path)
    assert unmeasured(again) == unmeasured(whole[-1:])


def test_stopping_where_it_has_stopped_already_plays_no_round(tmp_path: Path) -> None:
    options = ("--checkpoint", str(tmp_path / "checkpoint"), "--stop-after-round", "1")
    simulate(SPEC, *options, folder=tmp_path)
    (final,), _ = simulate(SPEC, *options, folder=tmp_path)
    assert final["status"] == "stopped"


def test_a_checkpoint_of_another_spec_is_refused_with_the_fix(tmp_path: Path) -> None:
    options = ("--checkpoint", str(tmp_path / "checkpoint"))
    simulate(SPEC, *options, "--stop-after-round", "0", folder=tmp_path)
    (line,), errors = simulate({**SPEC, "seed": 9}, *options, folder=tmp_path, expect=1)
    assert line["status"] == "failed"
    assert line["failure"]["code"] == "checkpoint_invalid"
    assert "fix:" in errors
    assert "Traceback" not in errors


def test_every_mistake_in_a_spec_is_named_with_its_field(tmp_path: Path) -> None:
    wrong = {**SPEC, "rounds": 0, "algorithm": {"kind": "fedagv"}, "datasets": {}}
    (line,), errors = simulate(wrong, folder=tmp_path, expect=2)
    assert line["status"] == "invalid"
    assert {"rounds", "algorithm.kind", "datasets"} <= {p["path"] for p in line["problems"]}
    for field in ("rounds", "algorithm.kind", "datasets"):
        assert f"error: {field}:" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("text", ["rounds: [", "- a list", "rounds: 1\nrounds: 2"])
def test_a_document_that_is_no_spec_is_refused(text: str, tmp_path: Path) -> None:
    (line,), errors = simulate(text, folder=tmp_path, expect=2)
    assert line["status"] == "invalid"
    assert "Traceback" not in errors


def test_a_file_that_is_not_there_is_named() -> None:
    done = subprocess.run(
        command("/nowhere/spec.yaml"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "/nowhere/spec.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_at_the_next_batch_and_keeps_what_is_done(
    whole: Lines, tmp_path: Path
) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({**SPEC, "rounds": 1_000_000}))
    options = ("--json", "--checkpoint", str(tmp_path / "checkpoint"))
    with subprocess.Popen(
        command(str(file), *options), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        *others, final = [json.loads(line) for line in process.stdout]
        assert process.wait(60) == 128 + signal.SIGINT
    assert final["status"] == "interrupted"
    assert final["totals"]["rounds"] == len(first) + len(others)
    assert unmeasured(first) == unmeasured(whole[:3])


def test_people_get_a_table(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({**SPEC, "rounds": 2}))
    done = subprocess.run(
        command(str(file)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert "accuracy" in done.stdout
    assert "succeeded after 2 rounds" in done.stdout
