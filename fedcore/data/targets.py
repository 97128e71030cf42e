"""What is to be predicted, as tensors: classes, numbers, labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from fedcore.data.limits import MAX_CLASSES, require_at_most
from fedcore.data.tabular import is_number, is_text, numbers_of, texts_of
from fedcore.errors import DatasetError
from fedcore.spec.tasks import TaskName
from fedcore.tasks import UNSCALED, TargetScale

FIELD = "dataset.target"


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of both splits.

    Attributes:
        task: What they are targets of.
        train: Shape (n,) int64 for classes, else (n, targets) float32.
        test: Like ``train``.
        names: Classes, labels or target columns, in the order of the model's outputs.
        scale: Units of numbers.
    """

    task: TaskName
    train: Tensor
    test: Tensor
    names: tuple[str, ...]
    scale: TargetScale = UNSCALED


def infer_task(table: pa.Table, columns: Sequence[str]) -> TaskName:
    """Return what the columns to predict are most likely meant for.

    No column is the next token, lists and several columns of 0 and 1 are labels, fractional
    numbers are a regression, and anything else is a class.

    Raises:
        DatasetError: If several columns are neither numbers nor labels.
    """
    if not columns:
        return TaskName.NEXT_TOKEN
    kinds = [table.schema.field(name).type for name in columns]
    if len(columns) == 1:
        if _is_list(kinds[0]):
            return TaskName.MULTI_LABEL
        return TaskName.REGRESSION if _is_fractional(table[columns[0]]) else TaskName.CLASSIFICATION
    for name, kind in zip(columns, kinds, strict=True):
        if not is_number(kind):
            raise DatasetError(
                f"of several target columns, {name!r} holds {kind}",
                field=FIELD,
                fix="Several targets are numbers, or labels of 0 and 1; else name one column.",
            )
    is_label = all(_is_zero_or_one(table[name], name) for name in columns)
    return TaskName.MULTI_LABEL if is_label else TaskName.REGRESSION


def read_targets(
    task: TaskName,
    train: pa.Table,
    test: pa.Table,
    columns: Sequence[str],
    class_names: Mapping[str, Sequence[str]],
) -> Targets:
    """Return the targets of both splits for a task that has targets of its own.

    Args:
        task: What is learnt.
        train: Training split.
        test: Test split.
        columns: Columns to predict.
        class_names: Names of classes by column, in the order of their numbers where a column
            stores numbers.

    Raises:
        DatasetError: If the columns do not suit the task.
    """
    for table, split in ((train, "training"), (test, "test")):
        _require_complete(table, columns, split)
    if task is TaskName.REGRESSION:
        return _numbers(train, test, columns)
    if task is TaskName.MULTI_LABEL:
        return _labels(train, test, columns)
    if len(columns) != 1:
        raise DatasetError(
            f"a classification has one target column, not {len(columns)}",
            field=FIELD,
            fix="Name one column, or set dataset.task to multi_label or regression.",
        )
    return _classes(train, test, columns[0], class_names.get(columns[0], ()))


def _require_complete(table: pa.Table, columns: Sequence[str], split: str) -> None:
    for name in columns:
        missing = table[name].null_count
        if missing:
            raise DatasetError(
                f"{missing} of {table.num_rows} {split} rows have no {name!r}, the target",
                field=FIELD,
                fix="Remove these rows from the file, or choose another target column.",
            )


def _classes(train: pa.Table, test: pa.Table, column: str, known_names: Sequence[str]) -> Targets:
    names = list(known_names) or _distinct(column, train[column], test[column])
    is_stored_as_number = known_names and is_number(train.schema.field(column).type)
    stored = [str(code) for code in range(len(names))] if is_stored_as_number else names
    values = pa.array(stored, pa.large_string())
    return Targets(
        TaskName.CLASSIFICATION,
        _codes(train[column], column, values),
        _codes(test[column], column, values),
        tuple(names),
    )


def _codes(column: pa.ChunkedArray, name: str, values: pa.Array) -> Tensor:
    found = pc.index_in(texts_of(column, name, FIELD), value_set=values)
    if found.null_count:
        raise DatasetError(
            f"labels of {found.null_count} rows in {name!r} are none of the {len(values)} classes",
            field=FIELD,
            fix="Correct these rows in the file.",
        )
    return torch.from_numpy(found.to_numpy(zero_copy_only=False).astype(np.int64))


def _distinct(name: str, *columns: pa.ChunkedArray) -> list[str]:
    """Return the values of a column in all splits as text; numbers in their own order."""
    found: set[str] = set()
    for column in columns:
        found.update(pc.unique(texts_of(column, name, FIELD)).to_pylist())
    require_at_most(
        len(found),
        MAX_CLASSES,
        f"classes in column {name!r}",
        field=FIELD,
        fix="Set dataset.task to regression if these are numbers, or choose another column.",
    )
    if len(found) < 2:  # noqa: PLR2004  (one class leaves nothing to learn)
        raise DatasetError(
            f"column {name!r} has the same value in every row",
            field=FIELD,
            fix="Choose a column with at least two different values.",
        )
    is_numeric = all(is_number(column.type) for column in columns)
    return sorted(found, key=float) if is_numeric else sorted(found)


def _numbers(train: pa.Table, test: pa.Table, columns: Sequence[str]) -> Targets:
    def matrix(table: pa.Table) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        return np.stack([numbers_of(table[name], name, FIELD) for name in columns], axis=1)

    raw_train, raw_test = matrix(train), matrix(test)
    mean, std = raw_train.mean(0), raw_train.std(0)
    std = np.where(std > 0, std, 1.0)
    return Targets(
        TaskName.REGRESSION,
        torch.from_numpy(((raw_train - mean) / std).astype(np.float32)),
        torch.from_numpy(((raw_test - mean) / std).astype(np.float32)),
        tuple(columns),
        TargetScale(tuple(mean.tolist()), tuple(std.tolist())),
    )


def _labels(train: pa.Table, test: pa.Table, columns: Sequence[str]) -> Targets:
    if len(columns) == 1 and _is_list(train.schema.field(columns[0]).type):
        return _label_lists(train, test, columns[0])
    for name in columns:
        if not (_is_zero_or_one(train[name], name) and _is_zero_or_one(test[name], name)):
            raise DatasetError(
                f"column {name!r} holds other values than 0 and 1",
                field=FIELD,
                fix="Labels are one list column, or one column of 0 and 1 per label.",
            )

    def matrix(table: pa.Table) -> Tensor:
        stacked = np.stack([numbers_of(table[name], name, FIELD) for name in columns], axis=1)
        return torch.from_numpy(stacked.astype(np.float32))

    return Targets(TaskName.MULTI_LABEL, matrix(train), matrix(test), tuple(columns))


def _label_lists(train: pa.Table, test: pa.Table, column: str) -> Targets:
    flat = [table[column].combine_chunks() for table in (train, test)]
    names = _distinct(column, *(pa.chunked_array([lists.flatten()]) for lists in flat))
    places = {name: place for place, name in enumerate(names)}

    def matrix(rows: Iterable[Sequence[object]]) -> Tensor:
        chosen = list(rows)
        encoded = np.zeros((len(chosen), len(names)), dtype=np.float32)
        for row, labels in zip(encoded, chosen, strict=True):
            row[[places[str(label)] for label in labels]] = 1.0
        return torch.from_numpy(encoded)

    return Targets(
        TaskName.MULTI_LABEL,
        matrix(flat[0].to_pylist()),
        matrix(flat[1].to_pylist()),
        tuple(names),
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _is_fractional(column: pa.ChunkedArray) -> bool:
    """Return whether a column holds a number that is not whole."""
    if is_text(column.type) or not (
        pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    ):
        return False
    values = pc.cast(column.drop_null(), pa.float64(), safe=False).to_numpy()
    finite = values[np.isfinite(values)]
    return bool((finite != np.floor(finite)).any())


def _is_zero_or_one(column: pa.ChunkedArray, name: str) -> bool:
    if not is_number(column.type):
        return False
    values = numbers_of(column, name, FIELD)
    return bool(np.isin(values, (0.0, 1.0)).all())
