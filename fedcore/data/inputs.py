"""Columns of a table as inputs of a model: images, text, tokens or vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from fedcore.data import images
from fedcore.data.dataset import Preparation, Scaling
from fedcore.data.limits import require_tensor_fits
from fedcore.data.preparation import TablePreparation
from fedcore.data.tabular import TableEncoder, is_text
from fedcore.errors import DatasetError
from fedcore.spec.tasks import InputKind

FIELD = "dataset.input"
_BYTES_PER_NUMBER = 4
_ROWS_AT_A_TIME = 5000


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of both splits, and how they were made.

    Attributes:
        train: Shape (n, *input_shape).
        test: Like ``train``.
        preparation: Makes the same inputs of new raw values.
    """

    train: Tensor
    test: Tensor
    preparation: Preparation


def infer_kind(table: pa.Table, columns: Sequence[str]) -> InputKind:
    """Return what the inputs most likely are, by the type of the columns."""
    if len(columns) != 1:
        return InputKind.VECTOR
    kind = table.schema.field(columns[0]).type
    if is_image(kind):
        return InputKind.IMAGE
    if is_text(kind):
        return InputKind.TEXT
    if is_list(kind) and pa.types.is_integer(kind.value_type):
        return InputKind.TOKENS
    return InputKind.VECTOR


def read_images(train: pa.Table, test: pa.Table, column: str, image_size: int | None) -> Inputs:
    """Return images scaled to mean 0 and deviation 1 over all pixels of the training split.

    Raises:
        DatasetError: If the column does not hold images that can be read.
    """
    encoded = [
        _encoded(table[column], column, split)
        for table, split in ((train, "training"), (test, "test"))
    ]
    canvas = images.find_canvas(encoded, image_size)
    decoded = [images.decode(split, canvas) for split in encoded]
    return scale_images(decoded[0], decoded[1], images.LARGEST_PIXEL)


def scale_images(train: Tensor, test: Tensor, divisor: float) -> Inputs:
    """Return raw images, shape (n, channels, height, width), scaled to mean 0 and deviation 1.

    Mean and deviation are one number each, taken over all pixels of the training images.
    """
    mean, std = _moments(train)
    std = round(std / divisor, 4)
    scaling = Scaling(divisor, round(mean / divisor, 4), std if std > 0 else 1.0)
    return Inputs(scaling.apply(train), scaling.apply(test), scaling)


def _moments(values: Tensor) -> tuple[float, float]:
    """Return mean and standard deviation of all elements, a few thousand rows at a time."""
    parts = values.split(_ROWS_AT_A_TIME)
    count = values.numel()
    mean = sum(float(part.sum(dtype=torch.float64)) for part in parts) / count
    variance = sum(float((part.to(torch.float64) - mean).square().sum()) for part in parts) / count
    return mean, math.sqrt(variance)


def read_vectors(
    train: pa.Table, test: pa.Table, columns: Sequence[str], categories: Sequence[str] = ()
) -> Inputs:
    """Return rows as vectors: numbers standardised, one input per category.

    A single column of lists of numbers, all of one length, is taken as it is and standardised
    as a whole.

    Raises:
        DatasetError: If a column is neither numbers nor categories.
    """
    if len(columns) == 1 and is_list(train.schema.field(columns[0]).type):
        matrices = [_matrix(table[columns[0]], columns[0]) for table in (train, test)]
        return scale_images(matrices[0], matrices[1], 1.0)
    encoder = TableEncoder.learn(train, columns, categories)
    return Inputs(encoder.encode(train), encoder.encode(test), TablePreparation(encoder))


def read_texts(table: pa.Table, columns: Sequence[str]) -> list[str]:
    """Return the text of each row; several columns are joined by a space, a missing text is empty.

    Raises:
        DatasetError: If a column does not hold text.
    """
    for name in columns:
        kind = table.schema.field(name).type
        if not is_text(kind):
            raise DatasetError(
                f"column {name!r} holds {kind}, not text",
                field=FIELD,
                fix="Choose a column of text in dataset.input, or another dataset.input_kind.",
            )
    parts = [pc.fill_null(pc.cast(table[name], pa.large_string()), "") for name in columns]
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")
    return [str(text) for text in joined.to_pylist()]


def read_tokens(table: pa.Table, column: str) -> list[list[int]]:
    """Return the tokens of each row.

    Raises:
        DatasetError: If the column does not hold lists of whole numbers from 0.
    """
    kind = table.schema.field(column).type
    flat = table[column].combine_chunks().flatten() if is_list(kind) else None
    if flat is None or not pa.types.is_integer(flat.type) or flat.null_count:
        raise DatasetError(
            f"column {column!r} holds {kind}, not lists of tokens",
            field=FIELD,
            fix="Choose a column of lists of whole numbers, or another dataset.input_kind.",
        )
    if len(flat) and not 0 <= pc.min(flat).as_py() <= pc.max(flat).as_py() < 2**31:
        raise DatasetError(
            f"column {column!r} holds numbers that cannot be tokens",
            field=FIELD,
            fix="Number tokens from 0.",
        )
    return [tokens or [] for tokens in table[column].to_pylist()]


def is_list(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds lists."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def is_image(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds files, alone or as the hub stores images."""
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _encoded(column: pa.ChunkedArray, name: str, split: str) -> images.Encoded:
    if not is_image(column.type):
        raise DatasetError(
            f"column {name!r} holds {column.type}, not images",
            field=FIELD,
            fix="Choose a column of images in dataset.input, or another dataset.input_kind.",
        )
    names = [f"the image in row {row} ({split})" for row in range(len(column))]
    if pa.types.is_struct(column.type):
        if column.type.get_field_index("path") >= 0:
            paths = pc.struct_field(column, "path").to_pylist()
            names = [path or name for path, name in zip(paths, names, strict=True)]
        column = pc.struct_field(column, "bytes")
    if column.null_count:
        raise DatasetError(
            f"{column.null_count} rows of the {split} split have no image in {name!r}",
            field=FIELD,
            fix="Remove these rows, or store the images themselves and not only their paths.",
        )
    return images.Encoded(column.to_pylist(), names)


def _matrix(column: pa.ChunkedArray, name: str) -> Tensor:
    lists = column.combine_chunks()
    lengths = pc.unique(pc.list_value_length(lists)).to_pylist()
    values: Any = lists.flatten()
    if len(lengths) != 1 or lengths[0] in (None, 0) or values.null_count:
        raise DatasetError(
            f"the lists in column {name!r} are not all of one length and complete",
            field=FIELD,
            fix="Make all lists equally long, or read them as tokens.",
        )
    require_tensor_fits(len(values) * _BYTES_PER_NUMBER)
    try:
        numbers = pc.cast(values, pa.float32()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise DatasetError(
            f"the lists in column {name!r} hold {values.type}, not numbers",
            field=FIELD,
            fix="Choose a column of lists of numbers.",
        ) from error
    if not np.isfinite(numbers).all():
        raise DatasetError(
            f"the lists in column {name!r} hold numbers that are not finite",
            field=FIELD,
            fix="Replace them in the file.",
        )
    return torch.from_numpy(numbers.reshape(-1, lengths[0]).copy())
