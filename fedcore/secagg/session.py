"""What both sides of a secure sum know before it begins, and derive from it in the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import ceil, log2

from fedcore.errors import PermanentError

#: A sum of two tells each of them the other's vector.
FEWEST = 3
#: Up to so many clients all are neighbours: a server that chooses the name of a run chooses the
#: graph, and with some colluders whose neighbours they are; where all are neighbours of all there
#: is nothing to choose.
ALL_NEIGHBOURS = 100
_DOMAIN = b"roundhouse secagg 1"


class SecureAggregationError(PermanentError):
    """A secure sum cannot be made, or would tell more than the sum."""

    code = "secure_aggregation_failed"


@dataclass(frozen=True)
class Session:
    """One secure sum.

    Attributes:
        run: Name of the run, different for every run.
        round_index: Different for every sum of a run.
        degree: Neighbours of each client; None for all others (Bonawitz et al.). An even number
            of about ``6 log2(n)`` is usual (Bell et al.; ours, their own comes from tables).
    """

    run: str
    round_index: int
    degree: int | None = None

    def __post_init__(self) -> None:
        if self.degree is not None and (self.degree < FEWEST or self.degree % 2):
            raise ValueError("clients have an even number of neighbours, four or more")

    @staticmethod
    def usual_degree(clients: int) -> int | None:
        """Return a degree for so many clients, None where all are neighbours."""
        return None if clients <= ALL_NEIGHBOURS else 2 * ceil(3 * log2(clients))

    def among(self, clients: int) -> Session:
        """Return the same sum with the degree that is usual for so many clients."""
        return replace(self, degree=Session.usual_degree(clients))

    def info(self, purpose: str, *ids: int) -> bytes:
        """Return bytes that are different for every purpose, round and pair."""
        run = self.run.encode()
        numbers = (len(run), self.round_index, *ids)
        return b"".join(
            [_DOMAIN, b" ", purpose.encode(), b"\0", run, *(n.to_bytes(8) for n in numbers)]
        )

    def commitment(self, client_id: int, seed: bytes) -> bytes:
        """Return what a client publishes of the seed of its own mask."""
        return hashlib.sha256(self.info("seed", client_id) + seed).digest()

    def neighbours(self, clients: Collection[int]) -> Mapping[int, frozenset[int]]:
        """Return each client's neighbours, the same on every machine.

        Clients stand on a ring in an order that a hash decides; a client's neighbours are those
        next to it.
        """
        ids = sorted(clients, key=lambda i: hashlib.sha256(self.info("graph", i)).digest())
        count = len(ids)
        if self.degree is None or self.degree >= count - 1:
            return {i: frozenset(ids) - {i} for i in ids}
        reach = range(1, self.degree // 2 + 1)
        return {
            i: frozenset(ids[(place + step * side) % count] for step in reach for side in (1, -1))
            for place, i in enumerate(ids)
        }

    def threshold(self, clients: int) -> int:
        """Return how many shares give a secret back, of a sum among so many clients.

        More than two thirds of a client and its neighbours, so that a server that takes part in
        the protocol dishonestly cannot show two halves of them two lists of survivors.
        """
        holders = clients if self.degree is None else min(clients, self.degree + 1)
        return max(2 * holders // 3 + 1, min(FEWEST, holders))

    def least(self, clients: int) -> int:
        """Return how many of so many clients must be left at each stage.

        With all as neighbours, as many as give a secret back; on a sparse graph that depends on
        who is lost, and only a sum that would tell too much is refused beforehand.
        """
        return FEWEST if self.degree is not None else max(FEWEST, self.threshold(clients))
