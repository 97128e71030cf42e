"""Made-up data sets, and their partitions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from fedcore.data.dataset import Dataset, Examples
from fedcore.errors import PartitionError
from fedcore.partition import Partition, divide
from fedcore.partition.base import class_counts
from fedcore.spec.data import PartitionSpec

CLASSES = 10


def spec_of(**settings: Any) -> PartitionSpec:
    return PartitionSpec.kinds()[settings["kind"]].model_validate(settings)


def partition(dataset: Dataset, seed: int = 0, **settings: Any) -> Partition:
    return divide(spec_of(**settings), dataset, seed)


def blobs(num_train: int = 2000, num_test: int = 500, spread: float = 0.3) -> Dataset:
    """Return ten classes of vectors around centres of their own."""
    generator = torch.Generator().manual_seed(1)
    centres = torch.randn(CLASSES, 8, generator=generator) * 2

    def examples(count: int) -> Examples:
        y = torch.arange(count) % CLASSES
        return Examples(centres[y] + spread * torch.randn(count, 8, generator=generator), y)

    return Dataset(train=examples(num_train), test=examples(num_test), num_classes=CLASSES)


def counts_of(dataset: Dataset, parts: Partition) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray(class_counts(parts.train, dataset.train.y, dataset.num_classes).numpy())


def sizes_of(parts: Partition) -> list[int]:
    return [parts.train.size(client) for client in range(parts.num_clients)]


def problem(make: Callable[[], object]) -> PartitionError:
    with pytest.raises(PartitionError) as caught:
        make()
    assert caught.value.field
    assert caught.value.fix
    return caught.value
