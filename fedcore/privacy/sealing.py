"""Secure aggregation as clients and the server compute it: updates as integers that add up.

A client's change of the model, its loss and its weight become words of a ring (``fedcore.secagg``),
the server adds words and decodes nothing but their sum. In simulation the words travel as they are,
so that the numbers of a run are those of a real one; real sites hide them under masks, which cancel
in the sum (``Participant.mask``, ``Coordinator.add_vector``).

What is rounded: every number to a multiple of ``1 / scale`` of the ring, at most half of that away.
A client whose numbers do not fit sends nothing and says so; to cut them would change the model in
silence (our choice).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fedcore.aggregators import Accumulator, merge_in_tree
from fedcore.errors import PrivacyError
from fedcore.messages import Update
from fedcore.params import Layout, Params, Section
from fedcore.privacy.clients import CLIPPING, SHORT
from fedcore.secagg.ring import Ring, Words
from fedcore.secagg.session import FEWEST, SecureAggregationError, Session
from fedcore.wire import Schema
from fedcore.wire.container import TensorInfo

#: Section of an update, and of a sum of them, that holds the words, and the one tensor in it.
SEALED = "sealed"
WORDS = "words"
#: Scalar of what clients are sent: the largest weight that one of them may have.
LARGEST_WEIGHT = "largest_weight"
#: Largest number of a change, where nothing else bounds it.
BOUND = 16.0
#: By what share a vector may come out longer that is cut in single precision: half a unit in the
#: last place of the factor and as much of each product, and twice that to be sure.
_SINGLE = 2.0**-22
#: Largest loss that is told.
_MOST_LOSS = 100.0
_DELTA, _LOSS = "delta", "loss"


@dataclass(frozen=True)
class Sealing:
    """Turns updates into words of a ring, and sums of words into means.

    Attributes:
        most: Clients of a round at most; for so many the sum cannot overflow.
        is_uniform: Whether all clients count alike.
        has_flag: Whether an update says whether it was shorter than the clip.
        tells_loss: Whether the loss goes into the sum.
    """

    most: int
    is_uniform: bool
    has_flag: bool = False
    tells_loss: bool = True

    def ring(self, clip: float | None) -> Ring:
        """Return the ring of a round.

        Args:
            clip: Length that changes are cut to, which bounds their numbers; None without a clip.
        """
        return Ring(BOUND if clip is None else clip, self.most)

    def inside(self, clip: float, length: int) -> float:
        """Return a length so far below the clip that rounding does not lead above it.

        Numbers are rounded twice: in single precision as they are cut, then to integers.

        Raises:
            PrivacyError: If rounding is as large as the clip.
        """
        found = clip * (1 - _SINGLE) - math.sqrt(length) / (2 * self.ring(clip).scale)
        if found <= 0:
            raise PrivacyError(
                f"integers of 32 bits cannot hold {length} numbers of {self.most} clients",
                field="partition.clients",
                fix="Use fewer clients or a smaller model.",
            )
        return found

    # --- client ----------------------------------------------------------------------------------

    def schema(self, plain: Schema) -> Schema:
        """Return the schema of a sealed update, given that of a plain one."""
        numbers = sum(
            math.prod(info.shape)
            for name, infos in plain.sections
            if name != CLIPPING
            for info in infos
        )
        info = TensorInfo(WORDS, torch.int32, (self.length(numbers),))
        return replace(plain, sections=((SEALED, (info,)),), scalars=())

    def length(self, numbers: int) -> int:
        """Return how many words a change of so many numbers becomes."""
        return numbers + self.has_flag + 2

    def seal(self, update: Update, clip: float | None, largest_weight: float) -> Update:
        """Return an update as words; who reads it learns nothing else.

        Raises:
            SecureAggregationError: If it is not finite, or too large for the ring.
        """
        ring = self.ring(clip)
        change = update.sections[_DELTA]
        if not isinstance(change, Params):
            raise TypeError("a change of the model is one vector")
        largest = float(change.flat.abs().max())
        if largest > ring.bound:
            raise SecureAggregationError(
                f"a change of {largest:.3g} does not fit into the integers of a secure sum, which "
                f"reach {ring.bound:g}; lower local.lr"
            )
        loss = update.scalars.get(_LOSS, 0.0) if self.tells_loss else 0.0
        parts = [change.flat.cpu().numpy().astype(np.float64)]
        if self.has_flag:
            parts.append(update.sections[CLIPPING][SHORT].cpu().numpy() * ring.bound)
        parts.append(np.array([np.clip(loss / _MOST_LOSS, -1.0, 1.0) * ring.bound]))
        weight = 1.0 if self.is_uniform else update.weight / largest_weight
        words = ring.encode_weighted(np.concatenate(parts), min(weight, 1.0))
        return replace(update, sections=section_of(words), scalars={}, weight=1.0)

    # --- server ----------------------------------------------------------------------------------

    def opened(self, total: Accumulator, clip: float | None, layout: Layout) -> Accumulator:
        """Return the weighted mean that a sum of sealed updates stands for.

        Raises:
            SecureAggregationError: If all weights are 0.
        """
        if total.count == 0:
            return total
        mean, weight = self._mean(total, clip)
        flat = torch.from_numpy(mean[: layout.total].astype(np.float32))
        sections: dict[str, Section] = {_DELTA: Params(layout, flat)}
        if self.has_flag:
            flag = mean[layout.total] / self.ring(clip).bound
            sections[CLIPPING] = {SHORT: torch.tensor([flag], dtype=torch.float32)}
        return Accumulator(sections, weight, total.count)

    def loss(self, total: Accumulator, clip: float | None) -> float | None:
        """Return the clients' mean loss; None if nobody tells it."""
        if total.count == 0 or not self.tells_loss:
            return None
        mean, _ = self._mean(total, clip)
        return float(mean[-1]) / self.ring(clip).bound * _MOST_LOSS

    def _mean(self, total: Accumulator, clip: float | None) -> tuple[NDArray[np.float64], float]:
        """Return what a sum of words stands for, unless no honest clients can have made it.

        Raises:
            SecureAggregationError: If it is larger than their bound allows, or all weights are 0.
        """
        ring = self.ring(clip)
        mean, weight = ring.decode_mean(words_of(total.sections))
        rounded = ring.error(total.count)
        if weight > total.count + rounded or np.abs(mean).max() > ring.bound + rounded / weight * 2:
            raise SecureAggregationError(
                "the secure sum is larger than updates can make it: a client has sent something "
                "else, and nobody can see which"
            )
        return mean, weight


class SealedSum:
    """Adds words, and knows nothing else of them: the aggregator of sealed updates."""

    @property
    def remembers(self) -> bool:
        """Return False."""
        return False

    def start(self, previous: Mapping[str, Section]) -> Accumulator:  # noqa: ARG002
        """Return an accumulator without updates."""
        return Accumulator({})

    def fold(self, accumulator: Accumulator, update: Update) -> Accumulator:
        """Return the sum with one more update."""
        if accumulator.count == 0:
            first = {WORDS: update.sections[SEALED][WORDS].clone()}
            return Accumulator({SEALED: first}, update.weight, 1)
        return self.merge(accumulator, Accumulator(update.sections, update.weight, 1))

    def merge(self, first: Accumulator, second: Accumulator) -> Accumulator:
        """Return the sum of both, in the memory of the first."""
        if first.count == 0 or second.count == 0:
            return second if first.count == 0 else first
        _tensor_of(first.sections).add_(_tensor_of(second.sections))  # wraps around, as it should
        return Accumulator(first.sections, first.weight + second.weight, first.count + second.count)

    def merge_all(self, parts: Sequence[Accumulator]) -> Accumulator:
        """Return the sum of all."""
        return merge_in_tree(parts, self.merge)

    def finish(self, accumulator: Accumulator) -> Mapping[str, Section]:
        """Return what ``Sealing.opened`` has made of the sum."""
        return accumulator.sections


def words_of(sections: Mapping[str, Section]) -> Words:
    """Return the words of a sealed update or sum, uint32, shape ``(n,)``."""
    words: Words = _tensor_of(sections).cpu().numpy().view("<u4")
    return words


def section_of(words: Words) -> dict[str, Section]:
    """Return words, such as those of a sum without its masks, as sections of a sealed update."""
    return {SEALED: {WORDS: torch.from_numpy(words.view("<i4").copy())}}


def fewest_left(clients: int) -> int:
    """Return how many of so many clients a secure sum needs to the end."""
    session = Session("", 0, Session.usual_degree(clients))
    return session.least(clients) if clients else 0


def _tensor_of(sections: Mapping[str, Section]) -> Tensor:
    return sections[SEALED][WORDS]


__all__ = [
    "BOUND",
    "FEWEST",
    "LARGEST_WEIGHT",
    "SEALED",
    "WORDS",
    "SealedSum",
    "Sealing",
    "fewest_left",
    "section_of",
    "words_of",
]
