"""Data that are on sites: how a site reads its own, and what stands for them on the server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from fedcore.data.dataset import Dataset, Examples
from fedcore.data.preparation import TablePreparation
from fedcore.data.source import DATASETS, Request
from fedcore.data.tabular import (
    CategoryColumn,
    NumberColumn,
    TableColumn,
    TableEncoder,
    numbers_of,
    texts_of,
)
from fedcore.errors import DatasetError
from fedcore.spec.data import (
    DatasetSpec,
    InputColumn,
    SitesDatasetSpec,
    TargetColumn,
)
from fedcore.spec.tasks import InputKind
from fedcore.tasks import UNSCALED, TargetScale


@dataclass(frozen=True)
class Holding:
    """What is known of a site's examples.

    Attributes:
        name: Of the site.
        num_train: Examples to train on.
        num_test: Examples that it holds out.
    """

    name: str
    num_train: int
    num_test: int


def read_table(spec: SitesDatasetSpec, train: pa.Table, test: pa.Table) -> Dataset:
    """Return a site's own table as tensors.

    Args:
        spec: Says what the columns mean.
        train: Rows to train on.
        test: Rows to test on; there may be none.

    Raises:
        DatasetError: If a column is missing, or holds something else than the spec says. The
            message names the column and no value of it.
    """
    for table in (train, test):
        for name in spec.columns:
            if table.column_names.count(name) != 1:
                raise DatasetError(
                    f"the data set {spec.name!r} of this site has no column {name!r}, or two",
                    field="dataset.inputs",
                    fix="Name columns that the site has declared.",
                )
    encoder = TableEncoder(tuple(_column(each) for each in spec.inputs))
    splits = [
        Examples(encoder.encode(table), _targets(spec.target, table[spec.target.column]))
        for table in (train, test)
    ]
    return _described(spec, *splits, fingerprint=_fingerprint(splits))


def stand_in(spec: SitesDatasetSpec, holdings: Sequence[Holding]) -> Dataset:
    """Return what the server has in place of the sites' examples: their numbers and their form.

    The inputs and targets are zeros that take no memory; nothing is computed from them.
    """
    splits = [
        Examples(
            torch.zeros(1, spec.num_features).expand(count, spec.num_features),
            _no_targets(spec.target).expand(count, *_no_targets(spec.target).shape[1:]),
        )
        for count in (sum(h.num_train for h in holdings), sum(h.num_test for h in holdings))
    ]
    content = json.dumps([spec.model_dump(mode="json"), *(asdict(each) for each in holdings)])
    return _described(spec, *splits, fingerprint=hashlib.sha256(content.encode()).hexdigest())


def _described(
    spec: SitesDatasetSpec, train: Examples, test: Examples, *, fingerprint: str
) -> Dataset:
    target = spec.target
    encoder = TableEncoder(tuple(_column(each) for each in spec.inputs))
    return Dataset(
        train=train,
        test=test,
        num_classes=1 if target.classes is None else len(target.classes),
        task_name=spec.known_task(),
        input_kind=InputKind.VECTOR,
        class_names=target.classes or (target.column,),
        scale=UNSCALED
        if target.classes is not None
        else TargetScale((target.mean,), (target.std,)),
        preparation=TablePreparation(encoder),
        name=spec.kind,
        fingerprint=fingerprint,
    )


def _column(column: InputColumn) -> TableColumn:
    if column.values is not None:
        return CategoryColumn(column.column, column.values, column.has_missing)
    return NumberColumn(column.column, column.mean, column.std, column.has_missing)


def _targets(target: TargetColumn, column: pa.ChunkedArray) -> Tensor:
    """Return classes, shape (n,) int64, or numbers, shape (n, 1) float32."""
    if target.classes is None:
        values = torch.from_numpy(numbers_of(column, target.column, "dataset.target"))
        if values.isnan().any():
            raise _incomplete(target.column)
        return ((values - target.mean) / target.std).to(torch.float32).unsqueeze(1)
    names = pa.array(target.classes, pa.large_string())
    places = pc.index_in(texts_of(column, target.column, "dataset.target"), value_set=names)
    if places.null_count:
        raise _incomplete(target.column)
    return torch.from_numpy(places.to_numpy(zero_copy_only=False).astype("int64"))


def _no_targets(target: TargetColumn) -> Tensor:
    return torch.zeros(1, dtype=torch.int64) if target.classes else torch.zeros(1, 1)


def _incomplete(column: str) -> DatasetError:
    return DatasetError(
        f"a row has nothing in {column!r}, the target, or a class that the spec does not name",
        field="dataset.target",
        fix="Name all classes in dataset.target.classes, and leave out rows without a target.",
    )


def _fingerprint(splits: Sequence[Examples]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        for tensor in (split.x, split.y):
            digest.update(f"{tensor.dtype}{list(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


@DATASETS.implements(SitesDatasetSpec)
@dataclass(frozen=True)
class _Absent:
    """The source of data that are not here."""

    spec: DatasetSpec
    request: Request

    def key(self) -> NoReturn:
        """Say that there is nothing to read.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(
            "the examples of this run are on its sites",
            field="dataset.kind",
            fix="Launch it on a server that its sites are enrolled with.",
        )

    def build(self) -> NoReturn:
        """Say the same.

        Raises:
            DatasetError: Always.
        """
        self.key()
