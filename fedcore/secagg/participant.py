"""The client's side of a secure sum, which gives away nothing but what the protocol asks for."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fedcore.secagg import shamir
from fedcore.secagg.keys import KEY_BYTES, agree, mask_of, public_of
from fedcore.secagg.messages import (
    Advertisement,
    Confirmation,
    EncryptedShares,
    MaskedVector,
    Unmasking,
)
from fedcore.secagg.ring import Ring, Words
from fedcore.secagg.session import FEWEST, SecureAggregationError, Session
from fedcore.secagg.signatures import is_signed, of_keys, of_list

#: Subject of vectors that are made from nothing in common.
NOTHING = bytes(32)
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Held:
    """Shares of another client's secrets."""

    key: bytes
    seed: bytes


def _secret() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


@dataclass(eq=False)
class Memory:
    """All that a client knows of a sum from one step to the next; most of it is secret.

    A client that forgets it is lost to the sum. One that goes back to an older memory may give away
    twice what it may give away once.

    Attributes:
        encryption_key: X25519, private.
        mask_key: X25519, private.
        seed: Of its own mask.
        known: Everybody's keys.
        held: Shares of the secrets of its neighbours, and of its own.
        confirmed: The list of survivors that it has signed.
        done: Steps that it has taken.
    """

    encryption_key: bytes = field(default_factory=_secret)
    mask_key: bytes = field(default_factory=_secret)
    seed: bytes = field(default_factory=_secret)
    known: dict[int, Advertisement] = field(default_factory=dict)
    held: dict[int, Held] = field(default_factory=dict)
    confirmed: set[int] = field(default_factory=set)
    done: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Participant:
    """One client in one sum; its methods are called once each, in the order in which they stand.

    Attributes:
        session: The sum.
        client_id: Who this is, 0 or more.
        identity: Its long-lived key.
        identities: The public half of everybody's, 32 bytes each, by client. They must not come
            from the server, or it could stand in for everybody.
        memory: What it knows; a fresh one begins, a kept one goes on.
    """

    session: Session
    client_id: int
    identity: Ed25519PrivateKey
    identities: Mapping[int, bytes]
    memory: Memory = field(default_factory=Memory)

    def advertise(self, subject: bytes = NOTHING) -> Advertisement:
        """Return the public keys of this round.

        Args:
            subject: `Subject.digest` of what this client was told, which must be the same for all:
                a server that gave others a model without a slope would see this client's vector.
        """
        self._once("advertise")
        keys = (public_of(self.memory.encryption_key), public_of(self.memory.mask_key))
        commitment = self.session.commitment(self.client_id, self.memory.seed)
        unsigned = Advertisement(self.client_id, *keys, commitment, subject, b"")
        return replace(unsigned, signature=self.identity.sign(of_keys(self.session, unsigned)))

    def share(self, advertisements: Sequence[Advertisement]) -> list[EncryptedShares]:
        """Return shares of both secrets for every neighbour.

        Args:
            advertisements: Those of all who take part, with this client's own.

        Raises:
            SecureAggregationError: If they are too few, one is not signed by whom it names, this
                client's own was changed, or they have different subjects.
        """
        self._once("share", after="advertise")
        self.memory.known = {ad.client_id: ad for ad in advertisements}
        if len(self.memory.known) < max(FEWEST, len(advertisements)):
            raise SecureAggregationError(
                f"a sum takes {FEWEST} or more clients, each named once; "
                f"{len(self.memory.known)} were named"
            )
        own = self.memory.known.get(self.client_id)
        if own is None or own.mask_key != public_of(self.memory.mask_key):
            raise SecureAggregationError("the list of keys does not hold this client's own")
        for ad in advertisements:
            self._verify(ad)
        if len({ad.subject for ad in advertisements}) > 1:
            raise SecureAggregationError(
                "clients were told different things: a model, spec, round or members of their own"
            )
        holders = {*self._neighbours, self.client_id}
        threshold = self._threshold
        keys = shamir.split(self.memory.mask_key, holders, threshold)
        seeds = shamir.split(self.memory.seed, holders, threshold)
        self.memory.held[self.client_id] = Held(keys[self.client_id], seeds[self.client_id])
        return [self._encrypted(other, keys[other] + seeds[other]) for other in self._neighbours]

    def mask(self, inbox: Sequence[EncryptedShares], words: Words, ring: Ring) -> MaskedVector:
        """Return the vector under its own mask and one for each neighbour that has sent shares.

        Args:
            inbox: Shares that neighbours have sent to this client.
            words: The vector as `Ring` encodes it, shape ``(n,)``.
            ring: What masks are added in.

        Raises:
            SecureAggregationError: If too few neighbours are left, or shares were changed on the
                way.
        """
        self._once("mask", after="share")
        for shares in inbox:
            self.memory.held[shares.sender] = self._decrypted(shares)
        if len(self.memory.held) < self._threshold:
            raise SecureAggregationError(
                f"{len(self.memory.held)} of {self._threshold} clients are left that hold shares"
            )
        masked = words + mask_of(self.memory.seed, len(words), ring)
        for other in self.memory.held.keys() - {self.client_id}:
            pair = mask_of(self._agreed("mask", other), len(words), ring)
            masked = masked + pair if self.client_id > other else masked - pair
        return MaskedVector(self.client_id, masked)

    def confirm(self, delivered: Collection[int]) -> Confirmation:
        """Return a signature of the list of clients whose vectors have arrived.

        Raises:
            SecureAggregationError: If the list holds too few, or clients that did not take part.
        """
        self._once("confirm", after="mask")
        self._check(delivered)
        self.memory.confirmed = set(delivered)
        signature = self.identity.sign(of_list(self.session, delivered))
        return Confirmation(self.client_id, signature)

    def unmask(
        self, delivered: Collection[int], confirmations: Sequence[Confirmation]
    ) -> Unmasking:
        """Return shares: of own masks for those who delivered, of keys for those who did not.

        Never of both for one client: it answers once in a round, for one list, which enough of its
        neighbours have signed.

        Raises:
            SecureAggregationError: If it has answered before, or the list is not the one that
                others were shown.
        """
        self._once("unmask", after="confirm")
        self._check(delivered)
        if set(delivered) != self.memory.confirmed:
            raise SecureAggregationError("this client has signed another list of survivors")
        signed = of_list(self.session, delivered)
        valid = {
            one.client_id
            for one in confirmations
            if one.client_id in self.memory.held and self._is_signed(one, signed)
        }
        if len(valid) < self._threshold:
            raise SecureAggregationError(
                f"{len(valid)} of {self._threshold} clients have signed this list of survivors"
            )
        arrived = set(delivered)
        return Unmasking(
            self.client_id,
            seeds={i: held.seed for i, held in self.memory.held.items() if i in arrived},
            keys={i: held.key for i, held in self.memory.held.items() if i not in arrived},
        )

    @property
    def _threshold(self) -> int:
        return self.session.threshold(len(self.memory.known))

    @property
    def _neighbours(self) -> frozenset[int]:
        return self.session.neighbours(self.memory.known)[self.client_id]

    def _once(self, step: str, after: str | None = None) -> None:
        """Refuse a step that was taken before, or whose predecessor was not."""
        if step in self.memory.done or (after is not None and after not in self.memory.done):
            raise SecureAggregationError(f"this client does not {step} now")
        self.memory.done.add(step)

    def _check(self, delivered: Collection[int]) -> None:
        arrived = set(delivered)
        needed = self.session.least(len(self.memory.known))
        if len(arrived) < needed:
            raise SecureAggregationError(f"{len(arrived)} of {needed} vectors have arrived")
        if self.client_id not in arrived or not arrived <= self.memory.known.keys():
            raise SecureAggregationError("the list of survivors names others than took part")

    def _agreed(self, purpose: str, other: int) -> bytes:
        known = self.memory.known[other]
        mine, theirs = (
            (self.memory.mask_key, known.mask_key)
            if purpose == "mask"
            else (self.memory.encryption_key, known.encryption_key)
        )
        pair = (min(self.client_id, other), max(self.client_id, other))
        try:
            return agree(mine, theirs, self.session.info(purpose, *pair))
        except ValueError as error:
            raise SecureAggregationError(f"client {other} has a key that hides nothing") from error

    def _encrypted(self, receiver: int, shares: bytes) -> EncryptedShares:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        header = self.session.info("share", self.client_id, receiver)
        cipher = AESGCM(self._agreed("encryption", receiver))
        return EncryptedShares(
            self.client_id, receiver, nonce, cipher.encrypt(nonce, shares, header)
        )

    def _decrypted(self, shares: EncryptedShares) -> Held:
        sender = shares.sender
        if shares.receiver != self.client_id or sender not in self._neighbours:
            raise SecureAggregationError(f"shares of client {sender} are not for this client")
        header = self.session.info("share", sender, self.client_id)
        cipher = AESGCM(self._agreed("encryption", sender))
        try:
            both = cipher.decrypt(shares.nonce, shares.ciphertext, header)
        except (InvalidTag, ValueError) as error:
            raise SecureAggregationError(
                f"shares of client {sender} were changed on the way"
            ) from error
        if len(both) != 2 * shamir.SHARE_BYTES:
            raise SecureAggregationError(f"client {sender} sent something that is no shares")
        return Held(both[: shamir.SHARE_BYTES], both[shamir.SHARE_BYTES :])

    def _verify(self, ad: Advertisement) -> None:
        identity = self.identities.get(ad.client_id)
        if identity is None:
            raise SecureAggregationError(f"nobody knows client {ad.client_id}")
        if not is_signed(identity, ad.signature, of_keys(self.session, ad)):
            raise SecureAggregationError(f"client {ad.client_id} has not signed its keys itself")

    def _is_signed(self, one: Confirmation, signed: bytes) -> bool:
        identity = self.identities.get(one.client_id)
        return identity is not None and is_signed(identity, one.signature, signed)
