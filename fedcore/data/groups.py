"""Who owns each example: the natural clients of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from fedcore.data.tabular import texts_of

#: Number of the group of an example that nobody owns.
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Groups:
    """The owner of every example by one column.

    Attributes:
        names: Owners, sorted, so that their numbers do not depend on the order of rows.
        train: Owner of each training example, shape (n,), int64; ``NOBODY`` where it is unknown.
        test: The same for the test examples.
    """

    names: tuple[str, ...]
    train: Tensor
    test: Tensor

    @classmethod
    def of(cls, train: Sequence[str | None], test: Sequence[str | None]) -> Groups:
        """Return the groups of examples whose owners are given by name."""
        return cls.of_columns(
            pa.chunked_array([pa.array(train, pa.large_string())]),
            pa.chunked_array([pa.array(test, pa.large_string())]),
            "group",
        )

    @classmethod
    def of_columns(cls, train: pa.ChunkedArray, test: pa.ChunkedArray, name: str) -> Groups:
        """Return the groups that a column of each split names.

        Raises:
            DatasetError: If the column holds neither text nor numbers.
        """
        texts = [texts_of(column, name, "dataset.group") for column in (train, test)]
        found = {value for text in texts for value in pc.unique(text).to_pylist()}
        names = sorted(value for value in found if value is not None)
        values = pa.array(names, pa.large_string())
        return cls(tuple(names), *(_codes(text, values) for text in texts))

    def take(self, train: Tensor, test: Tensor) -> Groups:
        """Return the groups of some of the examples."""
        return Groups(self.names, self.train[train], self.test[test])


def _codes(text: pa.ChunkedArray, values: pa.Array) -> Tensor:
    found = pc.index_in(text, value_set=values).fill_null(NOBODY)
    return torch.from_numpy(found.to_numpy(zero_copy_only=False).astype(np.int64))
