"""Data sets of the user's own: from the Hugging Face hub, or files in the data folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fedcore.spec.base import BASIC
from fedcore.spec.data.base import DatasetSpec, Length
from fedcore.spec.tasks import InputKind, TaskName

MAX_PATH_LENGTH = 500
MAX_COLUMNS = 10_000

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)*")
_PLAIN_TEXT = re.compile(r"[^\x00-\x1f\x7f\\]+")


def inside_path(path: str) -> str:
    """Return ``path`` if it names something below a folder, and never something above it.

    Raises:
        ValueError: If it is absolute, climbs with ``..``, or is no path at all.
    """
    parts = PurePosixPath(path).parts
    if not _PLAIN_TEXT.fullmatch(path) or ":" in path or not parts:
        raise ValueError("must be a relative path with forward slashes")
    if path.startswith(("/", "~")) or ".." in parts:
        raise ValueError("must lie inside the allowed folder: no leading slash, no ..")
    return path


def hub_path(path: str) -> str:
    """Return ``path`` if it is a hub id such as ``owner/name`` or a folder below the data folder.

    Raises:
        ValueError: If it is neither.
    """
    if not _HUB_NAME.fullmatch(inside_path(path)):
        raise ValueError("must be a hub id such as owner/name, or a folder in the data folder")
    return path


def one_or_many(value: Any) -> Any:
    """Return a single name as a list of one."""
    return (value,) if isinstance(value, str) else value


Column = Annotated[str, Field(min_length=1, max_length=200)]
Columns = Annotated[
    tuple[Column, ...], BeforeValidator(one_or_many), Field(min_length=1, max_length=MAX_COLUMNS)
]
InsidePath = Annotated[
    str, Field(min_length=1, max_length=MAX_PATH_LENGTH), AfterValidator(inside_path)
]
HubPath = Annotated[str, Field(min_length=1, max_length=MAX_PATH_LENGTH), AfterValidator(hub_path)]


class CustomDatasetSpec(DatasetSpec):
    """Columns of a table, chosen by name; what is not said follows from their types."""

    input: Columns | None = Field(
        None,
        description="Columns to learn from; empty takes all that are neither target nor group.",
        json_schema_extra=BASIC,
    )
    target: Columns | None = Field(
        None,
        description="Columns to predict; empty predicts the next token of a text.",
        json_schema_extra=BASIC,
    )
    group: Column | None = Field(
        None, description="Column that names the natural client of each row."
    )
    task: Literal["classification", "regression", "multi_label", "next_token"] | None = Field(
        None,
        description="What is learnt; empty decides by the target: fractional numbers are a "
        "regression, lists or several columns of 0 and 1 are labels, anything else is a class.",
    )
    input_kind: Literal["image", "vector", "tokens", "text"] | None = Field(
        None,
        description="What an input is; empty decides by the column: an image, one column of text, "
        "lists of whole numbers (tokens), or else numbers and categories.",
    )
    test_fraction: float = Field(
        0.2, gt=0, lt=1, description="Share held out where the data have no test split."
    )
    image_size: int | None = Field(
        None, ge=1, le=4096, description="Scale images to this width and height, in pixels."
    )
    length: Length = 128
    vocabulary: int = Field(
        10_000, ge=1, le=1_000_000, description="How many words the built-in tokenizer tells apart."
    )

    def known_task(self) -> TaskName | None:
        """Return the task that the spec names."""
        return None if self.task is None else TaskName(self.task)

    def known_input_kind(self) -> InputKind | None:
        """Return the kind of input that the spec names."""
        return None if self.input_kind is None else InputKind(self.input_kind)

    def known_groups(self) -> tuple[str, ...]:
        """Return the group column that the spec names."""
        return () if self.group is None else (self.group,)


class HuggingFaceDatasetSpec(CustomDatasetSpec):
    """Any data set in the layout of the Hugging Face hub, from there or from a local folder.

    A folder of this name in the data folder comes first. Data sets that need code of their own to
    be read are refused.
    """

    title: ClassVar[str] = "Hugging Face data set"
    synonyms: ClassVar[tuple[str, ...]] = ("hugging face", "hub", "hf", "datasets")
    constraints: ClassVar[tuple[str, ...]] = ("needs a path, and the hub or a local copy",)
    example: ClassVar[dict[str, Any]] = {
        "dataset": {"kind": "huggingface", "path": "ylecun/mnist"},
        "model": {"kind": "cnn"},
    }

    kind: Literal["huggingface"] = "huggingface"
    path: HubPath = Field(
        description="Hub id such as owner/name, or a folder in the data folder.",
        json_schema_extra=BASIC,
    )
    config: str | None = Field(
        None, max_length=200, description="Configuration of the data set, if it has several."
    )
    train_split: str = Field("train", max_length=200, description="Name of the training split.")
    test_split: str | None = Field(
        None,
        max_length=200,
        description="Name of the test split; empty takes test, or holds test_fraction out.",
    )


class UploadSpec(CustomDatasetSpec):
    """A CSV file, a Parquet file or a folder of images, by its path inside the data folder.

    A folder holds one folder of images per class, or such folders in ``train`` and ``test``; or
    it holds ``train`` and ``test`` as CSV or Parquet files.
    """

    title: ClassVar[str] = "Own files"
    synonyms: ClassVar[tuple[str, ...]] = ("csv", "parquet", "image folder", "my data", "upload")
    constraints: ClassVar[tuple[str, ...]] = ("needs a path inside the data folder",)
    example: ClassVar[dict[str, Any]] = {"dataset": {"kind": "upload", "path": "measurements.csv"}}

    kind: Literal["upload"] = "upload"
    path: InsidePath = Field(
        description="File or folder, relative to the data folder.", json_schema_extra=BASIC
    )
    delimiter: Literal[",", ";", "\t", "|"] = Field(
        ",", description="What separates the columns of a CSV file."
    )
