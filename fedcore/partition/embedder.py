"""Groups of inputs that look alike to a network that was trained on all the data.

The network is small and the same for every run on a data set, whatever model the run trains, so
that runs with different models can be compared on one partition.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.data.cache import Prepared, load_or_build
from fedcore.data.dataset import Dataset
from fedcore.rng import Purpose, numpy_rng, rng
from fedcore.spec.tasks import InputKind, TaskName
from fedcore.tasks.base import IGNORED

#: Raise it when the same data would be sorted into other clusters.
VERSION = 1
WIDTH = 64
BATCH_SIZE = 128
EPOCHS = 3
MAX_STEPS = 2000
LEARNING_RATE = 1e-3


@dataclass(frozen=True, eq=False)
class Clusters:
    """The cluster of every example, shape (n,), int64, and how many clusters there are."""

    train: Tensor
    test: Tensor
    count: int


def find_clusters(dataset: Dataset, count: int, seed: int, cache: Path | None) -> Clusters:
    """Return ``count`` clusters of inputs, or fewer if there are fewer examples.

    Args:
        dataset: What to sort.
        count: How many clusters.
        seed: Seed of the run.
        cache: Folder to keep the result in, because the next process needs the very same one;
            None to find it out again.
    """
    count = min(count, len(dataset.train))

    def build() -> Prepared:
        train, test = embed(dataset, seed)
        of_train, of_test = cluster(train, test, count, seed)
        return Prepared({"train": of_train, "test": of_test}, {})

    if cache is None:
        tensors = build().tensors
    else:
        key = f"{VERSION}|{dataset.fingerprint}|{count}|{seed}"
        tensors = load_or_build(cache / "clusters", dataset.name, key, build).tensors
    return Clusters(tensors["train"], tensors["test"], count)


def embed(dataset: Dataset, seed: int) -> tuple[Tensor, Tensor]:
    """Return what the last hidden layer makes of both splits, shape (n, WIDTH), float32.

    The network learns the task of the data set; where that is the next token, it learns which
    tokens a text will have.
    """
    generator = rng(seed, Purpose.EMBEDDING)
    network = _Network.of(dataset, generator)
    optimizer = torch.optim.Adam(network.weights, lr=LEARNING_RATE)
    for rows in _batches(len(dataset.train), generator):
        optimizer.zero_grad()
        _, outputs = network.apply(dataset.train.x[rows])
        _loss(dataset, outputs, dataset.train.y[rows]).backward()
        optimizer.step()
    with torch.no_grad():
        train, test = (
            torch.cat([network.apply(x)[0] for x in split.x.split(BATCH_SIZE)])
            for split in (dataset.train, dataset.test)
        )
    return train, test


def cluster(train: Tensor, test: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return the cluster of each training example by k-means++, and the nearest for the others."""
    from sklearn.cluster import KMeans  # noqa: PLC0415  (over a second, seldom needed)
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415

    state = int(numpy_rng(seed, Purpose.EMBEDDING).integers(2**31))
    means = KMeans(count, init="k-means++", n_init=1, random_state=state)
    # One thread, because the order of sums decides which cluster a borderline example falls into.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer distinct inputs than clusters leave some empty
        of_train = means.fit_predict(train.double().numpy())
        of_test = means.predict(test.double().numpy())
    return torch.from_numpy(of_train).long(), torch.from_numpy(of_test).long()


@dataclass(frozen=True, eq=False)
class _Network:
    """Two hidden layers, the first of which is a mean of embeddings where inputs are tokens."""

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    last: Tensor
    last_bias: Tensor
    reads_tokens: bool

    @classmethod
    def of(cls, dataset: Dataset, generator: torch.Generator) -> _Network:
        reads_tokens = dataset.input_kind in (InputKind.TEXT, InputKind.TOKENS)
        inputs = dataset.num_tokens if reads_tokens else math.prod(dataset.input_shape)

        def layer(outputs: int, fan_in: int) -> tuple[Tensor, Tensor]:
            bound = 1 / math.sqrt(fan_in)
            weight = torch.empty(outputs, fan_in).uniform_(-bound, bound, generator=generator)
            return weight.requires_grad_(), torch.zeros(outputs, requires_grad=True)

        return cls(
            *layer(2 * WIDTH, inputs),
            *layer(WIDTH, 2 * WIDTH),
            *layer(dataset.num_classes, WIDTH),
            reads_tokens,
        )

    @property
    def weights(self) -> list[Tensor]:
        return [
            self.first,
            self.first_bias,
            self.second,
            self.second_bias,
            self.last,
            self.last_bias,
        ]

    def apply(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last hidden layer and the outputs."""
        if self.reads_tokens:
            known = (x >= 0).unsqueeze(-1)
            words = functional.embedding(x.clamp(min=0), self.first.T) * known
            hidden = words.sum(1) / known.sum(1).clamp(min=1) + self.first_bias
        else:
            hidden = functional.linear(x.flatten(1), self.first, self.first_bias)
        hidden = functional.linear(functional.relu(hidden), self.second, self.second_bias)
        hidden = functional.relu(hidden)
        return hidden, functional.linear(hidden, self.last, self.last_bias)


def _batches(count: int, generator: torch.Generator) -> Iterator[Tensor]:
    steps = 0
    for _ in range(EPOCHS):
        for rows in torch.randperm(count, generator=generator).split(BATCH_SIZE):
            if steps == MAX_STEPS:
                return
            steps += 1
            yield rows


def _loss(dataset: Dataset, outputs: Tensor, targets: Tensor) -> Tensor:
    if dataset.task_name is not TaskName.NEXT_TOKEN:
        return dataset.task.loss(outputs, targets)
    known = targets != IGNORED
    shares = outputs.new_zeros(outputs.shape)
    shares.scatter_add_(1, targets.clamp(min=0), known.to(shares.dtype))
    shares = shares / known.sum(1, keepdim=True).clamp(min=1)
    return functional.cross_entropy(outputs, shares)
