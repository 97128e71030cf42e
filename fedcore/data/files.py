"""CSV files, Parquet files and folders of images as tables, checked by content and size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from fedcore.data.inside import FIELD
from fedcore.data.limits import (
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_TENSOR_BYTES,
    require_at_most,
    require_tensor_fits,
)
from fedcore.errors import DatasetError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
TABLE_SUFFIXES = (".csv", ".parquet")
IMAGE, LABEL = "image", "label"

_PARQUET_MAGIC = b"PAR1"
_BATCH_ROWS = 4096
_IMAGE_TYPE = pa.struct([("bytes", pa.large_binary()), ("path", pa.large_string())])


def read_table(path: Path, delimiter: str) -> pa.Table:
    """Return the rows of a CSV or Parquet file; the name's ending says which it has to be.

    Raises:
        DatasetError: If the content is something else, damaged, or too large.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DatasetError(
            f"{path.name!r} is neither a CSV nor a Parquet file",
            field=FIELD,
            fix=f"Use a file that ends in {' or '.join(TABLE_SUFFIXES)}, or a folder of images.",
        )
    if path.stat().st_size == 0:
        raise DatasetError(f"{path.name!r} is empty", field=FIELD, fix="Give a file with rows.")
    with _explained(path):
        table = _read_csv(path, delimiter) if suffix == ".csv" else _read_parquet(path)
    if table.num_rows == 0:
        raise DatasetError(
            f"{path.name!r} has no rows", field=FIELD, fix="Give a file with rows in it."
        )
    return table


def _read_csv(path: Path, delimiter: str) -> pa.Table:
    with path.open("rb") as file:
        if b"\0" in file.read(_BATCH_ROWS):
            raise ValueError("it holds zero bytes, so it is no text")
    table = pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True),
    )
    _check_shape(table.num_rows, table.num_columns, path)
    for column in table.schema:
        # A column that is not UTF-8 would come back as bytes, and be taken for files.
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            raise ValueError(f"column {column.name!r} is not UTF-8")
    return table


def _read_parquet(path: Path) -> pa.Table:
    with path.open("rb") as stream:
        if stream.read(len(_PARQUET_MAGIC)) != _PARQUET_MAGIC:
            raise ValueError("it does not start like a Parquet file")
    with pyarrow.parquet.ParquetFile(path) as file:
        _check_shape(file.metadata.num_rows, file.metadata.num_columns, path)
        batches, size_bytes = [], 0
        # A small file can unpack to any size, so it is unpacked bit by bit.
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            size_bytes += batch.nbytes
            require_tensor_fits(size_bytes)
            batches.append(batch)
        return pa.Table.from_batches(batches, schema=file.schema_arrow)


def _check_shape(rows: int, columns: int, path: Path) -> None:
    for count, limit, what in ((rows, MAX_ROWS, "rows"), (columns, MAX_COLUMNS, "columns")):
        require_at_most(
            count, limit, f"{what} of {path.name!r}", field=FIELD, fix=f"Use fewer {what}."
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        kind = "CSV in UTF-8" if path.suffix.lower() == ".csv" else "Parquet"
        raise DatasetError(
            f"{path.name!r} cannot be read: {error}",
            field=FIELD,
            fix=f"Save it again as {kind}, or correct dataset.delimiter."
            if path.suffix.lower() == ".csv"
            else f"Save it again as {kind}.",
        ) from error


def read_image_folder(folder: Path, files: Sequence[Path]) -> pa.Table:
    """Return images with the name of the folder that each lies in as its label.

    Args:
        folder: Holds one folder per class.
        files: The images below it.

    Raises:
        DatasetError: If an image lies in no folder of a class, or there are too many bytes.
    """
    require_at_most(
        sum(file.stat().st_size for file in files),
        MAX_TENSOR_BYTES,
        f"bytes of the images in {folder.name!r}",
        field=FIELD,
        fix="Use fewer or smaller images.",
    )
    rows, labels = [], []
    for file in files:
        inside = file.relative_to(folder)
        if len(inside.parts) < 2:  # noqa: PLR2004  (a class and a name)
            raise DatasetError(
                f"the image {file.name!r} lies in no folder of a class",
                field=FIELD,
                fix="Make one folder per class, and put the images into them.",
            )
        rows.append({"bytes": file.read_bytes(), "path": str(inside)})
        labels.append(inside.parts[0])
    return pa.table(
        {IMAGE: pa.array(rows, _IMAGE_TYPE), LABEL: pa.array(labels, pa.large_string())}
    )
