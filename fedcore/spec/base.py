"""Base classes of all specs: frozen, strict about unknown keys, and tagged by ``kind``."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

#: Put into ``json_schema_extra`` of a field to show it in the short form.
BASIC: dict[str, Any] = {"x-basic": True}


def unit(name: str, *, basic: bool = False) -> dict[str, Any]:
    """Return ``json_schema_extra`` that names a field's unit, such as ``s`` or ``Mbit/s``."""
    return {"x-unit": name, **(BASIC if basic else {})}


def slider(low: float, high: float, scale: Literal["linear", "log"] = "linear") -> dict[str, Any]:
    """Return ``json_schema_extra`` that offers the useful range of a number to be dragged over."""
    return {"x-slider": {"low": low, "high": high, "scale": scale}}


def instead_of(name: str) -> dict[str, Any]:
    """Return ``json_schema_extra`` of a setting that empties another one; see ``either``."""
    return {"x-instead-of": name}


def only_with(name: str, *values: str) -> dict[str, Any]:
    """Return ``json_schema_extra`` of a setting without effect unless another has such a value."""
    return {"x-only-with": {"name": name, "values": list(values)}}


class Spec(BaseModel):
    """A frozen, validated description.

    Unknown keys are refused: a misspelt setting that is dropped in silence is a wrong experiment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Choice(Spec):
    """One member of a family of alternatives, told apart by ``kind``.

    A *family* is a direct subclass that sets ``section`` (the key in the spec). Its subclasses are
    the kinds. A field annotated with the family accepts every kind, so that a new kind is one new
    class and nothing else.
    """

    section: ClassVar[str]
    title: ClassVar[str] = ""
    paper: ClassVar[str | None] = None
    synonyms: ClassVar[tuple[str, ...]] = ()
    constraints: ClassVar[tuple[str, ...]] = ()
    #: Of the shortest spec that uses this kind: the sections that cannot keep their defaults.
    example: ClassVar[dict[str, Any]] = {}

    kind: str

    @classmethod
    def is_family(cls) -> bool:
        """Return whether this class stands for all of its kinds."""
        return "section" in cls.__dict__

    @classmethod
    def kinds(cls) -> dict[str, type[Self]]:
        """Return the classes of this family by kind, in the order of their definition."""
        found: dict[str, type[Self]] = {}
        for child in _leaves(cls):
            kind = child.model_fields["kind"].default
            if kind in found:
                raise TypeError(f"{cls.__name__}: two classes for kind {kind!r}")
            found[kind] = cast("type[Self]", child)
        return found

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return a tagged union for a family, and the plain model schema for a kind."""
        if not cls.is_family() or not cls.__subclasses__():
            return handler(source)
        return core_schema.tagged_union_schema(
            {kind: handler.generate_schema(child) for kind, child in cls.kinds().items()},
            discriminator="kind",
        )


def either(data: Any, first: str, second: str) -> Any:
    """Return ``data`` with ``first`` empty where only ``second`` is given.

    For two settings that exclude each other, the first of which has a default.
    """
    if isinstance(data, dict) and data.get(second) is not None and first not in data:
        return {**data, first: None}
    return data


def _leaves(cls: type[Choice]) -> list[type[Choice]]:
    leaves: list[type[Choice]] = []
    for child in cls.__subclasses__():
        if "kind" in inspect.get_annotations(child):
            leaves.append(child)
        leaves.extend(_leaves(child))
    return leaves
