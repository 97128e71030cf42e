"""Image data sets in the layout of the Hugging Face hub, from there or from a local folder.

A local copy is a folder of Parquet files, one per split, ``<data folder>/<name>/train.parquet``
and so on: what ``datasets.load_dataset`` reads, so the hub and a folder take the same path.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from fedcore.data.cache import Prepared
from fedcore.data.dataset import Examples
from fedcore.data.source import DATASETS, Request, prepare_images
from fedcore.errors import DatasetError
from fedcore.spec.data import DatasetSpec, MnistSpec

_LARGEST_PIXEL = 255.0


@dataclass(frozen=True)
class HubImages:
    """Images with one label each.

    Attributes:
        folder_name: Folder of a local copy, inside the data folder.
        hub_id: Data set on the Hugging Face hub.
    """

    spec: DatasetSpec
    request: Request
    folder_name: ClassVar[str]
    hub_id: ClassVar[str]
    image_column: ClassVar[str] = "image"
    label_column: ClassVar[str] = "label"
    num_classes: ClassVar[int] = 10

    def key(self) -> str:
        """Return a hash of the local files, or the hub id.

        The hub's files are fetched once; delete the cached tensors to look for a newer version.
        """
        folder = self._find_local_copy()
        if folder is None:
            return f"hub {self.hub_id}"
        try:
            return f"files {_hash_files(sorted(folder.glob('*.parquet')))}"
        except OSError as error:
            raise self._unreadable(f"in {folder}", error) from error

    def build(self) -> Prepared:
        """Return the images, decoded and scaled."""
        from datasets.exceptions import DatasetsError  # noqa: PLC0415

        folder = self._find_local_copy()
        place = f"on the hub ({self.hub_id})" if folder is None else f"in {folder}"
        try:
            splits = self._read_splits(folder)
            train, test = (self._examples(splits[name]) for name in ("train", "test"))
            self._check_size(train, test)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, DatasetsError) as error:
            raise self._unreadable(place, error) from error
        return prepare_images(train, test, num_classes=self.num_classes, divisor=_LARGEST_PIXEL)

    def _find_local_copy(self) -> Path | None:
        data = self.request.folders.data
        if data is None:
            return None
        folder = data / self.folder_name
        return folder if any(folder.glob("*.parquet")) else None

    def _read_splits(self, folder: Path | None) -> Any:
        import datasets  # noqa: PLC0415  (takes seconds; needed only once per machine)

        datasets.disable_progress_bars()
        if folder is None:
            return datasets.load_dataset(self.hub_id)
        # Hugging Face would keep a second copy, filed under path and date; ours is filed by hash.
        with tempfile.TemporaryDirectory() as scratch:
            return datasets.load_dataset(str(folder), cache_dir=scratch, keep_in_memory=True)

    def _examples(self, split: Any) -> Examples:
        from datasets import Image  # noqa: PLC0415

        column = split.cast_column(self.image_column, Image(decode=False)).data.column(
            self.image_column
        )
        encoded = column.combine_chunks().field("bytes")
        x = torch.from_numpy(np.stack([_decode(item.as_py()) for item in encoded]))
        y = torch.tensor(split[self.label_column][:], dtype=torch.int64)
        if len(y) == 0 or int(y.min()) < 0 or int(y.max()) >= self.num_classes:
            raise ValueError(f"labels must lie between 0 and {self.num_classes - 1}")
        return Examples(x, y)

    def _check_size(self, train: Examples, test: Examples) -> None:
        info = self.spec.info()
        expected = tuple(train.x.shape[1:]) if info is None else info.input_shape
        for split in (train, test):
            if tuple(split.x.shape[1:]) != expected:
                found = list(split.x.shape[1:])
                raise ValueError(f"images must have the size {list(expected)}, not {found}")

    def _unreadable(self, place: str, error: Exception) -> DatasetError:
        data = self.request.folders.data
        where = f"{data}/{self.folder_name}" if data else f"<folder>/{self.folder_name}"
        return DatasetError(
            f"cannot read {self.spec.kind} {place}: {type(error).__name__}: {error}",
            field="dataset.kind",
            fix=f"Put train.parquet and test.parquet into {where} and let "
            "ROUNDHOUSE_DATA_DIR name the folder above it, or connect to the internet once.",
        )


@DATASETS.implements(MnistSpec)
class Mnist(HubImages):
    """Handwritten digits."""

    folder_name = "mnist"
    hub_id = "ylecun/mnist"


def _decode(encoded: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return one image as (channels, height, width)."""
    from PIL import Image  # noqa: PLC0415

    pixels = np.asarray(Image.open(io.BytesIO(encoded)), dtype=np.uint8)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)  # noqa: PLR2004


def _hash_files(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
