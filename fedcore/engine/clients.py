"""What each client holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fedcore.engine.context import RunContext
from fedcore.partition.base import class_counts


@dataclass(frozen=True)
class ClientRow:
    """One client's examples.

    Attributes:
        client_id: Which client.
        num_train: Training examples.
        num_test: Test examples.
        class_counts: Training examples of each class.
    """

    client_id: int
    num_train: int
    num_test: int
    class_counts: tuple[int, ...]


@dataclass(frozen=True)
class ClientTable:
    """All clients, by id."""

    num_classes: int
    clients: tuple[ClientRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the table as plain JSON values."""
        return asdict(self)


def client_table(context: RunContext) -> ClientTable:
    """Return how many examples of each class each client holds."""
    dataset, partition = context.dataset, context.partition
    counts = class_counts(partition.train, dataset.train.y, dataset.num_classes).tolist()
    rows = tuple(
        ClientRow(client, partition.train.size(client), partition.test.size(client), tuple(row))
        for client, row in enumerate(counts)
    )
    return ClientTable(dataset.num_classes, rows)
