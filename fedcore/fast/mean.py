"""The weighted mean of many vectors by the C++ operator."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from fedcore.environment import Folders
from fedcore.fast import library

#: Spans are multiples of it; torch computes the last numbers of a vector with other instructions
#: and keeps them.
GRAIN = 64


@dataclass(frozen=True, eq=False)
class MeanOperator:
    """Averages neighbours pair by pair, with the bits of ``torch.lerp``.

    Attributes:
        code: The compiled code.
        vectors: What is averaged; keeps alive what ``places`` points to.
        places: Address of each vector, int64.
        shares: What the second of each pair has of the weight of both, level by level.
        mean: Where the result goes.
    """

    code: ctypes.CDLL
    vectors: Sequence[Tensor]
    places: Tensor
    shares: Tensor
    mean: Tensor

    @classmethod
    def find(
        cls, vectors: Sequence[Tensor], levels: Sequence[Sequence[float]], mean: Tensor
    ) -> MeanOperator | None:
        """Return the operator for some vectors, or None if it was not built or cannot do them."""
        code = _code()
        if code is None or len(vectors) > code.rh_mean_limit() or not all(map(_is_plain, vectors)):
            return None
        places = torch.tensor([vector.data_ptr() for vector in vectors])
        shares = torch.tensor([share for level in levels for share in level], dtype=torch.float32)
        return cls(code, vectors, places, shares, mean)

    def work(self, span: tuple[int, int]) -> None:
        """Average a span, whose ends are multiples of ``GRAIN``."""
        scratch = torch.empty(self.code.rh_mean_scratch(len(self.vectors)))
        self.code.rh_mean_in_tree(
            self.places.data_ptr(),
            len(self.vectors),
            self.shares.data_ptr(),
            *span,
            self.mean.data_ptr(),
            scratch.data_ptr(),
        )


@cache
def _code() -> ctypes.CDLL | None:
    """Return what setup has built; asked for once, because every round asks."""
    return library.find(Folders.from_environment())


def _is_plain(vector: Tensor) -> bool:
    return vector.dtype == torch.float32 and vector.is_contiguous() and vector.device.type == "cpu"
