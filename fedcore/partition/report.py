"""What a partition looks like: classes by client, sizes, and how unlike the clients are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from fedcore.data.dataset import Dataset
from fedcore.partition.base import Floats, Partition, Shares
from fedcore.partition.strata import strata_of
from fedcore.spec.tasks import TaskName
from fedcore.tasks.base import IGNORED

#: More classes than this are shown as the most frequent ones and a rest.
MAX_CLASSES = 100
REST = "other"


@dataclass(frozen=True)
class ClientRow:
    """One client's examples.

    Attributes:
        client_id: Which client.
        name: What to call it, if it has a name.
        num_train: Training examples.
        num_test: Test examples.
        class_counts: Training examples, or tokens to predict, of each class.
    """

    client_id: int
    name: str | None
    num_train: int
    num_test: int
    class_counts: tuple[int, ...]


@dataclass(frozen=True)
class PartitionReport:
    """All clients, by id.

    Attributes:
        num_classes: Number of columns of counts.
        class_names: What to call them.
        clients: One row each.
        unused_train: Training examples that nobody holds.
        total_variation: Mean over clients of the total variation distance between the client's
            classes and those of all clients together: 0 if all are alike, near 1 if each has a
            class of its own.
        jensen_shannon: Divergence between the clients' classes in bits, clients weighted by what
            they hold: 0 if all are alike.
        size_gini: Inequality of sizes: 0 if all are equal, near 1 if one client has everything.
    """

    num_classes: int
    class_names: tuple[str, ...]
    clients: tuple[ClientRow, ...]
    unused_train: int
    total_variation: float
    jensen_shannon: float
    size_gini: float

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return asdict(self)


def report(dataset: Dataset, partition: Partition) -> PartitionReport:
    """Return what each client holds, and how unlike they are."""
    counts, names = _count(dataset, partition.train)
    sizes = np.array([partition.train.size(client) for client in range(partition.num_clients)])
    rows = tuple(
        ClientRow(
            client_id=client,
            name=partition.names[client] if partition.names else None,
            num_train=int(sizes[client]),
            num_test=partition.test.size(client),
            class_counts=tuple(int(count) for count in counts[client]),
        )
        for client in range(partition.num_clients)
    )
    return PartitionReport(
        num_classes=len(names),
        class_names=names,
        clients=rows,
        unused_train=len(dataset.train) - int(sizes.sum()),
        total_variation=total_variation(counts),
        jensen_shannon=jensen_shannon(counts),
        size_gini=gini(sizes.astype(np.float64)),
    )


def total_variation(counts: Floats) -> float:
    """Return the mean distance of the rows' shares from those of their sum; empty rows aside."""
    held = counts[counts.sum(1) > 0]
    if len(held) == 0:
        return 0.0
    shares = held / held.sum(1, keepdims=True)
    overall = held.sum(0) / held.sum()
    return float(np.abs(shares - overall).sum(1).mean() / 2)


def jensen_shannon(counts: Floats) -> float:
    """Return the entropy of all rows together less the mean entropy of each, in bits."""
    held = counts[counts.sum(1) > 0]
    if len(held) == 0:
        return 0.0
    weights = held.sum(1) / held.sum()
    inside = sum(weight * _entropy(row) for weight, row in zip(weights, held, strict=True))
    return max(0.0, float(_entropy(held.sum(0)) - inside))


def gini(sizes: Floats) -> float:
    """Return the Gini coefficient of some sizes."""
    ranked = np.sort(sizes)
    total = ranked.sum()
    if total <= 0:
        return 0.0
    places = np.arange(1, len(ranked) + 1)
    return float((2 * places - len(ranked) - 1) @ ranked / (len(ranked) * total))


def _entropy(counts: Floats) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def _count(dataset: Dataset, shares: Shares) -> tuple[Floats, tuple[str, ...]]:
    """Return how much of each class each client holds, and the names of the classes."""
    if dataset.task_name is TaskName.NEXT_TOKEN:
        names = tuple(str(token) for token in range(dataset.num_classes))
        return _most_frequent(_count_tokens(dataset, shares), names)
    strata = strata_of(dataset)
    owners, indices = shares.owners(), shares.indices.cpu()
    cells = owners * strata.count + torch.from_numpy(strata.train)[indices]
    counted = torch.bincount(cells, minlength=len(shares) * strata.count)
    counts = counted.view(-1, strata.count).to(torch.float64).numpy()
    return _most_frequent(counts, strata.names)


def _count_tokens(dataset: Dataset, shares: Shares) -> Floats:
    counts = np.zeros((len(shares), dataset.num_classes))
    for client in range(len(shares)):
        tokens = dataset.train.y[shares.of_client(client)].cpu().flatten()
        known = tokens[tokens != IGNORED]
        counts[client] = torch.bincount(known, minlength=dataset.num_classes).numpy()
    return counts


def _most_frequent(counts: Floats, names: tuple[str, ...]) -> tuple[Floats, tuple[str, ...]]:
    """Return the most frequent classes in their own order, and all others together."""
    if len(names) <= MAX_CLASSES:
        return counts, names
    ranked = np.argsort(-counts.sum(0), kind="stable")
    shown, rest = np.sort(ranked[:MAX_CLASSES]), ranked[MAX_CLASSES:]
    merged = np.concatenate([counts[:, shown], counts[:, rest].sum(1, keepdims=True)], axis=1)
    return merged, (*(names[place] for place in shown), REST)
