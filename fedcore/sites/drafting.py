"""The sections of a spec for data on sites, made of what the sites have declared.

Scales are those of all rows together, categories the union of what is named; the server needs no
row for that. What cannot be agreed on is left out, and said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedcore.sites.messages import Column, DatasetDeclaration

#: More inputs than this from one column are names or codes, not categories.
MOST_CATEGORIES = 100
_FEWEST_CLASSES = 2


@dataclass(frozen=True)
class LeftOut:
    """A column that the draft does not use.

    Attributes:
        column: Its name.
        why: One sentence.
    """

    column: str
    why: str


@dataclass(frozen=True)
class Draft:
    """Sections of a spec.

    Attributes:
        sections: ``dataset`` and ``partition``, and ``runtime`` without what is not about sites.
        targets: Columns that could be predicted.
        left_out: Columns that are not used, and why.
        problem: Why there are no sections, if there are none.
    """

    sections: dict[str, Any]
    targets: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    problem: str = ""


def draft(dataset: str, target: str | None, declared: Mapping[str, DatasetDeclaration]) -> Draft:
    """Return the sections for one data set on some sites.

    Args:
        dataset: Name under which all of them have declared it.
        target: Column to predict; None only asks which there are.
        declared: What each site has declared, by the site's name, in the order of clients.
    """
    columns = {
        site: {column.name: column for column in declaration.columns}
        for site, declaration in declared.items()
    }
    everywhere = _everywhere([*columns.values()])
    targets = tuple(name for name in everywhere if _classes(name, declared, columns) is not None)
    if target is None:
        return Draft({}, targets)
    classes = _classes(target, declared, columns)
    if classes is None:
        why = "No site names its classes, or a site does not have the column."
        return Draft({}, targets, problem=f"{target!r} cannot be predicted. {why}")
    made = [
        _input(name, declared, columns)
        for name in _all_names([*columns.values()])
        if name != target
    ]
    inputs = [each for each in made if not isinstance(each, LeftOut)]
    left_out = tuple(each for each in made if isinstance(each, LeftOut))
    if not inputs:
        problem = "No column is left to learn from. Ask the sites to share scales and categories."
        return Draft({}, targets, left_out, problem)
    sections = {
        "dataset": {
            "kind": "sites",
            "name": dataset,
            "inputs": inputs,
            "target": {"column": target, "classes": list(classes)},
        },
        "partition": {"kind": "sites", "clients": len(declared)},
        "runtime": {"placement": "sites", "sites": list(declared)},
    }
    return Draft(sections, targets, left_out)


Columns = Mapping[str, Mapping[str, Column]]


def _all_names(sites: Sequence[Mapping[str, Column]]) -> list[str]:
    """Return all columns, in the order in which they are met."""
    return list(dict.fromkeys(name for site in sites for name in site))


def _everywhere(sites: Sequence[Mapping[str, Column]]) -> list[str]:
    return [name for name in _all_names(sites) if all(name in site for site in sites)]


def _classes(
    target: str, declared: Mapping[str, DatasetDeclaration], columns: Columns
) -> tuple[str, ...] | None:
    """Return the classes of a column that all sites have, None if they are not known."""
    found: set[str] = set()
    for site in declared:
        column = columns[site].get(target)
        if column is None or column.kind != "category":
            return None
        found.update(column.values)
    return _sorted(found) if len(found) >= _FEWEST_CLASSES else None


def _input(
    name: str, declared: Mapping[str, DatasetDeclaration], columns: Columns
) -> dict[str, Any] | LeftOut:
    """Return how all sites read a column, or why they cannot."""
    without = [site for site in declared if name not in columns[site]]
    if without:
        return LeftOut(name, f"{_listed(without)} does not have it.")
    found = [(declared[site].num_train, columns[site][name]) for site in declared]
    kinds = {column.kind for _, column in found}
    if len(kinds) > 1:
        return LeftOut(name, f"The sites disagree what it is: {_listed(sorted(kinds))}.")
    if kinds == {"text"}:
        return LeftOut(name, "It is text.")
    has_missing = any(column.has_missing for _, column in found)
    if kinds == {"category"}:
        return _category(name, [column for _, column in found], has_missing=has_missing)
    scale = _pooled(found)
    if scale is None:
        return LeftOut(name, "No site shares its scale.")
    return {"column": name, "mean": scale[0], "std": scale[1], "has_missing": has_missing}


def _category(name: str, found: Sequence[Column], *, has_missing: bool) -> dict[str, Any] | LeftOut:
    values = _sorted({value for column in found for value in column.values})
    if not values:
        return LeftOut(name, "No site shares its categories.")
    if len(values) > MOST_CATEGORIES:
        return LeftOut(name, f"It has more than {MOST_CATEGORIES} categories.")
    return {"column": name, "values": list(values), "has_missing": has_missing}


def _pooled(found: Sequence[tuple[int, Column]]) -> tuple[float, float] | None:
    """Return mean and standard deviation of all rows of the sites that share theirs.

    The variance of all is the mean of the squares less the square of the mean; rows whose value is
    missing are counted as if it were there, since their number is not declared.
    """
    known = [
        (count, column.mean, column.std)
        for count, column in found
        if count > 0 and column.mean is not None and column.std is not None
    ]
    total = sum(count for count, _, _ in known)
    if total == 0:
        return None
    mean = sum(count * mean for count, mean, _ in known) / total
    variance = sum(count * (std**2 + (own - mean) ** 2) for count, own, std in known) / total
    std = math.sqrt(variance)
    return mean, std if std > 0 else 1.0


def _sorted(values: set[str]) -> tuple[str, ...]:
    """Return values in their own order: numbers by size."""
    try:
        return tuple(sorted(values, key=float))
    except ValueError:
        return tuple(sorted(values))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
