"""Numbers as integers modulo a power of two, so that sums are exact and masks can hide them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fedcore.secagg.session import SecureAggregationError

Words: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Ring:
    """Fixed-point numbers between two bounds, added modulo ``2**bits``.

    Attributes:
        bound: The largest absolute value; what is larger is cut off.
        most: The largest number of vectors in a sum, for which no sum can overflow.
        bits: Width of a word.
    """

    bound: float
    most: int
    bits: Literal[32, 64] = 32

    def __post_init__(self) -> None:
        if not 0 < self.bound < float("inf") or self.most < 1 or self.largest < 1:
            raise ValueError("the bound must be positive, and words wide enough for the sum")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a word, little-endian."""
        return np.dtype(f"<u{self.bits // 8}")

    @property
    def largest(self) -> int:
        """The integer that stands for the bound."""
        return ((1 << (self.bits - 1)) - 1) // self.most

    @property
    def scale(self) -> float:
        """Integers per unit."""
        return self.largest / self.bound

    def error(self, count: int) -> float:
        """Return how far a coordinate of a sum of so many vectors is off at most."""
        return count / (2 * self.scale)

    def encode(self, values: NDArray[np.float64]) -> Words:
        """Return values of any shape as words, shape ``(n,)``.

        Raises:
            SecureAggregationError: If a value is not finite.
        """
        flat = np.asarray(values, dtype=np.float64).reshape(-1)
        if not np.isfinite(flat).all():
            raise SecureAggregationError("an update that is not finite is not sent")
        limit = self.largest
        whole = np.rint(np.clip(flat, -self.bound, self.bound) * self.scale)
        # Above 2**53 the product of bound and scale may come out a little larger than the limit.
        inside = np.clip(whole, -float(limit), float(limit)).astype(np.int64)
        return np.clip(inside, -limit, limit).astype(self.dtype)

    def decode(self, words: Words) -> NDArray[np.float64]:
        """Return the sum that words stand for, shape ``(n,)``."""
        signed = words.view(f"<i{self.bits // 8}").astype(np.float64)
        signed /= self.scale
        return signed

    def encode_weighted(self, values: NDArray[np.float64], weight: float) -> Words:
        """Return ``weight * values`` and the weight as words, shape ``(n + 1,)``.

        Args:
            values: Numbers, any shape.
            weight: Between 0 and 1: a client's examples as a share of the most that one may have.

        Raises:
            SecureAggregationError: If a value is not finite or the weight is out of range.
        """
        if not 0 <= weight <= 1:
            raise SecureAggregationError(f"a weight lies between 0 and 1, {weight} does not")
        flat = np.asarray(values, dtype=np.float64).reshape(-1)
        # The weight uses the whole range, so that it is as exact as the numbers.
        return self.encode(np.append(weight * flat, weight * self.bound))

    def decode_mean(self, words: Words) -> tuple[NDArray[np.float64], float]:
        """Return the weighted mean of what was encoded with weights, and the sum of the weights.

        Raises:
            SecureAggregationError: If all weights are 0.
        """
        *_, last = numbers = self.decode(words)
        total = float(last) / self.bound
        if total <= 0:
            raise SecureAggregationError("all weights are 0, so there is no mean")
        return np.asarray(numbers[:-1]) / total, total
