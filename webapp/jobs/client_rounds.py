"""What each client did in each round, as a table that can be drawn as a heat map."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from webapp.jobs.models import RoundRecord, Run

#: A screen has no room for more rows or columns than this.
MAX_ROUNDS = 240
MAX_CLIENTS = 400


class ClientMetric(StrEnum):
    LOSS = "loss"
    ACCURACY = "accuracy"
    TEST_LOSS = "test_loss"
    PERSONAL_ACCURACY = "personal_accuracy"
    DURATION = "duration"
    PARTICIPATION = "participation"
    REFUSED = "refused"


OF_TESTS = {ClientMetric.ACCURACY, ClientMetric.TEST_LOSS, ClientMetric.PERSONAL_ACCURACY}


class ClientRounds(BaseModel):
    """One number per client and round; pairs that have none are left out."""

    metric: ClientMetric
    rounds: list[int] = Field(description="The first round of each column.")
    rounds_per_column: int = Field(description="Where it is more than 1, numbers are means.")
    clients: list[int | str]
    total_clients: int
    cells: list[tuple[int, int, float]] = Field(
        description="Position in rounds, position in clients, number."
    )


def client_rounds(run: Run, metric: ClientMetric) -> ClientRounds:
    """Return the table of one metric; the caller has checked that the user may see the run."""
    per_column = max(1, -(-run.rounds_done // MAX_ROUNDS))
    sums: dict[tuple[int, str], tuple[float, int]] = {}
    ids: dict[str, int | str] = {}
    rows = RoundRecord.objects.filter(run=run).order_by("round_index")
    for round_index, clients, scores in rows.values_list("round_index", "clients", "scores"):
        source = scores if metric in OF_TESTS else clients
        for entry in source:
            key = str(entry["client_id"])
            ids.setdefault(key, entry["client_id"])
            value = _value(entry, metric)
            if value is not None:
                total, count = sums.get((round_index // per_column, key), (0.0, 0))
                sums[round_index // per_column, key] = (total + value, count + 1)
    shown = sorted(ids, key=_natural)[:MAX_CLIENTS]
    places = {key: place for place, key in enumerate(shown)}
    return ClientRounds(
        metric=metric,
        rounds=list(range(0, run.rounds_done, per_column)),
        rounds_per_column=per_column,
        clients=[ids[key] for key in shown],
        total_clients=len(ids),
        cells=[
            (column, places[key], total / count)
            for (column, key), (total, count) in sorted(sums.items())
            if key in places
        ],
    )


def _value(entry: dict[str, Any], metric: ClientMetric) -> float | None:
    match metric:
        case ClientMetric.PARTICIPATION:
            return 1.0
        case ClientMetric.REFUSED:
            return float(entry["status"] != "ok")
        case ClientMetric.DURATION:
            value: float | None = entry["duration_s"]
        case ClientMetric.ACCURACY:
            value = entry["accuracy"]
        case ClientMetric.PERSONAL_ACCURACY:
            value = entry.get("personal_accuracy")  # rounds of older versions have none
        case _:
            value = entry["loss"]
    return value


def _natural(key: str) -> tuple[bool, int, str]:
    """Order numbers by value, before names."""
    return (not key.isdigit(), int(key) if key.isdigit() else 0, key)
