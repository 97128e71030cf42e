"""How a data set in the spec becomes tensors: a source per kind, and the cache around them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fedcore.data.cache import Prepared, load_or_build
from fedcore.data.dataset import Dataset, Examples, Scaling
from fedcore.environment import Folders
from fedcore.registry import Registry
from fedcore.spec.data import DatasetSpec

#: Raise it when a source makes other tensors of the same raw data.
PREPARATION_VERSION = 1
_ROWS_AT_A_TIME = 5000


@dataclass(frozen=True)
class Request:
    """What a source may depend on besides its own settings.

    Attributes:
        seed: Seed of the run, for data that are generated.
        clients: Number of clients, for data that are born with their clients.
        folders: Where files are.
    """

    seed: int
    clients: int
    folders: Folders


class Source(Protocol):
    """Makes one kind of data set."""

    def key(self) -> str:
        """Return text that differs whenever the tensors would.

        Raises:
            DatasetError: If the raw data cannot be found.
        """

    def build(self) -> Prepared:
        """Return the tensors and the facts that ``load_dataset`` reads.

        Raises:
            DatasetError: If the raw data cannot be read.
        """


class SourceFactory(Protocol):
    """Makes the source for one data set of a spec."""

    def __call__(self, spec: DatasetSpec, request: Request) -> Source:
        """Return the source; nothing is read yet."""


DATASETS: Registry[SourceFactory] = Registry(DatasetSpec)


def load_dataset(spec: DatasetSpec, request: Request) -> Dataset:
    """Return a data set as tensors, from the cache if it was prepared before.

    Raises:
        DatasetError: If it cannot be found, read or understood.
    """
    source = DATASETS.of(spec)(spec, request)
    key = f"{spec.kind}|{PREPARATION_VERSION}|{source.key()}"
    cached = load_or_build(request.folders.cache / "datasets", spec.kind, key, source.build)
    tensors, facts = cached.tensors, cached.facts
    return Dataset(
        name=spec.kind,
        train=Examples(tensors["train_x"], tensors["train_y"]),
        test=Examples(tensors["test_x"], tensors["test_y"]),
        num_classes=int(facts["num_classes"]),
        scaling=Scaling(facts["divisor"], facts["mean"], facts["std"]),
        fingerprint=cached.checksum,
    )


def prepare_images(
    train: Examples, test: Examples, *, num_classes: int, divisor: float
) -> Prepared:
    """Return images, raw as (n, channels, height, width), scaled to mean 0 and deviation 1.

    Mean and deviation are one number each, taken over all pixels of the training images.
    """
    mean, std = _moments(train.x)
    scaling = Scaling(divisor, round(mean / divisor, 4), round(std / divisor, 4))
    return Prepared(
        {
            "train_x": scaling.apply(train.x),
            "train_y": train.y,
            "test_x": scaling.apply(test.x),
            "test_y": test.y,
        },
        {
            "num_classes": num_classes,
            "divisor": scaling.divisor,
            "mean": scaling.mean,
            "std": scaling.std,
        },
    )


def _moments(values: Tensor) -> tuple[float, float]:
    """Return mean and standard deviation of all elements, a few thousand rows at a time."""
    parts = values.split(_ROWS_AT_A_TIME)
    count = values.numel()
    mean = sum(float(part.sum(dtype=torch.float64)) for part in parts) / count
    variance = sum(float((part.to(torch.float64) - mean).square().sum()) for part in parts) / count
    return mean, math.sqrt(variance)
