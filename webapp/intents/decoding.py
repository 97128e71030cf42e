"""The JSON schema that a local model's decoding is held to: that of an answer, made finite.

A schema that allows strings and lists of any length lets a model write for ever. Here every string,
list and mapping has an end, so that every answer has one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from webapp.intents.catalogue_fields import Setting, direct_settings, kind_settings
from webapp.intents.model_answers import answer_schema

MAX_TEXT = 80
MAX_ITEMS = 8
MAX_WHOLE = 1_000_000
_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}


@cache
def decoding_schema() -> dict[str, Any]:
    """Return the schema, in which nothing has more than a fixed length."""
    schema = _bounded(answer_schema())
    schema["properties"]["axes"] = _axes()
    schema["additionalProperties"] = False
    return dict(schema)


def _bounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_bounded(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _bounded(each) for name, each in value.items()}
    if found.get("type") == "string" and not found.keys() & {"enum", "const"}:
        found["maxLength"] = min(found.get("maxLength", MAX_TEXT), MAX_TEXT)
    if found.get("type") == "array":
        found["maxItems"] = min(found.get("maxItems", MAX_ITEMS), MAX_ITEMS)
    if found.get("type") == "integer" and not found.keys() & {"enum", "const"}:
        found.setdefault("maximum", MAX_WHOLE)
    if found.get("type") == "object":
        found["additionalProperties"] = False
        if "const" in found.get("properties", {}).get("kind", {}):
            found["required"] = sorted({*found.get("required", ()), "kind"})
    return found


def _axes() -> dict[str, Any]:
    """Return what may be compared: settings with numbers or words, and kinds by their names."""
    settings = {path: _values(setting) for path, setting in direct_settings().items()}
    for owners in kind_settings().values():
        settings |= {owner.path: _values(owner) for owner in owners}
    paths = {path: values for path, values in settings.items() if values is not None}
    return {"type": "object", "properties": paths, "additionalProperties": False}


def _values(setting: Setting) -> dict[str, Any] | None:
    if setting.options:
        item: dict[str, Any] = {"enum": list(setting.options)}
    elif setting.type in _TYPES:
        item = {"type": _TYPES[setting.type]}
    else:
        return None
    return {"type": "array", "items": item, "minItems": 2, "maxItems": MAX_ITEMS}
