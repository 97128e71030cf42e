"""The four hospitals of the heart data, each with the rows that one simulated client has."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fedcore.data.heart import TEST_FRACTION
from fedcore.data.preparation import TablePreparation
from fedcore.data.splits import hold_out_of_each
from fedcore.engine import Engine
from fedcore.engine.data import divided_data
from fedcore.environment import Folders
from fedcore.spec import RunSpec

ROUNDS = 20
TARGET = "disease"
#: What both runs, the simulated one and the real one, are asked for.
COMMON: dict[str, Any] = {
    "seed": 5,
    "rounds": ROUNDS,
    "model": {"kind": "mlp", "hidden": [16]},
    "sampling": {"kind": "full"},
    "local": {"epochs": 1, "batch_size": 16, "lr": 0.05},
}
SIMULATED: dict[str, Any] = {
    **COMMON,
    "dataset": {"kind": "heart"},
    "partition": {"kind": "natural", "by": "hospital", "clients": 4},
}


@dataclass(frozen=True)
class Hospital:
    """One hospital's patients, as raw rows and as the model sees them."""

    name: str
    train: pa.Table
    test: pa.Table
    encoded: tuple[bytes, ...]

    def write(self, folder: Path) -> None:
        """Write the rows as a data set with a test split."""
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(self.train, folder / "train.parquet")
        pq.write_table(self.test, folder / "test.parquet")

    def traces(self) -> Iterator[bytes]:
        """Yield what a row would look like on the wire: as text, as raw numbers, as inputs."""
        for table in (self.train, self.test):
            for row in table.to_pylist():
                numbers = [float(row[name] or 0) for name in ("age", "trestbps", "chol")]
                rest = [float(row[name] or 0) for name in ("thalach", "oldpeak")]
                if all(numbers):
                    yield ",".join(f"{number:g}" for number in numbers).encode()
                    yield ", ".join(f"{number}" for number in numbers).encode()
                    yield struct.pack("<3d", *numbers)
                    yield struct.pack("<3f", *numbers)
                if all(rest):  # two zeros are in every message
                    yield struct.pack("<2d", *rest)
        yield from self.encoded


def hospitals() -> tuple[RunSpec, list[Hospital]]:
    """Return the simulated run, and the hospitals in the order of its clients."""
    spec, folders = RunSpec.parse(SIMULATED), Folders.from_environment()
    dataset, partition = divided_data(spec, folders)
    train, test = _tables(folders)
    found = []
    for client, name in enumerate(partition.names):
        rows = partition.train.of_client(client)
        # Three neighbouring numbers of the vector that the model is given.
        encoded = tuple(x[:3].numpy().tobytes() for x in dataset.train.x[rows] if float(x[0]) != 0)
        parts = train.take(rows.tolist()), test.take(partition.test.of_client(client).tolist())
        found.append(Hospital(name, *parts, encoded))
    return spec, found


def simulated_accuracy(spec: RunSpec) -> float:
    """Return the accuracy after the last round of the simulated run."""
    engine = Engine.create(spec)
    try:
        while not engine.is_finished:
            engine.run_round()
        return float(engine.metrics["accuracy"])
    finally:
        engine.close()


def spec_on_sites(spec: RunSpec, names: list[str]) -> dict[str, Any]:
    """Return the same run with the hospitals as sites; it names columns and scales, no row."""
    dataset, _ = divided_data(spec, Folders.from_environment())
    preparation = dataset.preparation
    if not isinstance(preparation, TablePreparation):
        raise TypeError("the heart data are a table")
    columns = preparation.to_json()["columns"]
    inputs = [
        {
            "column": c["name"],
            **{k: c[k] for k in ("values", "mean", "std", "has_missing") if k in c},
        }
        for c in columns
    ]
    return {
        **COMMON,
        "dataset": {
            "kind": "sites",
            "name": "heart",
            "inputs": inputs,
            "target": {"column": TARGET, "classes": ["0", "1"]},
        },
        "partition": {"kind": "sites", "clients": len(names)},
        "runtime": {
            "placement": "sites",
            "sites": names,
            "round_limit_s": 300,
            "min_updates": len(names),
        },
    }


def _tables(folders: Folders) -> tuple[pa.Table, pa.Table]:
    """Return the rows as the published data set has them, before they become inputs."""
    if folders.data is None:
        raise SystemExit("Set ROUNDHOUSE_DATA_DIR to the folder that holds heart/.")
    table = pq.read_table(folders.data / "heart" / "train.parquet").replace_schema_metadata(None)
    for name in ("trestbps", "chol"):  # nobody alive has a zero there: it was not measured
        values = pc.if_else(pc.equal(table[name], 0), None, table[name])
        table = table.set_column(table.column_names.index(name), name, values)
    table = table.append_column(TARGET, pc.cast(pc.greater(table["num"], 0), pa.int8()))
    kept, held = hold_out_of_each(table["hospital"].to_pylist(), TEST_FRACTION)
    shown = table.drop_columns(["num", "hospital"])
    return shown.take(kept), shown.take(held)
