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
    """Tensors of a data set by name, and facts about them that fit into JSON."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, float]


def load_or_build(folder: Path, name: str, key: str, build: Callable[[], Prepared]) -> Prepared:
    """Return a prepared data set from the cache, building it if it is not there yet.

    Args:
        folder: The cache; made if missing. A cache that cannot be written is done without.
        name: Start of the file name, for people.
        key: Everything that determines the content, as text.
        build: Makes the data set; called only if needed.
    """
    path = folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"
    cached = _find(path)
    if cached is not None:
        return cached
    built = build()
    try:
        _write(path, built)
    except OSError as error:
        log.warning("data set not cached", path=str(path), reason=str(error))
        return _aligned(built)
    # Read back rather than returned as built: the first process then computes on memory with the
    # same alignment as all later ones, and fast matrix routines may round by alignment.
    return _find(path) or _aligned(built)


def _write(path: Path, prepared: Prepared) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    infos = [info_of(name, tensor) for name, tensor in prepared.tensors.items()]
    header = header_bytes(infos, {"facts": json.dumps(dict(prepared.facts))})
    write_atomically(path, [header, *map(tensor_bytes, prepared.tensors.values())])


def _find(path: Path) -> Prepared | None:
    if not path.exists():
        return None
    try:
        tensors, metadata = map_file(path)
        facts = json.loads(metadata["facts"])
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        log.warning("cached data set is damaged and is built again", path=str(path), error=error)
        return None
    return _aligned(Prepared(tensors, facts))


def _aligned(prepared: Prepared) -> Prepared:
    tensors = {
        name: tensor if tensor.data_ptr() % ALIGNMENT_BYTES == 0 else tensor.clone()
        for name, tensor in prepared.tensors.items()
    }
    return Prepared(tensors, prepared.facts)
