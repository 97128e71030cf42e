"""How a data set in the spec becomes tensors: a source per kind, and the cache around them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from fedcore.data.cache import load_or_build, path_of
from fedcore.data.dataset import Dataset
from fedcore.data.groups import Groups
from fedcore.data.packing import pack, unpack
from fedcore.data.tokenizers import Tokenizer
from fedcore.environment import Folders
from fedcore.registry import Registry
from fedcore.rng import Purpose, numpy_rng
from fedcore.spec.data import DatasetSpec
from fedcore.spec.data.base import held_out

#: Raise it when a source makes other tensors of the same raw data.
PREPARATION_VERSION = 2


class TokenizerSource(Protocol):
    """The tokenizer that a model brings, loaded only when text has to be read."""

    def key(self) -> str:
        """Return text that differs whenever the tokens would."""

    def load(self) -> Tokenizer:
        """Return the tokenizer.

        Raises:
            ModelError: If it cannot be read.
        """


@dataclass(frozen=True)
class Request:
    """What a source may depend on besides its own settings.

    Attributes:
        seed: Seed of the run, for data that are generated.
        clients: Number of clients, for data that are born with their clients.
        folders: Where files are.
        tokenizer: That of the model, if it brings one.
    """

    seed: int
    clients: int
    folders: Folders
    tokenizer: TokenizerSource | None = None

    @property
    def tokenizer_key(self) -> str:
        """Text that differs whenever text would be read differently."""
        return "built-in" if self.tokenizer is None else self.tokenizer.key()

    def load_tokenizer(self) -> Tokenizer | None:
        """Return the model's tokenizer, or None for a built-in one."""
        return None if self.tokenizer is None else self.tokenizer.load()


class Source(Protocol):
    """Makes one kind of data set."""

    def key(self) -> str:
        """Return text that differs whenever the tensors would.

        Raises:
            DatasetError: If the raw data cannot be found.
        """

    def build(self) -> Dataset:
        """Return the whole data set.

        Raises:
            DatasetError: If the raw data cannot be read.
        """


class SourceFactory(Protocol):
    """Makes the source for one data set of a spec."""

    def __call__(self, spec: DatasetSpec, request: Request) -> Source:
        """Return the source; nothing is read yet."""


DATASETS: Registry[SourceFactory] = Registry(DatasetSpec)


def settings_key(spec: DatasetSpec) -> str:
    """Return the settings of a data set that its tensors depend on, as text.

    How many of the examples a run uses is not among them: those are chosen afterwards.
    """
    return spec.model_dump_json(exclude={"max_train", "max_test", "validation"})


def load_dataset(spec: DatasetSpec, request: Request) -> Dataset:
    """Return a data set as tensors, from the cache if it was prepared before.

    Raises:
        DatasetError: If it cannot be found, read or understood.
    """
    source = DATASETS.of(spec)(spec, request)
    cached = load_or_build(*_place(spec, request, source), lambda: pack(source.build()))
    dataset = replace(unpack(cached), name=spec.kind, fingerprint=cached.checksum)
    return _limited(dataset, spec, request.seed)


def is_prepared(spec: DatasetSpec, request: Request) -> bool:
    """Return whether a data set is in the cache, so that loading it takes no time.

    Raises:
        DatasetError: If the raw data cannot be found.
    """
    return path_of(*_place(spec, request, DATASETS.of(spec)(spec, request))).exists()


def _place(spec: DatasetSpec, request: Request, source: Source) -> tuple[Path, str, str]:
    """Return folder, name and key of a data set in the cache."""
    key = f"{spec.kind}|{PREPARATION_VERSION}|{source.key()}"
    return request.folders.cache / "datasets", spec.kind, key


def _limited(dataset: Dataset, spec: DatasetSpec, seed: int) -> Dataset:
    """Return the examples that a run uses, the same ones for the same seed."""
    if (spec.max_train, spec.max_test, spec.validation) == (None, None, None):
        return dataset
    random = numpy_rng(seed, Purpose.SUBSET)
    train = _some(random, len(dataset.train), spec.max_train)
    fingerprint = f"{dataset.fingerprint}|{seed}|{spec.max_train}|{spec.max_test}"
    if spec.validation is None:
        test = _some(random, len(dataset.test), spec.max_test)
        return replace(dataset.take(train, test), fingerprint=fingerprint)
    count = held_out(len(train), spec.validation)
    order = torch.from_numpy(random.permutation(len(train)))
    kept, chosen = train[order[count:]].sort().values, train[order[:count]].sort().values
    limited = _tested_on_training(dataset).take(kept, chosen[: spec.max_test])
    return replace(limited, fingerprint=f"{fingerprint}|{spec.validation}")


def _tested_on_training(dataset: Dataset) -> Dataset:
    """Return the data set with its training examples in the place of its test examples."""
    groups = {
        name: Groups(each.names, each.train, each.train) for name, each in dataset.groups.items()
    }
    return replace(dataset, test=dataset.train, groups=groups)


def _some(random: np.random.Generator, count: int, most: int | None) -> torch.Tensor:
    order = random.permutation(count)
    chosen = order if most is None else order[:most]
    return torch.from_numpy(np.sort(chosen))
