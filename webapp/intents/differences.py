"""What a run says beyond the defaults of the kinds that it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from fedcore.spec import Choice, RunSpec

#: Of two settings that exclude each other, the first replaces the second when it is given.
REPLACES = {
    "steps": "epochs",
    "count": "fraction",
    "byzantine_count": "byzantine_fraction",
}


def differences(spec: RunSpec) -> dict[str, Any]:
    """Return the settings that differ, by path; a chain of codecs is one setting."""
    return dict(_differences(spec, RunSpec(), ""))


def short_document(spec: RunSpec) -> dict[str, Any]:
    """Return the shortest document that describes a run, as a person would write it."""
    document: dict[str, Any] = {}
    for path, value in differences(spec).items():
        *sections, name = path.split(".")
        parent = document
        for section in sections:
            parent = parent.setdefault(section, {})
        parent[name] = value
    _drop_replaced(document)
    return document


def _drop_replaced(document: dict[str, Any]) -> None:
    for section in document.values():
        if isinstance(section, dict):
            _drop_replaced(section)
            for first, second in REPLACES.items():
                if section.get(first) is not None and section.get(second, 0) is None:
                    del section[second]


def _differences(
    model: BaseModel, default: BaseModel | None, path: str
) -> Iterator[tuple[str, Any]]:
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        here = f"{path}.{name}" if path else name
        if name == "kind" and isinstance(model, Choice):
            if _is_news(model, default):
                yield here, value
            continue
        is_same_kind = type(default) is type(model)
        expected = getattr(default, name) if is_same_kind else info.get_default()
        if isinstance(value, BaseModel):
            yield from _differences(value, expected, here)
        elif isinstance(value, tuple) and value and isinstance(value[0], Choice):
            yield here, [dict(_differences(link, None, "")) for link in value]
        elif value != expected:
            yield here, list(value) if isinstance(value, tuple) else value


def _is_news(model: Choice, default: BaseModel | None) -> bool:
    """Return whether the kind has to be said: it is another one, or something depends on it."""
    if getattr(default, "kind", None) != model.kind:
        return True
    return any(
        getattr(model, name) != getattr(default, name)
        for name in type(model).model_fields
        if name != "kind"
    )
