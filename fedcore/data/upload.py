"""Data sets of the user's own: a CSV file, a Parquet file, or a folder of images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from fedcore.data.columns import Choice, Tables, build_dataset
from fedcore.data.dataset import Dataset
from fedcore.data.files import (
    IMAGE,
    IMAGE_SUFFIXES,
    LABEL,
    TABLE_SUFFIXES,
    read_image_folder,
    read_table,
)
from fedcore.data.hub import hash_files
from fedcore.data.inside import FIELD, check_file, files_inside, require_root, resolve_inside
from fedcore.data.source import DATASETS, Request, settings_key
from fedcore.data.splits import hold_out
from fedcore.errors import DatasetError
from fedcore.spec.data import CustomDatasetSpec, UploadSpec

TRAIN, TEST = "train", "test"


def choice_of(spec: CustomDatasetSpec) -> Choice:
    """Return which columns a user chose."""
    return Choice(
        input=spec.input,
        target=spec.target or (),
        groups=() if spec.group is None else (spec.group,),
        task=spec.known_task(),
        input_kind=spec.known_input_kind(),
        image_size=spec.image_size,
        length=spec.length,
        vocabulary=spec.vocabulary,
    )


def with_test_rows(train: pa.Table, test: pa.Table | None, fraction: float) -> Tables:
    """Return both splits, some rows held out if there is no test split."""
    if test is not None:
        return Tables(train, test)
    kept, held = hold_out(train.num_rows, fraction)
    return Tables(train.take(kept), train.take(held))


@DATASETS.implements(UploadSpec)
@dataclass(frozen=True)
class Upload:
    """Files below the data folder, never outside it."""

    spec: UploadSpec
    request: Request

    def key(self) -> str:
        """Return a hash of the files, and the settings."""
        files = self.files()
        try:
            content = hash_files(files)
        except OSError as error:
            raise DatasetError(
                f"{self.spec.path!r} cannot be read: {error.strerror}",
                field=FIELD,
                fix="Let the account that runs this read the files.",
            ) from error
        # Where a file lies names its class, so the paths count beside the contents.
        root = self._path()
        paths = "\n".join(str(file.relative_to(root)) for file in files)
        settings = settings_key(self.spec)
        return f"{content}|{paths}|{settings}|{self.request.tokenizer_key}"

    def build(self) -> Dataset:
        """Return the data set that the files hold."""
        choice = choice_of(self.spec)
        tables, is_images = self.tables()
        if is_images:
            choice = replace(
                choice, input=choice.input or (IMAGE,), target=choice.target or (LABEL,)
            )
        return build_dataset(tables, choice, self.request.load_tokenizer())

    def tables(self) -> tuple[Tables, bool]:
        """Return the rows of both splits, and whether they are images with the class of each.

        Raises:
            DatasetError: If the files cannot be read.
        """
        path = self._path()
        is_images = False
        if path.is_file():
            parts = {TRAIN: read_table(path, self.spec.delimiter)}
        elif tables := self._tables(path):
            parts = {file.stem: read_table(file, self.spec.delimiter) for file in tables}
        else:
            parts, is_images = self._images(path), True
        return with_test_rows(parts[TRAIN], parts.get(TEST), self.spec.test_fraction), is_images

    def _root(self) -> Path:
        return require_root(self.request.folders.data)

    def _path(self) -> Path:
        return resolve_inside(self._root(), self.spec.path)

    def files(self) -> list[Path]:
        """Return all files that the data set is made of."""
        path = self._path()
        if path.is_file():
            check_file(self._root(), path)
            return [path]
        return self._tables(path) or files_inside(self._root(), path, IMAGE_SUFFIXES)

    def _tables(self, folder: Path) -> list[Path]:
        """Return ``train`` and, if there is one, ``test`` as tables; empty if there are none."""
        found = []
        for split in (TRAIN, TEST):
            files = [folder / f"{split}{suffix}" for suffix in TABLE_SUFFIXES]
            present = [file for file in files if file.exists()]
            if len(present) > 1:
                raise DatasetError(
                    f"there is more than one {split} file in {folder.name!r}",
                    field=FIELD,
                    fix=f"Keep one of {', '.join(file.name for file in present)}.",
                )
            found.extend(present)
        for file in found:
            check_file(self._root(), file)
        return found if found and found[0].stem == TRAIN else []

    def _images(self, folder: Path) -> dict[str, pa.Table]:
        has_splits = (folder / TRAIN).is_dir()
        places = {TRAIN: folder / TRAIN, TEST: folder / TEST} if has_splits else {TRAIN: folder}
        tables = {}
        for split, place in places.items():
            files = files_inside(self._root(), place, IMAGE_SUFFIXES) if place.is_dir() else []
            if files:
                tables[split] = read_image_folder(place, files)
        if TRAIN not in tables:
            raise DatasetError(
                f"{self.spec.path!r} holds neither images nor train.csv nor train.parquet",
                field=FIELD,
                fix="Put one folder of images per class into it, or name a CSV or Parquet file.",
            )
        return tables
