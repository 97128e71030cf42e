"""A cancel frees the processor within two seconds, whatever the worker is at."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from django.db import connection

from tests.factories import make_run
from tests.waiting import wait_until
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import Run
from webapp.jobs.states import RunState
from workers.engines import EngineCache
from workers.runs import advance

WITHIN_S = 2.0
TINY: dict[str, Any] = {
    "dataset": {"kind": "synthetic", "num_samples": 2_000, "num_features": 10},
    "partition": {"kind": "iid", "clients": 4},
    "model": {"kind": "mlp", "hidden": [16]},
}
#: Making these examples takes many seconds, and has to be done anew for every seed.
MANY = {"kind": "synthetic", "num_samples": 10_000_000, "num_features": 60}


def children_named(module: str) -> list[int]:
    """Return the processes that run a module and belong to this one, directly or not."""
    parents, found = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            command = (folder / "cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        if module in command:
            found.append(int(folder.name))

    def is_ours(pid: int) -> bool:
        return pid == os.getpid() or (pid in parents and is_ours(parents[pid]))

    return [pid for pid in found if is_ours(pid)]


def cancel_when(run: Run, editor: User, module: str, state: RunState) -> None:
    """Cancel a run that is in a state once its processes are there; check that they are gone."""

    def work() -> None:
        try:
            advance(run.pk, queue="cpu", engines=EngineCache())
        finally:
            connection.close()

    def is_at_it() -> bool:
        run.refresh_from_db()
        return run.state == state and bool(children_named(module))

    thread = Thread(target=work)
    thread.start()
    try:
        wait_until(is_at_it, within_s=60, every_s=0.1, what=f"{state} with {module}")
        asked = monotonic()
        services.request_cancel(run=run, user=editor)
        thread.join(60)
        assert monotonic() - asked < WITHIN_S
        assert not children_named(module)
    finally:
        thread.join(60)
    run.refresh_from_db()
    assert (run.state, run.rounds_done) == (RunState.CANCELLED, 0)


def test_while_a_large_data_set_is_prepared(
    editor: User, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUNDHOUSE_CACHE_DIR", str(tmp_path / "cache"))
    run = make_run(editor, project, **{**TINY, "dataset": MANY})
    cancel_when(run, editor, "fedcore.engine.preparer", RunState.STARTING)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("sections", "state"),
    [
        ({}, RunState.STARTING),
        ({}, RunState.RUNNING),
        (
            # A step of this takes far longer than two seconds.
            {
                "dataset": {"kind": "synthetic", "num_samples": 50_000, "num_features": 10},
                "model": {"kind": "mlp", "hidden": [4_000, 4_000]},
                "local": {"steps": 1_000_000, "batch_size": 10_000},
            },
            RunState.RUNNING,
        ),
    ],
    ids=["starts", "trains", "is in the middle of a batch"],
)
def test_while_a_pool(
    editor: User, project: Project, sections: dict[str, Any], state: RunState
) -> None:
    endless = {"local": {"steps": 1_000_000}, "runtime": {"executor": "pool", "processes": 2}}
    run = make_run(editor, project, **{**TINY, **endless, **sections})
    cancel_when(run, editor, "fedcore.engine.pool.nursery", state)
