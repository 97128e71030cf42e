"""Any data set in the layout of the Hugging Face hub, from there or from a local folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from fedcore.data.columns import build_dataset
from fedcore.data.dataset import Dataset
from fedcore.data.hub import SUFFIXES, HubFiles, Splits
from fedcore.data.inside import FIELD, files_inside, resolve_inside
from fedcore.data.source import DATASETS, Request, settings_key
from fedcore.data.upload import choice_of, with_test_rows
from fedcore.errors import DatasetError, FedcoreError
from fedcore.spec.data import HuggingFaceDatasetSpec


@DATASETS.implements(HuggingFaceDatasetSpec)
@dataclass(frozen=True)
class HuggingFace:
    """A folder of this name in the data folder, or else the hub. No code of theirs is run."""

    spec: HuggingFaceDatasetSpec
    request: Request

    def key(self) -> str:
        """Return the identity of the files, of the settings and of the tokenizer."""
        with self._explained():
            files = self._files().key()
        return f"{files}|{settings_key(self.spec)}|{self.request.tokenizer_key}"

    def build(self) -> Dataset:
        """Return the data set of the chosen columns."""
        with self._explained(), self._files().opened() as splits:
            train, test = self._split(splits)
            tables = with_test_rows(train, test, self.spec.test_fraction)
            named = replace(tables, class_names=splits.class_names)
            return build_dataset(named, choice_of(self.spec), self.request.load_tokenizer())

    def _files(self) -> HubFiles:
        return HubFiles(self.spec.path, self._folder(), self.spec.config)

    def _folder(self) -> Path | None:
        """Return the local copy, if there is a folder of this name."""
        root = self.request.folders.data
        if root is None or not (root / self.spec.path).exists():
            return None
        folder = resolve_inside(root, self.spec.path)
        if not files_inside(root, folder, SUFFIXES):
            raise DatasetError(
                f"the folder {self.spec.path!r} holds no data files",
                field=FIELD,
                fix=f"Put files into it that end in {', '.join(SUFFIXES)}.",
            )
        return folder

    def _split(self, splits: Splits) -> tuple[pa.Table, pa.Table | None]:
        known = ", ".join(splits.tables)
        if self.spec.train_split not in splits.tables:
            raise DatasetError(
                f"{self.spec.path!r} has no split {self.spec.train_split!r}",
                field="dataset.train_split",
                fix=f"Use one of: {known}.",
            )
        name = self.spec.test_split
        if name is not None and name not in splits.tables:
            raise DatasetError(
                f"{self.spec.path!r} has no split {name!r}",
                field="dataset.test_split",
                fix=f"Use one of: {known}; or leave it empty to hold some rows out.",
            )
        if name == self.spec.train_split:
            raise DatasetError(
                "the training split cannot be the test split as well",
                field="dataset.test_split",
                fix="Leave test_split empty to hold out a part of the training split.",
            )
        return splits.tables[self.spec.train_split], splits.tables.get(name or "test")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from datasets.exceptions import DatasetsError  # noqa: PLC0415

        try:
            yield
        except FedcoreError:
            raise
        except (OSError, ValueError, LookupError, pa.ArrowException, DatasetsError) as error:
            raise DatasetError(
                f"cannot read {self.spec.path!r}: {type(error).__name__}: {error}",
                field=FIELD,
                fix="Check the id, or put the data set's Parquet files into a folder of this name "
                "in the data folder that ROUNDHOUSE_DATA_DIR names.",
            ) from error
