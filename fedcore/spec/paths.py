"""Changing single settings of a spec document by their path."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from fedcore.spec.base import Choice
from fedcore.spec.problems import model_at
from fedcore.spec.run import RunSpec


class PathError(Exception):
    """A path that leads nowhere; ``path`` is the one, the message says why."""

    def __init__(self, path: str = "", message: str = "") -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message


def with_values(document: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a spec document in which the setting at each path has its value.

    Whole sections and kinds are set before the settings inside them. Where a kind changes, the
    settings that the new kind does not have are dropped: they belong to the old one.

    Args:
        document: A spec as its user wrote it; what it leaves out has its default.
        values: Values by dotted path, such as ``{"algorithm.kind": "fedprox", "local.lr": 0.1}``.

    Raises:
        PathError: For a path that goes through something that has no settings.
    """
    changed = copy.deepcopy(dict(document))
    for path in sorted(values, key=_outer_first):
        _set(changed, path, copy.deepcopy(values[path]))
    return changed


def _outer_first(path: str) -> tuple[int, bool, str]:
    parts = path.split(".")
    return (len(parts) - (parts[-1] == "kind"), parts[-1] != "kind", path)


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    owner: type[BaseModel] | None = RunSpec
    place: Any = document
    for part in parents:
        owner = None if owner is None else model_at(owner, part)
        place = _inside(place, part, owner, path)
        owner = _chosen(owner, place)
    if isinstance(place, list):
        place[_index(place, name, path)] = value
        return
    if not isinstance(place, dict):
        raise PathError(path, "There are no settings below this point.")
    if name == "kind" and place.get("kind") != value:
        _keep_common(place, value, owner)
    place[name] = value


def _inside(place: Any, part: str, owner: type[BaseModel] | None, path: str) -> Any:
    """Return what is at ``part``; a section that the document leaves out starts as its default."""
    if isinstance(place, list):
        return place[_index(place, part, path)]
    if not isinstance(place, dict):
        raise PathError(path, f"There are no settings above {part!r}.")
    if place.get(part) is None:
        place[part] = _default_kind(part, owner)
    return place[part]


def _default_kind(part: str, owner: type[BaseModel] | None) -> dict[str, Any]:
    if owner is None or not issubclass(owner, Choice) or part not in RunSpec.model_fields:
        return {}
    default = RunSpec.model_fields[part].default
    return {"kind": default.kind} if isinstance(default, Choice) else {}


def _index(items: list[Any], part: str, path: str) -> int:
    if not part.isdecimal() or int(part) >= len(items):
        raise PathError(path, f"There is no entry {part!r}; entries count from 0 to {len(items)}.")
    return int(part)


def _chosen(owner: type[BaseModel] | None, place: Any) -> type[BaseModel] | None:
    """Return the class of a kind, where its family was found; else the class itself."""
    if owner is None or not issubclass(owner, Choice) or not owner.is_family():
        return owner
    kind = place.get("kind") if isinstance(place, dict) else None
    return owner.kinds().get(str(kind), owner)


def _keep_common(place: dict[str, Any], kind: Any, owner: type[BaseModel] | None) -> None:
    if owner is None or not issubclass(owner, Choice):
        return
    families = [c for c in owner.__mro__ if issubclass(c, Choice) and c is not Choice]
    chosen = families[-1].kinds().get(str(kind))
    if chosen is not None:
        for name in [name for name in place if name not in chosen.model_fields]:
            del place[name]
