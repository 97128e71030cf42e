"""Several runs side by side: their curves on every axis, and where their specs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from pydantic import BaseModel
from pydantic.types import JsonValue

from webapp.jobs.down_sampling import chosen_points
from webapp.jobs.models import RoundRecord, Run


class Curve(BaseModel):
    """The rounds of a run in columns; costs are what had been spent when a round ended."""

    round: list[int]
    bytes: list[int]
    seconds: list[float]
    sim_seconds: list[float]
    metrics: dict[str, list[float | None]]
    total: int


class Difference(BaseModel):
    """A place at which not all specs say the same; one value per run, null where there is none."""

    path: str
    values: list[JsonValue]


def curve_of(run: Run, max_points: int) -> Curve:
    """Return a run's curve, thinned out where it has more rounds than were asked for."""
    rows = list(
        RoundRecord.objects.filter(run=run)
        .order_by("round_index")
        .values_list("round_index", "metrics", "bytes_up", "bytes_down", "seconds", "sim_seconds")
    )
    kept = chosen_points([row[1] for row in rows], max_points)
    spent = list(accumulate(row[2] + row[3] for row in rows))
    seconds = list(accumulate(row[4] for row in rows))
    simulated = list(accumulate(row[5] for row in rows))
    names = sorted({name for row in rows for name in row[1]})
    return Curve(
        round=[rows[index][0] for index in kept],
        bytes=[spent[index] for index in kept],
        seconds=[seconds[index] for index in kept],
        sim_seconds=[simulated[index] for index in kept],
        metrics={name: [rows[index][1].get(name) for index in kept] for name in names},
        total=len(rows),
    )


def differences(specs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Return every path at which the specs are not all equal, in the order of the specs."""
    leaves = [dict(_leaves(spec, "")) for spec in specs]
    paths = dict.fromkeys(path for spec in leaves for path in spec)
    found = []
    for path in paths:
        values = [spec.get(path) for spec in leaves]
        if any(value != values[0] for value in values):
            found.append(Difference(path=path, values=values))
    return found


def _leaves(value: Mapping[str, Any], parent: str) -> list[tuple[str, Any]]:
    """Return the values of a document that are no mappings, by their dotted paths."""
    leaves: list[tuple[str, Any]] = []
    for name, child in value.items():
        path = f"{parent}.{name}" if parent else name
        if isinstance(child, Mapping):
            leaves += _leaves(child, path)
        else:
            leaves.append((path, child))
    return leaves
