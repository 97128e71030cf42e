"""The commands that start or check an installation, as a person runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import ON_EACH_DATABASE, ON_ONE
from tests.faults.stack import PATIENCE_S, ROOT, Stack, is_alive
from tests.services import EMBEDDED_ENVIRONMENT
from tests.waiting import wait_until
from webapp.client import Client, ClientError, Run
from workers.demonstration import why_not_a_success

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]


def roundhouse(*arguments: str, var_dir: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    stack = Stack(var_dir, {**EMBEDDED_ENVIRONMENT, **settings})
    return subprocess.run(
        [sys.executable, "-m", "fedcore.cli.main", *arguments],
        cwd=ROOT,
        env=stack.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_the_demo_trains_twenty_clients_to_ninety_per_cent_and_ends_well(tmp_path: Path) -> None:
    done = roundhouse("demo", "--once", var_dir=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "success: accuracy" in done.stderr
    assert "http://127.0.0.1:" in done.stderr
    assert not (tmp_path / "up.json").exists(), "everything has stopped"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "failed"}, "the run is failed"),
        ({"latest_metrics": {}}, "the accuracy is None"),
        ({"latest_metrics": {"accuracy": 0.89}}, "less than 0.9"),
        ({}, None),
    ],
)
def test_the_demo_is_no_success_unless_it_is_one(
    changes: dict[str, object], reason: str | None
) -> None:
    run = {
        "id": "00000000-0000-0000-0000-000000000001",
        "number": 1,
        "name": "demo",
        "state": "succeeded",
        "is_final": True,
        "rounds_total": 3,
        "rounds_done": 3,
        "latest_metrics": {"accuracy": 0.9},
    }
    found = why_not_a_success(Run.model_validate({**run, **changes}))
    assert found is None if reason is None else reason in str(found)


@ON_ONE
def test_up_refuses_a_port_that_is_taken_and_says_what_to_do(stack: Stack, tmp_path: Path) -> None:
    done = roundhouse("up", "--port", str(stack.port), var_dir=tmp_path)
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_up_ends_with_all_that_it_started(tmp_path: Path) -> None:
    stack = Stack(tmp_path, EMBEDDED_ENVIRONMENT, workers=2)
    try:
        stack.start()
        pids = stack.pids()
        assert set(pids) == {"web", "worker-1", "worker-2", "upkeep"}
        assert stack.stop() == 0
    finally:
        stack.close()
    assert not any(is_alive(pid) for pid in pids.values())
    assert stack.pids() == {}


def test_a_worker_alone_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    stack = Stack(tmp_path, EMBEDDED_ENVIRONMENT)
    assert roundhouse("doctor", var_dir=tmp_path).returncode == 0
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "fedcore.cli.main", "worker", "--upkeep", "--name", "alone"],
            cwd=ROOT,
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            stderr=output,
        )
    try:
        wait_until(
            lambda: "alone is ready" in log.read_text(), within_s=PATIENCE_S, what="a ready worker"
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_a_worker_for_an_unknown_queue_is_refused(tmp_path: Path) -> None:
    done = roundhouse("worker", "--queue", "tpu", var_dir=tmp_path)
    assert done.returncode == 2
    assert "unknown queue tpu" in done.stderr


def test_the_doctor_finds_an_embedded_installation_healthy(tmp_path: Path) -> None:
    done = roundhouse("doctor", "--json", var_dir=tmp_path)
    findings = {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stdout
    assert {"python", "packages", "database", "broker", "storage", "data", "disk"} <= set(findings)
    assert all(finding["fix"] for finding in findings.values() if finding["health"] != "ok")


def test_the_doctor_names_what_is_broken_and_the_fix(tmp_path: Path) -> None:
    done = roundhouse(
        "doctor",
        "--json",
        var_dir=tmp_path,
        ROUNDHOUSE_BROKER_URL="amqp://guest:guest@127.0.0.1:1//",
        ROUNDHOUSE_DATA_DIR=str(tmp_path / "nowhere"),
    )
    findings = {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert findings["broker"]["health"] == "failed"
    assert "ROUNDHOUSE_BROKER_URL" in findings["broker"]["fix"]
    assert findings["data"]["health"] == "failed"
    assert findings["database"]["health"] == "ok", "one broken part hides no other"


def test_wrong_settings_are_explained_all_at_once(tmp_path: Path) -> None:
    done = roundhouse("up", var_dir=tmp_path, ROUNDHOUSE_MODE="server", ROUNDHOUSE_PORT="99999")
    assert done.returncode == 2
    assert "ROUNDHOUSE_" in done.stderr
    assert "Traceback" not in done.stderr


@ON_EACH_DATABASE
def test_submitting_from_a_terminal_watches_the_run_to_its_end(
    stack: Stack, tmp_path: Path
) -> None:
    spec = tmp_path / "quick.yaml"
    spec.write_text("rounds: 2\n")
    with stack.client() as client:
        token = client.token
    environment = {
        **os.environ,
        "ROUNDHOUSE_URL": stack.url,
        "ROUNDHOUSE_TOKEN": str(token),
        "COLUMNS": "120",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fedcore.cli.main", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    submitted = run("submit", str(spec), "--watch")
    assert submitted.returncode == 0, submitted.stderr
    run_id = submitted.stdout.split("/runs/")[1].split()[0]
    listed = [json.loads(line) for line in run("runs", "--json").stdout.splitlines()]
    assert run_id in {row["id"] for row in listed}
    told = [json.loads(line) for line in run("logs", run_id, "--json").stdout.splitlines()]
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    spec.write_text("rounds: 0\n")
    refused = run("submit", str(spec))
    assert refused.returncode == 2
    assert "rounds" in refused.stderr


@ON_ONE
def test_a_wrong_token_is_refused_in_a_sentence(stack: Stack) -> None:
    with Client(stack.url, "rh_wrong") as stranger, pytest.raises(ClientError) as caught:
        stranger.runs(limit=1)
    assert caught.value.status == 401
