"""The data sets of a site: read for a run, and declared to the server without a single row."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fedcore.agent.config import DeclaredDataset
from fedcore.data.columns import Tables
from fedcore.data.files import LABEL
from fedcore.data.source import Request
from fedcore.data.tabular import is_number, numbers_of, texts_of
from fedcore.data.upload import Upload
from fedcore.environment import Folders
from fedcore.errors import DatasetError
from fedcore.sites.base import shortened
from fedcore.sites.messages import Column, DatasetDeclaration
from fedcore.spec.data import UploadSpec

#: A category of fewer training rows is not named: it could be about one person.
FEWEST_ROWS = 5
#: Whole numbers of at most so many different values are codes of categories.
MOST_CODES = 12
#: Text of more different values than this is no category.
MOST_CATEGORIES = 100
_LONGEST_VALUE = 200


@dataclass(frozen=True)
class Rows:
    """The rows of a declared data set.

    Attributes:
        train: To train on; only the columns that runs may see.
        test: Held out; the same columns.
        are_images: Whether each row is an image and its class.
    """

    train: pa.Table
    test: pa.Table
    are_images: bool


def read_rows(declared: DeclaredDataset, data_dir: Path) -> Rows:
    """Return the rows of a declared data set, and of them what runs may see.

    Raises:
        DatasetError: If they cannot be read; the message has no value of theirs.
    """
    tables, are_images = _source(declared, data_dir).tables()
    if declared.columns is not None and not are_images:
        tables = Tables(*(_only(declared, split) for split in (tables.train, tables.test)))
    return Rows(tables.train, tables.test, are_images)


def version_of(declared: DeclaredDataset, data_dir: Path) -> tuple[tuple[str, int, int], ...]:
    """Return names, sizes and times of the files of a data set, to notice a change of them.

    Raises:
        DatasetError: If there are none.
    """
    files = _source(declared, data_dir).files()
    found = ((file, file.stat()) for file in files)
    return tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in found)


def declare(declared: DeclaredDataset, rows: Rows) -> DatasetDeclaration:
    """Return what the server may know of a data set.

    Raises:
        DatasetError: If a column that its configuration names is not there.
    """
    target = LABEL if rows.are_images else declared.target
    if target is not None:
        _require(declared, rows.train, (target,))
    return DatasetDeclaration(
        name=declared.name,
        title=declared.title,
        num_train=rows.train.num_rows,
        num_test=rows.test.num_rows,
        columns=() if rows.are_images else _columns(declared, rows.train),
        class_counts=_class_counts(rows.train[target])
        if target is not None and "class_counts" in declared.share
        else None,
    )


def _source(declared: DeclaredDataset, data_dir: Path) -> Upload:
    spec = UploadSpec(
        path=declared.path, delimiter=declared.delimiter, test_fraction=declared.test_fraction
    )
    return Upload(spec, Request(seed=0, clients=1, folders=Folders(data_dir, data_dir)))


def _only(declared: DeclaredDataset, table: pa.Table) -> pa.Table:
    _require(declared, table, declared.columns or ())
    return table.select(list(declared.columns or ()))


def _require(declared: DeclaredDataset, table: pa.Table, names: Iterable[str]) -> None:
    for name in names:
        if table.column_names.count(name) != 1:
            raise DatasetError(
                f"the data set {declared.name!r} has no column {name!r}, or two",
                field=f"datasets.{declared.name}",
                fix="Correct the columns in the configuration of the site.",
            )


def _columns(declared: DeclaredDataset, table: pa.Table) -> tuple[Column, ...]:
    return tuple(
        _column(declared, name, column)
        for name, column in zip(table.column_names, table.columns, strict=True)
    )


def _column(declared: DeclaredDataset, name: str, column: pa.ChunkedArray) -> Column:
    codes = _codes(name, column)
    if codes is not None:
        named = _common(column, name, codes) if "categories" in declared.share else ()
        return Column(
            name=shortened(name), kind="category", values=named, has_missing=_has_gaps(column)
        )
    if not is_number(column.type):
        return Column(name=shortened(name), kind="text", has_missing=_has_gaps(column))
    values = numbers_of(column, name)
    present = values[~np.isnan(values)]
    shares = "scales" in declared.share and len(present) >= FEWEST_ROWS
    return Column(
        name=shortened(name),
        kind="number",
        has_missing=len(present) < len(values),
        mean=_finite(present.mean()) if shares else None,
        std=_finite(present.std()) if shares else None,
    )


def _codes(name: str, column: pa.ChunkedArray) -> list[str] | None:
    """Return the values of a column of categories as text, or None if it is none."""
    kind = column.type
    # A column whose values hardly repeat is names or notes.
    most = min(MOST_CATEGORIES, len(column) // FEWEST_ROWS)
    if is_number(kind):
        if not pa.types.is_boolean(kind) and not _is_whole(numbers_of(column, name)):
            return None
        most = min(most, MOST_CODES)
    try:
        found = pc.unique(texts_of(column, name)).to_pylist()
    except DatasetError:  # lists, times: neither numbers nor text
        return None
    values = [value for value in found if value is not None]
    is_short = all(len(value) <= _LONGEST_VALUE and value.isprintable() for value in values)
    return values if len(values) <= most and is_short else None


def _is_whole(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    present = values[~np.isnan(values)]
    return bool((present == np.floor(present)).all())


def _common(column: pa.ChunkedArray, name: str, values: list[str]) -> tuple[str, ...]:
    """Return the categories that enough rows have, in their own order."""
    counted = _counts(texts_of(column, name))
    common = [value for value in values if counted[value] >= FEWEST_ROWS]
    return tuple(sorted(common, key=float) if is_number(column.type) else sorted(common))


def _class_counts(column: pa.ChunkedArray) -> dict[str, int] | None:
    counts = _counts(texts_of(column, "target"))
    return counts if len(counts) <= MOST_CATEGORIES else None


def _counts(texts: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(texts.drop_null()).to_pylist()
    return {str(entry["values"]): int(entry["counts"]) for entry in counted}


def _has_gaps(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count)


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
