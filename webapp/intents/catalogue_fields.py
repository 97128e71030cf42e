"""Every setting of the spec that a prompt can name, with its type; read from the spec itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fedcore.spec import CatalogueEntry, Choice, RunSpec, Spec, catalogue
from fedcore.spec.catalogue import PRIVACY, families
from fedcore.spec.data import DatasetInfo, DatasetSpec

#: Names that mean nothing outside their kind; they can be written with it: attack.scale.
_VAGUE = frozenset(
    [
        "kind",
        "path",
        "group",
        "input",
        "target",
        "task",
        "config",
        "mode",
        "by",
        "choose",
        "small",
        "length",
        "shared",
        "count",
        "fraction",
        "step",
        "clip",
        "penalty",
        "mean",
        "scale",
        "width",
        "groups",
        "norm",
        "std",
        "sources",
        "iterations",
        "value",
        "metric",
        "every",
        "delimiter",
        "path",
        "revision",
        "placement",
        "process",
        "processes",
        "depth",
        "momentum",
        "sigma",
    ]
)

#: Never what a bare number after a kind stands for.
_NEVER_MEANT = frozenset({"clients", "min_size", "max_train", "max_test", "validation"})


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        path: Where it stands: ``local.lr``, or ``algorithm.mu``.
        kind: The kind that has it; None for settings that are always there.
        type: ``integer``, ``number``, ``boolean``, ``array`` or ``string``.
        options: Allowed words, where there is a choice.
        is_nullable: Whether it may be left empty.
        is_share: Whether it lies between 0 and 1.
        is_basic: Whether the short form shows it.
    """

    path: str
    kind: str | None
    type: str
    options: tuple[Any, ...] = ()
    is_nullable: bool = False
    is_share: bool = False
    is_basic: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def section(self) -> str:
        """The path without the name."""
        return self.path.rpartition(".")[0]

    @property
    def is_vague(self) -> bool:
        """Whether its name alone tells too little."""
        return self.name in _VAGUE


@cache
def entries() -> tuple[CatalogueEntry, ...]:
    """Return the kinds of the catalogue, which does not change while a process lives."""
    return tuple(entry for entry in catalogue() if entry.section != PRIVACY)


@cache
def direct_settings() -> dict[str, Setting]:
    """Return the settings that every run has, by path."""
    return {setting.path: setting for setting in _walk(RunSpec, "")}


@cache
def kind_settings() -> dict[str, tuple[Setting, ...]]:
    """Return the settings of kinds, by name; a name may belong to several kinds."""
    found: dict[str, list[Setting]] = {}
    for entry in entries():
        for setting in _settings(entry.schema, entry.section, entry.kind):
            if setting.name != "kind":
                found.setdefault(setting.name, []).append(setting)
    return {name: tuple(settings) for name, settings in found.items()}


@cache
def find_kind(section: str, kind: str) -> type[Choice]:
    """Return the class of a kind."""
    family = next(each for each in families() if each.section == section)
    return family.kinds()[kind]


@cache
def setting_of(section: str, kind: str, name: str) -> Setting | None:
    """Return a setting of a kind, if it has it."""
    candidates = kind_settings().get(name, ())
    return next((s for s in candidates if (s.section, s.kind) == (section, kind)), None)


@cache
def principal_setting(section: str, kind: str) -> Setting | None:
    """Return the setting that a bare number after a kind stands for: mu in "FedProx 0.1"."""
    cls = find_kind(section, kind)
    own = [name for name in cls.model_fields if name in cls.__annotations__ and name != "kind"]
    names = [*own, *(name for name in cls.model_fields if name not in own)]
    basic = [n for n in names if _is_basic(cls.model_fields[n]) and n != "clients"]
    for name in [*basic, *names]:
        found = setting_of(section, kind, name)
        if found and found.type in ("number", "integer", "array") and name not in _NEVER_MEANT:
            return found
    return None


def published_of(kind: str) -> DatasetInfo | None:
    """Return what is known of a data set before it is read, if that is anything."""
    if required_settings("dataset", kind):
        return None
    return DatasetSpec.kinds()[kind](kind=kind).published()


def required_settings(section: str, kind: str) -> list[str]:
    """Return the names of what a kind cannot do without."""
    fields = find_kind(section, kind).model_fields
    return [name for name, field in fields.items() if field.is_required()]


def _is_basic(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("x-basic") is True


def _walk(model: type[BaseModel], prefix: str) -> Iterator[Setting]:
    yield from _settings(model.model_json_schema(), prefix.rstrip("."), None)
    for name, field in model.model_fields.items():
        nested = _nested(field.annotation)
        if nested is not None and not issubclass(nested, Choice):
            yield from _walk(nested, f"{prefix}{name}.")


def _nested(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return annotation
    arguments = getattr(annotation, "__args__", ())
    return next((found for each in arguments if (found := _nested(each)) is not None), None)


def _settings(schema: dict[str, Any], section: str, kind: str | None) -> Iterator[Setting]:
    for name, found in schema.get("properties", {}).items():
        parts = found.get("anyOf", [found])
        main: dict[str, Any] = next((p for p in parts if p.get("type") != "null"), {})
        if "type" not in main and "enum" not in main and "const" not in main:
            continue
        highest = main.get("maximum", main.get("exclusiveMaximum"))
        yield Setting(
            path=f"{section}.{name}" if section else name,
            kind=kind,
            type=str(main.get("type", "string")),
            options=tuple(main.get("enum", ())),
            is_nullable=any(part.get("type") == "null" for part in parts),
            is_basic=found.get("x-basic") is True,
            is_share=main.get("type") == "number" and highest is not None and highest <= 1,
        )
