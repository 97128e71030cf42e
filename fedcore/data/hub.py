"""Files in the layout of the Hugging Face hub, from there or from a local folder.

A local copy is a folder of Parquet files, one per split, ``<data folder>/<name>/train.parquet``
and so on: what ``datasets.load_dataset`` reads, so the hub and a folder take the same path.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

#: Endings of files that are read, and how ``datasets`` calls their format; the first one found
#: in a folder is the one that counts.
FORMATS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "json", ".json": "json"}
SUFFIXES = tuple(FORMATS)
_SPLIT_FOLDERS = ("train", "test", "validation", "valid", "val", "dev", "eval")


@dataclass(frozen=True, eq=False)
class Splits:
    """Rows of a data set.

    Attributes:
        tables: Rows by name of the split.
        class_names: Names of classes by column, where the data set tells them.
    """

    tables: Mapping[str, pa.Table]
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class HubFiles:
    """A data set on the hub, or a copy of it.

    Attributes:
        hub_id: Name on the hub, or None if it is not there.
        folder: Where a local copy would be; None without a data folder.
        config: Configuration, if it has several.
    """

    hub_id: str | None
    folder: Path | None
    config: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether there is a local copy."""
        return bool(self.local_files())

    def local_files(self) -> list[Path]:
        """Return the files of the local copy, all of one format."""
        if self.folder is None:
            return []
        root = self._root(self.folder)
        for suffix in SUFFIXES:
            files = sorted(root.rglob(f"*{suffix}"))
            if files:
                return files
        return []

    def key(self) -> str:
        """Return a hash of the local files, or the hub id.

        The hub's files are fetched once; delete the cached tensors to look for a newer version.

        Raises:
            OSError: If a file cannot be read.
        """
        files = self.local_files()
        if not files or self.folder is None:
            return f"hub {self.hub_id}|{self.config}"
        root = self._root(self.folder)
        return f"files {hash_files(files)}|{[str(file.relative_to(root)) for file in files]}"

    @contextmanager
    def opened(self) -> Iterator[Splits]:
        """Yield all splits; their rows are mapped from files that are gone afterwards.

        Raises:
            FileNotFoundError: If there is neither a local copy nor one on the hub.
            OSError: Like all that follow, if it cannot be read.
            ValueError: If the files are not what they seem.
        """
        files = self.local_files()
        if files and self.folder is not None:
            # The files are named one by one: a description beside them could name any others.
            splits = _by_split(files, self._root(self.folder))
            # Hugging Face would keep a second copy, filed under path and date; ours is by hash.
            with tempfile.TemporaryDirectory() as scratch:
                yield _read(FORMATS[files[0].suffix], data_files=splits, cache_dir=scratch)
        elif self.hub_id is not None:
            yield _read(self.hub_id, name=self.config)
        else:
            raise FileNotFoundError("there is no local copy, and none on the hub")

    def _root(self, folder: Path) -> Path:
        """Return the folder of the configuration, if it has one of its own."""
        return folder / self.config if self.config and (folder / self.config).is_dir() else folder


def _by_split(files: Sequence[Path], root: Path) -> dict[str, list[str]]:
    """Return the files of each split: named by their folder, or as in ``train-00000-of-00002``."""
    splits: dict[str, list[str]] = {}
    for file in files:
        parents = file.relative_to(root).parts[:-1]
        named = [folder for folder in parents if folder in _SPLIT_FOLDERS]
        split = named[-1] if named else re.split(r"\W", file.stem)[0]
        splits.setdefault(split, []).append(str(file))
    return splits


def hash_files(files: Sequence[Path]) -> str:
    """Return a SHA-256 of names and contents.

    Raises:
        OSError: If one cannot be read.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _read(path: str, **options: Any) -> Splits:
    import datasets  # noqa: PLC0415  (two seconds; needed only once per machine)

    datasets.disable_progress_bars()
    loaded: Any = datasets.load_dataset(path, **options)
    class_names = {
        column: list(feature.names)
        for split in loaded.values()
        for column, feature in split.features.items()
        if isinstance(feature, datasets.ClassLabel)
    }
    tables = {name: split.with_format("arrow")[:] for name, split in loaded.items()}
    return Splits(tables, class_names)
