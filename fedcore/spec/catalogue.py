"""The list of everything that a spec can ask for; screens, docs and prompts read this alone."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from typing import Any

from fedcore.spec.base import Choice
from fedcore.spec.compression.base import CodecSpec
from fedcore.spec.privacy import PROMISES, Promise

#: Section of the entries that are no kinds.
PRIVACY = "privacy"


@dataclass(frozen=True)
class CatalogueEntry:
    """One kind of one section.

    Attributes:
        section: Key in the spec, such as ``algorithm``.
        kind: Value of ``kind``; of ``privacy``, which has several settings instead, a name.
        title: Name for people.
        summary: One sentence.
        description: The rest of the explanation, may be empty.
        paper: Where the idea comes from, if it has a source.
        synonyms: Other names that people use.
        constraints: What it needs, in words.
        schema: JSON schema of its own settings.
        example: The shortest spec document that uses it.
    """

    section: str
    kind: str
    title: str
    summary: str
    description: str
    paper: str | None
    synonyms: tuple[str, ...]
    constraints: tuple[str, ...]
    schema: dict[str, Any]
    example: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the entry as a plain mapping."""
        return asdict(self)


def families() -> list[type[Choice]]:
    """Return all families in the order of their definition."""
    return [family for family in Choice.__subclasses__() if family.is_family()]


def catalogue() -> list[CatalogueEntry]:
    """Return every kind of every section, and the promises of privacy."""
    kinds = [
        _entry(family.section, kind, cls)
        for family in families()
        for kind, cls in family.kinds().items()
    ]
    return [*kinds, *(_entry_of_promise(promise) for promise in PROMISES)]


def _entry_of_promise(promise: Promise) -> CatalogueEntry:
    return CatalogueEntry(
        section=PRIVACY,
        kind=promise.kind,
        title=promise.title,
        summary=promise.summary,
        description=promise.description,
        paper=promise.paper,
        synonyms=promise.synonyms,
        constraints=promise.constraints,
        schema=promise.settings.model_json_schema(),
        example=promise.example,
    )


def _entry(section: str, kind: str, cls: type[Choice]) -> CatalogueEntry:
    summary, _, description = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")
    return CatalogueEntry(
        section=section,
        kind=kind,
        title=cls.title,
        summary=" ".join(summary.split()),
        description=" ".join(description.split()),
        paper=cls.paper,
        synonyms=cls.synonyms,
        constraints=cls.constraints,
        schema=cls.model_json_schema(),
        example={**_naming(section, kind), **cls.example},
    )


def _naming(section: str, kind: str) -> dict[str, Any]:
    """Return the spec document that names one kind and nothing else."""
    chosen: Any = {"kind": kind}
    if section == CodecSpec.section:
        chosen = {"uplink": [chosen]}
    for key in reversed(section.split(".")):
        chosen = {key: chosen}
    return dict(chosen)
