"""What all contenders share: images, clients and first weights, as files that are mapped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from benchmarks.speed.images import synthetic_images
from benchmarks.workloads import Workload
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.environment import Folders
from fedcore.fast import library
from fedcore.spec import RunSpec

ROOT = Path(__file__).resolve().parents[2]
#: Where peers and the files of the benchmarks lie; git ignores it.
BENCH = ROOT / ".bench"


def spec_of(workload: Workload, **runtime: Any) -> RunSpec:
    """Return a workload as a spec; rounds are as many as anybody may ask for."""
    partition: dict[str, Any] = {"kind": "iid", "clients": workload.clients}
    if workload.alpha is not None:
        partition |= {"kind": "dirichlet", "alpha": workload.alpha, "min_size": 1}
    models: Mapping[str, dict[str, Any]] = {
        "mlp": {"kind": "mlp", "hidden": [200, 200]},
        "cnn": {"kind": "cnn", "channels": [32, 64], "hidden": 2048},
    }
    return RunSpec.parse(
        {
            "rounds": 1_000_000,
            "dataset": {"kind": "mnist"},
            "partition": partition,
            "model": models[workload.model],
            "local": {
                "epochs": workload.epochs,
                "batch_size": workload.batch_size,
                "lr": workload.lr,
            },
            "sampling": {"kind": "random", "count": workload.cohort},
            "runtime": {"device": "cpu", **runtime},
        }
    )


def folders() -> Folders:
    """Return folders with MNIST: the user's copy, else images of the same kind made from a seed."""
    named = os.environ.get("ROUNDHOUSE_DATA_DIR")
    data = Path(named) if named else BENCH / "images"
    if not (data / "mnist").is_dir():
        data = BENCH / "images"
        synthetic_images(data / "mnist")
    return Folders(data, BENCH / "cache")


def build_operator() -> str | None:
    """Build the compiled operator where the contenders look for it; return why not, if not."""
    try:
        library.build(folders())
    except library.BuildError as error:
        return str(error)
    return None


def prepare(workload: Workload) -> Path:
    """Return the folder with a workload's files, written if they are not there."""
    context = build_context(spec_of(workload), folders())
    folder = BENCH / "data" / f"{workload.name}-{context.dataset.fingerprint[:16]}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, context)
        (folder / "complete").touch()
    return folder


def _write(folder: Path, context: RunContext) -> None:
    dataset, shares = context.dataset, context.partition.train
    arrays: dict[str, Tensor] = {
        "train_x": dataset.train.x,
        "train_y": dataset.train.y,
        "test_x": dataset.test.x,
        "test_y": dataset.test.y,
        "client_order": shares.indices,
    }
    for name, tensor in arrays.items():
        np.save(folder / f"{name}.npy", tensor.numpy())
    np.save(folder / "client_ends.npy", np.array(shares.starts[1:], dtype=np.int64))
    weights = {name: tensor.numpy() for name, tensor in initial_state(context).model.items()}
    np.savez(folder / "first_weights.npz", allow_pickle=False, **weights)
