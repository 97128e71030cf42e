"""The server's side of a secure sum, made anew at each stage from the messages that it has stored.

A server that may be another process at every stage keeps nothing in memory. The same messages lead
to the same coordinator; what is not as it must be is left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from fedcore.secagg import documents
from fedcore.secagg.coordinator import Coordinator
from fedcore.secagg.keys import can_agree
from fedcore.secagg.messages import Advertisement, MaskedVector
from fedcore.secagg.ring import Ring, Words
from fedcore.secagg.session import SecureAggregationError, Session
from fedcore.secagg.signatures import is_signed, of_keys, of_list
from fedcore.sites.secure import (
    Confirmed,
    KeyList,
    KeysMessage,
    ShareList,
    SharesForOne,
    Survivors,
    UnmaskingMessage,
)

Answered = TypeVar("Answered", KeysMessage, ShareList, Confirmed, UnmaskingMessage)


@dataclass(eq=False)
class Gathering:
    """One sum; call its methods in their order, each with the answers to its stage.

    Attributes:
        session: The sum; its degree follows from how many show their keys.
        identities: Public half of the clients' long-lived keys, as the run began with them.
        length: Numbers in a vector.
        ring: What vectors are added in.
        least: Clients that have to be left after each of the first three stages.
        refused: Why a message of a client was not used, by client; the first reason stands.
    """

    session: Session
    identities: Mapping[int, bytes]
    length: int
    ring: Ring
    least: int
    refused: dict[int, str] = field(default_factory=dict)
    _server: Coordinator = field(init=False)
    _neighbours: Mapping[int, frozenset[int]] = field(init=False)

    def keys(self, answers: Mapping[int, bytes], subject: bytes) -> KeyList:
        """Return everybody's keys, for everybody.

        Args:
            answers: What clients have sent, by client.
            subject: What they were told; who has signed another one would be refused by all others.

        Raises:
            SecureAggregationError: If too few have sent theirs.
        """
        sound: dict[int, Advertisement] = {}

        def take(client_id: int, said: KeysMessage) -> None:
            ad = documents.advertisement(said)
            self._check(ad, subject)
            sound[client_id] = ad

        self._each(answers, KeysMessage, take)
        self._enough(len(sound), "have sent their keys")
        self.session = self.session.among(len(sound))
        self._server = Coordinator(self.session, self.length, self.ring)
        for ad in sound.values():
            self._server.add_advertisement(ad)
        listed = self._server.advertisements()
        self._neighbours = self.session.neighbours(sound)
        return KeyList(keys=tuple(documents.keys_message(ad) for ad in listed))

    def shares(self, answers: Mapping[int, bytes]) -> dict[int, SharesForOne]:
        """Return for each client that has sent shares those that are for it.

        Raises:
            SecureAggregationError: If too few have sent shares.
        """

        def take(client_id: int, said: ShareList) -> None:
            found = [documents.encrypted_shares(one) for one in said.shares]
            self._server.add_shares(client_id, found)

        self._each(answers, ShareList, take)
        inboxes = self._server.inboxes()
        self._enough(len(inboxes), "have shared their secrets")
        return {
            client: SharesForOne(shares=tuple(documents.share_message(one) for one in inbox))
            for client, inbox in inboxes.items()
        }

    def vectors(
        self, answers: Iterable[tuple[int, Callable[[], bytes]]]
    ) -> tuple[Survivors, Words]:
        """Return who has delivered, and the sum of their masked vectors.

        Args:
            answers: Clients, and what reads the vector of each; one is in memory at a time.

        Raises:
            SecureAggregationError: If too few have delivered.
        """
        total = np.zeros(self.length, self.ring.dtype)
        arrived = []
        for client_id, read in answers:
            payload = read()
            if len(payload) != total.nbytes:
                self.refused[client_id] = f"its vector has {len(payload)} bytes, not {total.nbytes}"
                continue
            words = np.frombuffer(payload, self.ring.dtype)
            try:
                self._server.add_vector(MaskedVector(client_id, words))
            except SecureAggregationError as error:
                self.refused[client_id] = error.message
                continue
            total += words
            arrived.append(client_id)
        return self._delivered(arrived), total

    def resume(self, arrived: Collection[int], payload: bytes) -> Survivors:
        """Go on with a sum of masked vectors that was kept; return who has delivered.

        Raises:
            SecureAggregationError: If it is not what was kept.
        """
        if len(payload) != self.length * self.ring.dtype.itemsize:
            raise SecureAggregationError("the sum of the masked vectors is gone or damaged")
        self._server.resume(arrived, np.frombuffer(payload, self.ring.dtype))
        return self._delivered(arrived)

    def confirmations(self, answers: Mapping[int, bytes]) -> Survivors:
        """Return who has delivered, with the signatures of those who have seen that list.

        Raises:
            SecureAggregationError: If too few have signed it.
        """
        delivered = self._server.delivered()
        signed = of_list(self.session, delivered)
        found: list[Confirmed] = []

        def take(client_id: int, said: Confirmed) -> None:
            one = documents.confirmation(said)
            if not is_signed(self.identities[client_id], one.signature, signed):
                raise SecureAggregationError(
                    f"client {client_id} has signed another list of survivors"
                )
            found.append(said)

        self._each(answers, Confirmed, take)
        needed = self.session.threshold(len(self._neighbours))
        if len(found) < needed:
            raise SecureAggregationError(
                f"{len(found)} of at least {needed} clients have signed the list of survivors"
            )
        return Survivors(client_ids=tuple(sorted(delivered)), confirmations=tuple(found))

    def sum(self, answers: Mapping[int, bytes]) -> Words:
        """Return the sum of the vectors of those who have delivered, shape ``(length,)``.

        Raises:
            SecureAggregationError: If a mask cannot be recovered.
        """

        def take(_: int, said: UnmaskingMessage) -> None:
            self._server.add_unmasking(documents.unmasking(said))

        self._each(answers, UnmaskingMessage, take)
        try:
            return self._server.finish()
        finally:
            self.refused = {**self._server.doubted, **self.refused}

    def degree_of(self, client_id: int) -> int:
        """Return how many neighbours a client has that has sent its keys."""
        return len(self._neighbours[client_id])

    def _check(self, ad: Advertisement, subject: bytes) -> None:
        """Refuse keys that the other clients would refuse."""
        who = f"client {ad.client_id}"
        if not is_signed(self.identities[ad.client_id], ad.signature, of_keys(self.session, ad)):
            raise SecureAggregationError(
                f"{who} has not signed its keys with the key that it had when the run began"
            )
        if ad.subject != subject:
            raise SecureAggregationError(
                f"{who} has signed another model, spec, round or members than it was told"
            )
        if not (can_agree(ad.encryption_key) and can_agree(ad.mask_key)):
            raise SecureAggregationError(f"{who} has a key that hides nothing")

    def _delivered(self, arrived: Collection[int]) -> Survivors:
        self._enough(len(arrived), "have sent their vectors")
        return Survivors(client_ids=tuple(sorted(self._server.delivered())))

    def _each(
        self,
        answers: Mapping[int, bytes],
        shape: type[Answered],
        take: Callable[[int, Answered], None],
    ) -> None:
        """Take the answers that are what they must be, each from the client that it names."""
        for client_id, payload in sorted(answers.items()):
            try:
                take(client_id, _said_by(client_id, documents.read(payload, shape)))
            except SecureAggregationError as error:
                self.refused.setdefault(client_id, error.message)

    def _enough(self, count: int, what: str) -> None:
        if count < self.least:
            raise SecureAggregationError(f"{count} of at least {self.least} clients {what}")


def _said_by(client_id: int, said: Answered) -> Answered:
    if said.client_id != client_id:
        raise SecureAggregationError(
            f"client {client_id} has sent a message of client {said.client_id}"
        )
    return said
