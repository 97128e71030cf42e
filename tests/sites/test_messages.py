"""What a site sends is let in only in the form that the protocol gives it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from fedcore.sites.messages import DatasetDeclaration, Heartbeat, SiteStatus
from fedcore.sites.tasks import Member, Refusal, TaskResult

HEARTBEAT: dict[str, Any] = {
    "protocol": 1,
    "state": "idle",
    "sequence": 0,
    "agent": {"version": "0.1.0", "python": "3.11"},
    "hardware": {"cores": 2, "memory_bytes": 1 << 30},
    "datasets": [
        {
            "name": "heart",
            "num_train": 200,
            "num_test": 50,
            "columns": [{"name": "age", "kind": "number", "mean": 54.0, "std": 9.0}],
            "class_counts": {"healthy": 90, "diseased": 110},
        }
    ],
    "policy": {"rules": [{"name": "max_work.rounds", "sentence": "At most 100 rounds."}]},
    "tasks": [{"task_id": str(uuid4()), "stage": "training", "fraction": 0.5}],
}


def test_a_heartbeat_survives_its_way() -> None:
    beat = Heartbeat.model_validate_json(json.dumps(HEARTBEAT))
    assert Heartbeat.model_validate_json(beat.model_dump_json()) == beat
    assert beat.datasets[0].class_counts == {"healthy": 90, "diseased": 110}


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": [[1, 2]]},
        {"protocol": 2},
        {"state": "ready"},
        {"sequence": -1},
        {"datasets": HEARTBEAT["datasets"] * 2},
        {"datasets": [{"name": "../heart", "num_train": 1, "num_test": 1}]},
        {"datasets": [{"name": "heart", "num_train": -1, "num_test": 1}]},
        {"datasets": [{"name": "heart", "num_train": 1, "num_test": 1, "path": "/etc"}]},
        {"policy": {"rules": [{"name": "x", "sentence": "a\x1b[31mb"}]}},
        {"policy": {"rules": [{"name": "x", "sentence": "a" * 501}]}},
        {"hardware": {"cores": 0, "memory_bytes": 1}},
        {"tasks": HEARTBEAT["tasks"] * 101},
    ],
)
def test_what_is_not_in_the_protocol_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Heartbeat.model_validate_json(json.dumps({**HEARTBEAT, **changes}))


def test_two_columns_of_one_name_are_refused() -> None:
    column = {"name": "age", "kind": "number"}
    with pytest.raises(ValidationError, match="same name"):
        DatasetDeclaration.model_validate(
            {"name": "heart", "num_train": 1, "num_test": 1, "columns": [column, column]}
        )


def test_numbers_that_are_not_finite_are_no_result() -> None:
    for tally in ([1.0, float("nan")], [float("inf")]):
        with pytest.raises(ValidationError):
            TaskResult.model_validate({"seconds": 1, "num_examples": 1, "tally": tally})


def test_a_refusal_names_a_rule() -> None:
    with pytest.raises(ValidationError):
        Refusal.model_validate({"rule": "", "message": "No."})
    assert Refusal(rule="privacy-floor", message="No differential privacy.").is_final


def test_a_newer_server_may_say_more() -> None:
    assert SiteStatus.model_config["extra"] == "ignore"


def test_the_protocol_needs_neither_torch_nor_django() -> None:
    modules = "messages, routes, secure, signing, tasks"
    program = (
        f"import sys; from fedcore.sites import {modules}; "
        "print([m for m in ('torch', 'numpy', 'django') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert told.stdout.strip() == b"[]"


@pytest.mark.parametrize(
    "digits", ["AB" * 32, "ab" * 31, "ab" * 32 + " ", "ab" * 32 + "\n", "x" * 64]
)
def test_a_key_is_written_in_one_way(digits: str) -> None:
    member = {"client_id": 0, "site_id": str(uuid4()), "name": "north"}
    with pytest.raises(ValidationError, match="public_key"):
        Member.model_validate({**member, "public_key": digits})
    for good in ("ab" * 32, ""):  # rosters of older runs have none
        assert Member.model_validate({**member, "public_key": good}).public_key == good
