"""The class of each example, for partitions that divide by it, whatever the task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fedcore.data.dataset import Dataset
from fedcore.errors import PartitionError
from fedcore.partition.base import Indices
from fedcore.spec.tasks import TaskName

#: Into how many equally large groups the numbers of a regression are sorted.
NUM_QUANTILES = 10


@dataclass(frozen=True, eq=False)
class Strata:
    """The class of every example.

    Attributes:
        train: Of the training examples.
        test: Of the test examples.
        count: Number of classes.
        names: What to call them.
    """

    train: Indices
    test: Indices
    count: int
    names: tuple[str, ...]


def strata_of(dataset: Dataset) -> Strata:
    """Return the class of every example.

    Labels are classes. The first target of a regression is sorted into tenths of the training
    split. Of several labels, the one that is rarest in the training split counts, and examples
    without any are a class of their own.

    Raises:
        PartitionError: If the task is to predict the next token, where examples have no class.
    """
    train, test = (part.y.cpu().numpy() for part in (dataset.train, dataset.test))
    if dataset.task_name is TaskName.CLASSIFICATION:
        names = dataset.class_names or tuple(str(label) for label in range(dataset.num_classes))
        return Strata(train, test, dataset.num_classes, names)
    if dataset.task_name is TaskName.REGRESSION:
        inner = np.arange(1, NUM_QUANTILES) / NUM_QUANTILES
        edges = np.quantile(train[:, 0], inner)
        found = [np.searchsorted(edges, part[:, 0], side="right") for part in (train, test)]
        names = tuple(f"tenth {number}" for number in range(1, NUM_QUANTILES + 1))
        return Strata(found[0], found[1], NUM_QUANTILES, names)
    if dataset.task_name is TaskName.MULTI_LABEL:
        rarest_first = np.argsort(train.sum(0), kind="stable")
        ranked = [part[:, rarest_first] > 0 for part in (train, test)]
        none = dataset.num_classes
        found = [
            np.where(part.any(1), rarest_first[part.argmax(1)], none).astype(np.int64)
            for part in ranked
        ]
        return Strata(found[0], found[1], none + 1, (*dataset.class_names, "none"))
    raise PartitionError(
        "text to continue has no labels that it could be divided by",
        field="partition.kind",
        fix="Use partition iid, quantity, embedding or natural.",
    )


def match_test_split(
    train: list[Indices], strata: Strata, random: np.random.Generator
) -> list[Indices]:
    """Return test indices for clients whose training examples are given.

    Each class of the test split is cut in the proportions in which the clients hold the class, so
    that a client is tested on its own mix. A class that nobody trains on is cut evenly.
    """
    order = random.permutation(len(strata.test))
    held = np.stack([np.bincount(strata.train[part], minlength=strata.count) for part in train])
    pieces: list[list[Indices]] = [[] for _ in train]
    for label in range(strata.count):
        members = order[strata.test[order] == label]
        weights = held[:, label] if held[:, label].any() else np.ones(len(train))
        # The order of the clients decides who gets what rounding leaves over; mix it.
        turn = random.permutation(len(train))
        ends = np.floor(np.cumsum(weights[turn]) / weights.sum() * len(members) + 0.5)
        for client, piece in zip(turn, np.split(members, ends[:-1].astype(np.int64)), strict=True):
            pieces[client].append(piece)
    return [np.concatenate(parts) for parts in pieces]
