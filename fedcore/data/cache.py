"""Data sets as files that are mapped into memory.

The name of a file is a hash of everything that determines its content, so a file is never out of
date. Processes that need the same one share its pages. A file appears by renaming, complete or
not at all: several processes may build it at the same time and the last one wins, with the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from torch import Tensor

from fedcore.files import write_atomically
from fedcore.wire.container import (
    ALIGNMENT_BYTES,
    header_bytes,
    info_of,
    map_file,
    tensor_bytes,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set as a source makes it.

    Attributes:
        tensors: By name.
        facts: What else there is to know of it, as JSON.
    """

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Cached:
    """A data set as the cache returns it; ``checksum`` is a hash of the tensors."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]
    checksum: str


def load_or_build(folder: Path, name: str, key: str, build: Callable[[], Prepared]) -> Cached:
    """Return a prepared data set from the cache, building it if it is not there yet.

    Args:
        folder: The cache; made if missing. A cache that cannot be written is done without.
        name: Start of the file name, for people.
        key: Everything that determines the content, as text.
        build: Makes the data set; called only if needed.
    """
    path = path_of(folder, name, key)
    found = _find(path)
    if found is not None:
        return found
    prepared = build()
    built = _aligned(prepared.tensors, prepared.facts, _checksum(prepared))
    try:
        _write(path, built)
    except OSError as error:
        log.warning("data set not cached", path=str(path), reason=str(error))
        return built
    # Mapped rather than returned as built, so that this process shares its pages with others.
    return _find(path) or built


def path_of(folder: Path, name: str, key: str) -> Path:
    """Return where a prepared data set is kept."""
    return folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"


def _write(path: Path, built: Cached) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Wide types first, so that every tensor starts at a multiple of its own element size.
    tensors = sorted(built.tensors.items(), key=lambda item: -item[1].dtype.itemsize)
    facts = {"facts": json.dumps(dict(built.facts)), "checksum": built.checksum}
    header = header_bytes([info_of(*item) for item in tensors], facts)
    write_atomically(path, [header, *(tensor_bytes(tensor) for _, tensor in tensors)])


def _find(path: Path) -> Cached | None:
    if not path.exists():
        return None
    try:
        tensors, metadata = map_file(path)
        facts, checksum = json.loads(metadata["facts"]), metadata["checksum"]
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        log.warning("cached data set is damaged", path=str(path), reason=str(error))
        return None
    return _aligned(tensors, facts, checksum)


def _aligned(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], checksum: str) -> Cached:
    """Copy what does not start at a round address.

    Fast matrix routines may round by alignment, and a run must not depend on whether its data were
    mapped from a file or have just been made.
    """
    aligned = {
        name: tensor if tensor.data_ptr() % ALIGNMENT_BYTES == 0 else tensor.clone()
        for name, tensor in tensors.items()
    }
    return Cached(aligned, facts, checksum)


def _checksum(prepared: Prepared) -> str:
    digest = hashlib.sha256()
    for name, tensor in prepared.tensors.items():
        digest.update(f"{name}|{tensor.dtype}|{list(tensor.shape)}|".encode())
        digest.update(tensor_bytes(tensor))
    return digest.hexdigest()
