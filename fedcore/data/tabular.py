"""Columns of numbers and categories as inputs of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from fedcore.data.limits import MAX_CATEGORIES, MAX_FEATURES, require_at_most, require_tensor_fits
from fedcore.errors import DatasetError

Floats = np.ndarray[Any, np.dtype[np.float64]]
_BYTES_PER_NUMBER = 4


@dataclass(frozen=True)
class NumberColumn:
    """A number, standardised on the training split; a missing one becomes the mean.

    Attributes:
        name: Column.
        mean: Of the training split.
        std: Of the training split; 1 for a column that never varies.
        has_missing: Whether another input says that the number is missing.
    """

    name: str
    mean: float
    std: float
    has_missing: bool

    @property
    def width(self) -> int:
        """Number of inputs that the column becomes."""
        return 1 + self.has_missing

    def encode(self, column: pa.ChunkedArray) -> Floats:
        """Return the inputs, shape (n, width)."""
        values = numbers_of(column, self.name)
        is_missing = np.isnan(values)
        scaled = np.where(is_missing, 0.0, (values - self.mean) / self.std)
        return np.stack([scaled, is_missing] if self.has_missing else [scaled], axis=1)


@dataclass(frozen=True)
class CategoryColumn:
    """One input per category of the training split; an unknown category sets none of them.

    Attributes:
        name: Column.
        values: Categories as text, sorted.
        has_missing: Whether a missing value is a category of its own, the last one.
    """

    name: str
    values: tuple[str, ...]
    has_missing: bool

    @property
    def width(self) -> int:
        """Number of inputs that the column becomes."""
        return len(self.values) + self.has_missing

    def encode(self, column: pa.ChunkedArray) -> Floats:
        """Return the inputs, shape (n, width)."""
        text = texts_of(column, self.name)
        found = pc.index_in(text, value_set=pa.array(self.values, pa.large_string()))
        places = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        if self.has_missing:
            missing = pc.is_null(text).to_numpy(zero_copy_only=False).astype(bool)
            places = np.where(missing, len(self.values), places)
        encoded = np.zeros((len(places), self.width))
        known = np.flatnonzero(places >= 0)
        encoded[known, places[known]] = 1.0
        return encoded


TableColumn = NumberColumn | CategoryColumn


@dataclass(frozen=True)
class TableEncoder:
    """Turns rows of a table into vectors."""

    columns: tuple[TableColumn, ...]

    @classmethod
    def learn(
        cls, table: pa.Table, names: Sequence[str], categories: Iterable[str] = ()
    ) -> TableEncoder:
        """Return the encoder that the training split determines.

        Args:
            table: Training split.
            names: Columns to use, in this order.
            categories: Columns of numbers that are codes of categories.

        Raises:
            DatasetError: If a column is neither numbers nor categories, or there is too much.
        """
        coded = set(categories)
        encoder = cls(tuple(_learn_column(table[name], name, coded) for name in names))
        require_at_most(
            encoder.width,
            MAX_FEATURES,
            "inputs that the columns become",
            field="dataset.input",
            fix="Choose fewer columns.",
        )
        return encoder

    @property
    def width(self) -> int:
        """Length of the vectors."""
        return sum(column.width for column in self.columns)

    def encode(self, table: pa.Table) -> Tensor:
        """Return the rows as vectors, shape (n, width), float32.

        Raises:
            DatasetError: If a column is missing or has values of another type than in training.
        """
        require_tensor_fits(table.num_rows * self.width * _BYTES_PER_NUMBER)
        encoded = np.empty((table.num_rows, self.width), dtype=np.float32)
        start = 0
        for column in self.columns:
            end = start + column.width
            encoded[:, start:end] = column.encode(table[column.name])
            start = end
        return torch.from_numpy(encoded)

    def to_json(self) -> dict[str, Any]:
        """Return what is needed to make the same encoder again."""
        return {"columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TableEncoder:
        """Return the encoder that ``to_json`` described."""
        return cls(tuple(_column_from_json(column) for column in data["columns"]))


def _column_from_json(data: Mapping[str, Any]) -> TableColumn:
    if "values" in data:
        return CategoryColumn(data["name"], tuple(data["values"]), data["has_missing"])
    return NumberColumn(**data)


def _learn_column(column: pa.ChunkedArray, name: str, coded: set[str]) -> TableColumn:
    if name not in coded and is_number(column.type):
        values = numbers_of(column, name)
        is_missing = np.isnan(values)
        present = values[~is_missing]
        mean = float(present.mean()) if len(present) else 0.0
        std = float(present.std()) if len(present) else 0.0
        return NumberColumn(name, mean, std if std > 0 else 1.0, bool(is_missing.any()))
    text = texts_of(column, name)
    known = sorted(value for value in pc.unique(text).to_pylist() if value is not None)
    require_at_most(
        len(known),
        MAX_CATEGORIES,
        f"different values in column {name!r}, each of which would be an input",
        field="dataset.input",
        fix=f"Leave {name!r} out of dataset.input, or name it alone to read it as text.",
    )
    return CategoryColumn(name, tuple(known), text.null_count > 0)


def is_number(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds numbers (or yes and no)."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds text."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def numbers_of(column: pa.ChunkedArray, name: str, field: str = "dataset.input") -> Floats:
    """Return a column as float64 with NaN where a number is missing.

    Raises:
        DatasetError: If it holds something else, or an infinity.
    """
    if not is_number(column.type):
        raise DatasetError(
            f"column {name!r} holds {column.type}, not numbers",
            field=field,
            fix=f"Choose a column of numbers in {field}.",
        )
    # Booleans cannot be cast to fractions directly.
    whole = pc.cast(column, pa.int8()) if pa.types.is_boolean(column.type) else column
    values = pc.cast(whole, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    if np.isinf(values).any():
        raise DatasetError(
            f"column {name!r} holds an infinite number",
            field=field,
            fix="Replace infinities in the file, for example by empty cells.",
        )
    return np.asarray(values, dtype=np.float64)


def texts_of(column: pa.ChunkedArray, name: str, field: str = "dataset.input") -> pa.ChunkedArray:
    """Return a column of text, numbers or yes and no as text, null where a value is missing.

    Raises:
        DatasetError: If it holds something else.
    """
    kind = column.type
    if pa.types.is_null(kind) or is_text(kind) or is_number(kind):
        if pa.types.is_floating(kind):  # a number without a value is a missing category
            column = pc.if_else(pc.fill_null(pc.is_nan(column), fill_value=True), None, column)
        return pc.cast(column, pa.large_string())
    raise DatasetError(
        f"column {name!r} holds {kind}, which is neither numbers nor text",
        field=field,
        fix=f"Choose other columns in {field}.",
    )
