"""Published data sets that need no more than the meaning of their columns."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from fedcore.data.columns import Choice, Tables, build_dataset
from fedcore.data.dataset import Dataset
from fedcore.data.hub import HubFiles, Splits
from fedcore.data.source import DATASETS, Request, settings_key
from fedcore.data.splits import hold_out
from fedcore.errors import DatasetError, FedcoreError
from fedcore.spec.data import (
    AdultSpec,
    Banking77Spec,
    Cifar10Spec,
    DatasetSpec,
    FashionMnistSpec,
    MnistSpec,
)
from fedcore.spec.tasks import InputKind, TaskName

_TEST_FRACTION = 0.2


@dataclass(frozen=True)
class Published(ABC):
    """A data set of the hub with known columns.

    Attributes:
        folder_name: Folder of a local copy, inside the data folder.
        hub_id: Data set on the Hugging Face hub, if it is there.
        renamed: Columns that the hub calls otherwise, hub name to ours.
    """

    spec: DatasetSpec
    request: Request
    folder_name: ClassVar[str]
    hub_id: ClassVar[str | None] = None
    renamed: ClassVar[Mapping[str, str]] = {}

    def key(self) -> str:
        """Return the identity of the files, of the settings and of the tokenizer."""
        with self.explained():
            files = self.files.key()
        return f"{files}|{settings_key(self.spec)}|{self.request.tokenizer_key}"

    def build(self) -> Dataset:
        """Return the data set, read from a local copy or the hub."""
        with self.explained(), self.files.opened() as splits:
            return self.assemble(splits)

    @abstractmethod
    def assemble(self, splits: Splits) -> Dataset:
        """Return the data set that the rows make."""

    @property
    def files(self) -> HubFiles:
        """Where the rows are."""
        data = self.request.folders.data
        return HubFiles(self.hub_id, None if data is None else data / self.folder_name)

    def rows(self, splits: Splits, name: str) -> pa.Table:
        """Return a split with our names for its columns.

        Raises:
            KeyError: If there is no such split.
        """
        if name not in splits.tables:
            raise KeyError(f"there is no {name} split")
        table = splits.tables[name]
        names = [self.renamed.get(column, column) for column in table.column_names]
        return table.rename_columns(names)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn whatever goes wrong while reading into one error that says what to do."""
        try:
            yield
        except DatasetError as error:
            raise self._unreadable(error.message) from error
        except FedcoreError:
            raise
        except (OSError, ValueError, LookupError, pa.ArrowException, *_hub_errors()) as error:
            raise self._unreadable(f"{type(error).__name__}: {error}") from error

    def _unreadable(self, reason: str) -> DatasetError:
        files, data = self.files, self.request.folders.data
        place = f"in {files.folder}" if files.is_local else f"on the hub ({files.hub_id})"
        if files.hub_id is None and not files.is_local:
            place = "in the data folder"
        where = f"{data or '<folder>'}/{self.folder_name}"
        connect = ", or connect to the internet once" if files.hub_id else ""
        return DatasetError(
            f"cannot read {self.spec.kind} {place}: {reason}",
            field="dataset.kind",
            fix=f"Put its Parquet files into {where} and let ROUNDHOUSE_DATA_DIR name the folder "
            f"above it{connect}.",
        )


def _hub_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the library that reads the hub, if it was loaded: two seconds."""
    library = sys.modules.get("datasets")
    return () if library is None else (library.exceptions.DatasetsError,)


@dataclass(frozen=True)
class PublishedTable(Published):
    """A data set whose columns are used as they are.

    Attributes:
        choice: Which columns mean what.
        class_names: Classes in the order of their numbers, where files may not name them.
        may_lack_test_split: Whether a copy without one is complete, so that a part is held out.
    """

    choice: ClassVar[Choice]
    class_names: ClassVar[tuple[str, ...]] = ()
    may_lack_test_split: ClassVar[bool] = False

    def assemble(self, splits: Splits) -> Dataset:
        """Return the data set of the chosen columns."""
        train = self.rows(splits, "train")
        if "test" in splits.tables or not self.may_lack_test_split:
            test = self.rows(splits, "test")
        else:
            kept, held = hold_out(train.num_rows, _TEST_FRACTION)
            train, test = train.take(kept), train.take(held)
        names = {
            self.renamed.get(column, column): known for column, known in splits.class_names.items()
        }
        if self.class_names:
            names[self.choice.target[0]] = self.class_names
        dataset = build_dataset(
            Tables(train, test, names), self.settings(), self.request.load_tokenizer()
        )
        info = self.spec.info()
        if info is not None and info.is_image and dataset.input_shape != info.input_shape:
            expected, found = list(info.input_shape), list(dataset.input_shape)
            raise ValueError(f"images must have the size {expected}, not {found}")
        return dataset

    def settings(self) -> Choice:
        """Return which columns mean what, with the settings of the spec."""
        return self.choice


_IMAGES = Choice(
    input=("image",),
    target=("label",),
    task=TaskName.CLASSIFICATION,
    input_kind=InputKind.IMAGE,
)


@DATASETS.implements(MnistSpec)
class Mnist(PublishedTable):
    """Handwritten digits."""

    folder_name = "mnist"
    hub_id = "ylecun/mnist"
    choice = _IMAGES
    class_names = tuple("0123456789")


@DATASETS.implements(FashionMnistSpec)
class FashionMnist(PublishedTable):
    """Clothes."""

    folder_name = "fashion_mnist"
    hub_id = "zalando-datasets/fashion_mnist"
    choice = _IMAGES
    class_names = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )


@DATASETS.implements(Cifar10Spec)
class Cifar10(PublishedTable):
    """Small photographs."""

    folder_name = "cifar10"
    hub_id = "uoft-cs/cifar10"
    renamed = {"img": "image"}
    choice = _IMAGES
    class_names = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )


@DATASETS.implements(Banking77Spec)
class Banking77(PublishedTable):
    """Questions to a bank."""

    spec: Banking77Spec
    folder_name = "banking77"
    hub_id = "PolyAI/banking77"
    renamed = {"label": "category"}
    choice = Choice(
        input=("text",),
        target=("category",),
        task=TaskName.CLASSIFICATION,
        input_kind=InputKind.TEXT,
    )

    def settings(self) -> Choice:
        """Return the columns, with length and vocabulary of the spec."""
        return replace(self.choice, length=self.spec.length, vocabulary=self.spec.vocabulary)


@DATASETS.implements(AdultSpec)
class Adult(PublishedTable):
    """People of the US census; every category is also a way to tell owners apart."""

    folder_name = "adult"
    hub_id = "scikit-learn/adult-census-income"
    may_lack_test_split = True
    renamed = {
        "education.num": "education_num",
        "marital.status": "marital_status",
        "capital.gain": "capital_gain",
        "capital.loss": "capital_loss",
        "hours.per.week": "hours_per_week",
        "native.country": "native_country",
    }
    numbers: ClassVar[tuple[str, ...]] = (
        "age",
        "fnlwgt",
        "education_num",
        "capital_gain",
        "capital_loss",
        "hours_per_week",
    )
    owners: ClassVar[tuple[str, ...]] = (
        "native_country",
        "occupation",
        "workclass",
        "education",
        "marital_status",
        "relationship",
        "race",
        "sex",
    )
    choice = Choice(
        input=(*numbers, *owners),
        target=("income",),
        groups=owners,
        task=TaskName.CLASSIFICATION,
        input_kind=InputKind.VECTOR,
    )

    def rows(self, splits: Splits, name: str) -> pa.Table:
        """Return a split in which a question mark, which the hub's copy has, is a missing value."""
        table = super().rows(splits, name)
        for place, column in enumerate(table.column_names):
            if column in self.owners:
                values = pc.if_else(pc.equal(table[column], "?"), None, table[column])
                table = table.set_column(place, column, values)
        return table
