"""What each client of a run has done so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from webapp.jobs.models import ClientTable, RoundRecord, Run


class ClientRow(BaseModel):
    """One client: its data, and its part in the rounds so far."""

    client_id: int | str
    num_samples: int
    class_counts: list[int] | None = None
    rounds: int = 0
    last_round: int | None = None
    last_loss: float | None = None
    mean_duration_s: float | None = None
    bytes_up: int = 0
    bytes_down: int = 0
    refused: int = 0
    failed: int = 0
    last_reason: str | None = None
    test_samples: int | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    personal_accuracy: float | None = None


@dataclass
class _Tally:
    row: ClientRow
    duration_s: float = 0

    def add(self, round_index: int, report: dict[str, Any]) -> None:
        row = self.row
        row.rounds += 1
        row.last_round = round_index
        row.last_loss = report["loss"]
        row.bytes_up += report["bytes_up"]
        row.bytes_down += report["bytes_down"]
        row.refused += report["status"] == "refused"
        row.failed += report["status"] == "failed"
        row.last_reason = report["reason"] or row.last_reason
        self.duration_s += report["duration_s"]
        row.mean_duration_s = self.duration_s / row.rounds

    def score(self, score: dict[str, Any]) -> None:
        self.row.test_samples = score["num_samples"]
        self.row.test_accuracy = score.get("accuracy")  # tasks without classes have none
        self.row.test_loss = score["loss"]
        self.row.personal_accuracy = score.get("personal_accuracy")


def client_rows(run: Run) -> list[ClientRow]:
    """Return all clients; the caller has checked that the user may see the run."""
    table = ClientTable.objects.filter(run=run).first()
    tallies = {str(row.client_id): _Tally(row) for row in _known(table)}
    reports = RoundRecord.objects.filter(run=run).order_by("round_index")
    columns = reports.values_list("round_index", "clients", "scores")
    for round_index, clients, scores in columns.iterator():
        for report in clients:
            key = str(report["client_id"])
            if key not in tallies:
                row = ClientRow(client_id=report["client_id"], num_samples=report["num_samples"])
                tallies[key] = _Tally(row)
            tallies[key].add(round_index, report)
        for score in scores:
            if (key := str(score["client_id"])) in tallies:
                tallies[key].score(score)
    return [tally.row for tally in tallies.values()]


def client_links(run: Run) -> list[list[int | str]]:
    """Return the pairs of clients that talked to each other in the latest round."""
    return ClientTable.objects.filter(run=run).values_list("links", flat=True).first() or []


def _known(table: ClientTable | None) -> Iterable[ClientRow]:
    return [ClientRow.model_validate(client) for client in table.clients] if table else []
