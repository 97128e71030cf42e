"""The server's side of a secure sum; it adds what arrives and keeps no vector by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np

from fedcore.secagg.keys import agree, mask_of, public_of
from fedcore.secagg.messages import Advertisement, EncryptedShares, MaskedVector, Unmasking
from fedcore.secagg.recovery import recover
from fedcore.secagg.ring import Ring, Words
from fedcore.secagg.session import SecureAggregationError, Session


class Stage(Enum):
    """What the server takes, one kind of message after the other."""

    KEYS = auto()
    SHARES = auto()
    VECTORS = auto()
    UNMASKING = auto()
    DONE = auto()


@dataclass(eq=False)
class Coordinator:
    """One sum, as the server sees it.

    Stages end when the caller says so: `advertisements`, `inboxes` and `delivered` each close what
    came before, and later arrivals are refused.

    Attributes:
        session: The sum.
        length: Numbers in a vector.
        ring: What vectors are added in.
        doubted: Why a holder's shares were not used, by client; known when the sum is finished.
    """

    session: Session
    length: int
    ring: Ring
    doubted: dict[int, str] = field(default_factory=dict)
    _advertised: dict[int, Advertisement] = field(default_factory=dict)
    _neighbours: Mapping[int, frozenset[int]] = field(default_factory=dict)
    _shares: dict[int, list[EncryptedShares]] = field(default_factory=dict)
    _sum: Words = field(init=False)
    _arrived: set[int] = field(default_factory=set)
    _seeds: dict[int, dict[int, bytes]] = field(default_factory=dict)
    _keys: dict[int, dict[int, bytes]] = field(default_factory=dict)
    _answered: set[int] = field(default_factory=set)
    _stage: Stage = Stage.KEYS

    def __post_init__(self) -> None:
        self._sum = np.zeros(self.length, self.ring.dtype)

    def add_advertisement(self, advertisement: Advertisement) -> None:
        """Take a client's keys."""
        self._at(Stage.KEYS)
        if advertisement.client_id in self._advertised:
            raise SecureAggregationError(f"client {advertisement.client_id} has sent its keys")
        self._advertised[advertisement.client_id] = advertisement

    def advertisements(self) -> list[Advertisement]:
        """Return everybody's keys, for everybody.

        Raises:
            SecureAggregationError: If too few clients have sent theirs.
        """
        self._at(Stage.KEYS)
        self._enough(len(self._advertised), "have sent their keys")
        if len(self._advertised) > self.ring.most:
            raise SecureAggregationError(
                f"{len(self._advertised)} vectors do not fit into a sum of {self.ring.most}"
            )
        self._neighbours = self.session.neighbours(self._advertised)
        self._stage = Stage.SHARES
        return list(self._advertised.values())

    def add_shares(self, client_id: int, shares: Sequence[EncryptedShares]) -> None:
        """Take the shares that a client has for its neighbours: one message for each."""
        self._at(Stage.SHARES)
        expected = self._neighbours.get(client_id)
        is_due = expected is not None and client_id not in self._shares
        asked = sorted((client_id, receiver) for receiver in expected or ())
        if not is_due or sorted((one.sender, one.receiver) for one in shares) != asked:
            raise SecureAggregationError(f"client {client_id} sent shares for others than it must")
        self._shares[client_id] = list(shares)

    def inboxes(self) -> dict[int, list[EncryptedShares]]:
        """Return for each client that has sent shares those that are for it.

        Raises:
            SecureAggregationError: If too few clients have sent shares.
        """
        self._at(Stage.SHARES)
        self._enough(len(self._shares), "have shared their secrets")
        self._stage = Stage.VECTORS
        inboxes: dict[int, list[EncryptedShares]] = {i: [] for i in self._shares}
        for shares in self._shares.values():
            for one in shares:
                if one.receiver in inboxes:
                    inboxes[one.receiver].append(one)
        return inboxes

    def add_vector(self, vector: MaskedVector) -> None:
        """Add a client's vector to the sum, and forget it."""
        self._at(Stage.VECTORS)
        if vector.client_id not in self._shares or vector.client_id in self._arrived:
            raise SecureAggregationError(f"no vector of client {vector.client_id} is expected")
        if vector.words.shape != (self.length,) or vector.words.dtype != self.ring.dtype:
            raise SecureAggregationError(
                f"the vector of client {vector.client_id} has {vector.words.shape} words of "
                f"{vector.words.dtype}, not {self.length} of {self.ring.dtype}"
            )
        self._sum += vector.words
        self._arrived.add(vector.client_id)

    def resume(self, arrived: Collection[int], total: Words) -> None:
        """Go on with a sum of vectors that was kept, instead of adding them again.

        Raises:
            SecureAggregationError: If it is not a sum of vectors of this sum's clients.
        """
        self._at(Stage.VECTORS)
        if not set(arrived) <= self._shares.keys() or total.shape != (self.length,):
            raise SecureAggregationError("what was kept is no sum of these clients' vectors")
        self._arrived, self._sum = set(arrived), total.copy()

    def delivered(self) -> frozenset[int]:
        """Return the clients whose vectors make up the sum; it is final from now on.

        Raises:
            SecureAggregationError: If too few vectors have arrived.
        """
        if self._stage is Stage.VECTORS:
            self._enough(len(self._arrived), "have sent their vectors")
            self._stage = Stage.UNMASKING
        self._at(Stage.UNMASKING)
        return frozenset(self._arrived)

    def add_unmasking(self, unmasking: Unmasking) -> None:
        """Take the shares that a client gives away.

        Raises:
            SecureAggregationError: If they hold both secrets of one client, or are not asked for.
        """
        self._at(Stage.UNMASKING)
        who = unmasking.client_id
        lost = self._shares.keys() - self._arrived
        held = {*self._neighbours.get(who, ()), who}
        is_asked = (
            who in self._arrived
            and who not in self._answered
            and unmasking.seeds.keys() <= self._arrived & held
            and unmasking.keys.keys() <= lost & held
        )
        if not is_asked:
            raise SecureAggregationError(f"client {who} sent shares that nobody asked for")
        self._answered.add(who)
        for found, given in ((self._seeds, unmasking.seeds), (self._keys, unmasking.keys)):
            for client_id, share in given.items():
                found.setdefault(client_id, {})[who] = share

    def finish(self) -> Words:
        """Return the sum of the vectors of those who delivered, shape ``(length,)``.

        Raises:
            SecureAggregationError: If a mask cannot be recovered: shares are missing, or were
                changed.
        """
        self._at(Stage.UNMASKING)
        total = self._sum.copy()
        for client_id in sorted(self._arrived):
            known = self._advertised[client_id]
            seed = self._recovered(
                self._seeds, client_id, self.session.commitment, known.commitment
            )
            total -= mask_of(seed, self.length, self.ring)
        for client_id in sorted(self._shares.keys() - self._arrived):
            met = self._neighbours[client_id] & self._arrived
            if not met:
                continue  # nobody has added a mask for it
            known = self._advertised[client_id]
            key = self._recovered(
                self._keys, client_id, lambda _, secret: public_of(secret), known.mask_key
            )
            for other in sorted(met):
                pair = (min(client_id, other), max(client_id, other))
                info = self.session.info("mask", *pair)
                agreed = agree(key, self._advertised[other].mask_key, info)
                mask = mask_of(agreed, self.length, self.ring)
                # What the one who is left has added is taken away, and the other way round.
                total = total + mask if client_id > other else total - mask
        self._stage = Stage.DONE
        return total

    @property
    def _threshold(self) -> int:
        return self.session.threshold(len(self._advertised))

    def _recovered(
        self,
        shares: Mapping[int, Mapping[int, bytes]],
        client_id: int,
        committed: Callable[[int, bytes], bytes],
        expected: bytes,
    ) -> bytes:
        """Return a client's secret, from shares that give what it has published.

        Raises:
            SecureAggregationError: If none do.
        """
        held = shares.get(client_id, {})
        if len(held) < self._threshold:
            raise SecureAggregationError(
                f"{len(held)} of {self._threshold} shares of client {client_id} are there"
            )
        found = recover(
            held,
            self._threshold,
            lambda secret: committed(client_id, secret) == expected,
            self.doubted,
        )
        if found is None:
            raise SecureAggregationError(
                f"shares of client {client_id} were changed: they do not give the secret it has "
                "published"
            )
        for holder in found.odd:
            reason = f"its share of a secret of client {client_id} was changed, by either of them"
            self.doubted.setdefault(holder, reason)
        return found.secret

    def _at(self, stage: Stage) -> None:
        if self._stage is not stage:
            raise SecureAggregationError("this comes too early or too late")

    def _enough(self, count: int, what: str) -> None:
        needed = self.session.least(len(self._advertised))
        if count < needed:
            raise SecureAggregationError(f"{count} of at least {needed} clients {what}")
