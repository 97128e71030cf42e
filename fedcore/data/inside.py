"""Files that a user names, which must lie inside the folder that an administrator allows."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fedcore.data.limits import MAX_FILE_BYTES, MAX_FILES, require_at_most
from fedcore.errors import DatasetError

FIELD = "dataset.path"


def require_root(root: Path | None) -> Path:
    """Return the allowed folder.

    Raises:
        DatasetError: If there is none.
    """
    if root is None:
        raise DatasetError(
            "this machine has no data folder",
            field=FIELD,
            fix="Let ROUNDHOUSE_DATA_DIR name the folder that holds the data.",
        )
    return root


def resolve_inside(root: Path, relative: str) -> Path:
    """Return the file or folder that a user means, links followed.

    Raises:
        DatasetError: If there is nothing of this name, or it leads outside the allowed folder.
    """
    try:
        path = (root / relative).resolve()
        is_inside = path.is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # links in a circle
        path, is_inside = root, False
    if not is_inside:
        raise DatasetError(
            f"{relative!r} leads outside the data folder",
            field=FIELD,
            fix="Copy the data into the data folder; links out of it are not followed.",
        )
    if not path.exists():
        raise DatasetError(
            f"there is no {relative!r} in the data folder",
            field=FIELD,
            fix="Check the spelling, or copy the data into the data folder.",
        )
    return path


def files_inside(root: Path, folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Return the files below ``folder`` that end in one of ``suffixes``, sorted.

    Raises:
        DatasetError: If one of them leads outside ``root`` or is too large, or there are too many.
    """
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    )
    require_at_most(
        len(found),
        MAX_FILES,
        f"files in {folder.name!r}",
        field=FIELD,
        fix="Use a smaller data set, or Parquet files that hold many examples each.",
    )
    for path in found:
        check_file(root, path)
    return found


def check_file(root: Path, path: Path) -> None:
    """Check that one file may be read.

    Raises:
        DatasetError: If it leads outside ``root``, is no ordinary file, or is too large.
    """
    try:
        resolved = path.resolve()
        is_ordinary = resolved.is_relative_to(root.resolve()) and resolved.is_file()
    except (OSError, RuntimeError):  # links in a circle
        resolved, is_ordinary = path, False
    if not is_ordinary:
        raise DatasetError(
            f"{path.name!r} is not an ordinary file inside the data folder",
            field=FIELD,
            fix="Replace the link by the file itself.",
        )
    require_at_most(
        resolved.stat().st_size,
        MAX_FILE_BYTES,
        f"bytes of {path.name!r}",
        field=FIELD,
        fix="Split the data into several Parquet files, or use fewer rows.",
    )
