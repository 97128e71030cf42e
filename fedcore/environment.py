"""Where the engine finds and keeps files: the one place that reads environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """Folders on this machine.

    Attributes:
        data: Holds a folder of Parquet files per data set; None to use the Hugging Face hub alone.
        cache: Data sets as tensors, ready to be mapped into memory. Safe to delete at any time.
        models: Holds a folder per pretrained model; None to use the Hugging Face hub alone.
    """

    data: Path | None
    cache: Path
    models: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Folders:
        """Return the folders that ROUNDHOUSE_DATA_DIR, _CACHE_DIR and _MODELS_DIR name."""
        values = os.environ if environment is None else environment
        data = values.get("ROUNDHOUSE_DATA_DIR")
        cache = values.get("ROUNDHOUSE_CACHE_DIR")
        models = values.get("ROUNDHOUSE_MODELS_DIR")
        return cls(
            data=Path(data) if data else None,
            cache=Path(cache) if cache else _user_cache(values),
            models=Path(models) if models else None,
        )

    def with_overrides(self, data: Path | None, cache: Path | None) -> Folders:
        """Return these folders with those that are given replaced."""
        return Folders(data or self.data, cache or self.cache, self.models)


def _user_cache(values: Mapping[str, str]) -> Path:
    base = values.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "roundhouse"
