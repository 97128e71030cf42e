"""The client's side of a secure sum, which gives away nothing but what the protocol asks for."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
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

_NONCE_BYTES = 12


@dataclass(frozen=True)
class _Held:
    """Shares of another client's secrets."""

    key: bytes
    seed: bytes


@dataclass(eq=False)
class Participant:
    """One client in one sum; its methods are called once each, in the order in which they stand.

    Attributes:
        session: The sum.
        client_id: Who this is, 0 or more.
        identity: Its long-lived key.
        identities: The public half of everybody's, 32 bytes each, by client. They must not come
            from the server, or it could stand in for everybody.
    """

    session: Session
    client_id: int
    identity: Ed25519PrivateKey
    identities: Mapping[int, bytes]
    _encryption_key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES))
    _mask_key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES))
    _seed: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES))
    _known: dict[int, Advertisement] = field(default_factory=dict)
    _neighbours: frozenset[int] = frozenset()
    _held: dict[int, _Held] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)

    def advertise(self) -> Advertisement:
        """Return the public keys of this round."""
        self._once("advertise")
        keys = (public_of(self._encryption_key), public_of(self._mask_key))
        commitment = self.session.commitment(self.client_id, self._seed)
        signed = _advertised(self.session, self.client_id, *keys, commitment)
        return Advertisement(self.client_id, *keys, commitment, self.identity.sign(signed))

    def share(self, advertisements: Sequence[Advertisement]) -> list[EncryptedShares]:
        """Return shares of both secrets for every neighbour.

        Args:
            advertisements: Those of all who take part, with this client's own.

        Raises:
            SecureAggregationError: If they are too few, one is not signed by whom it names, or
                this client's own was changed.
        """
        self._once("share", after="advertise")
        self._known = {ad.client_id: ad for ad in advertisements}
        if len(self._known) < max(FEWEST, len(advertisements)):
            raise SecureAggregationError(
                f"a sum takes {FEWEST} or more clients, each named once; "
                f"{len(self._known)} were named"
            )
        own = self._known.get(self.client_id)
        if own is None or own.mask_key != public_of(self._mask_key):
            raise SecureAggregationError("the list of keys does not hold this client's own")
        for ad in advertisements:
            signed = _advertised(
                self.session, ad.client_id, ad.encryption_key, ad.mask_key, ad.commitment
            )
            self._verify(ad.client_id, ad.signature, signed, "its keys")
        self._neighbours = self.session.neighbours(self._known)[self.client_id]
        holders = {*self._neighbours, self.client_id}
        threshold = self._threshold
        keys = shamir.split(self._mask_key, holders, threshold)
        seeds = shamir.split(self._seed, holders, threshold)
        self._held[self.client_id] = _Held(keys[self.client_id], seeds[self.client_id])
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
            self._held[shares.sender] = self._decrypted(shares)
        if len(self._held) < self._threshold:
            raise SecureAggregationError(
                f"{len(self._held)} of {self._threshold} clients are left that hold shares"
            )
        masked = words + mask_of(self._seed, len(words), ring)
        for other in self._held.keys() - {self.client_id}:
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
        signature = self.identity.sign(_delivered(self.session, delivered))
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
        signed = _delivered(self.session, delivered)
        valid = {
            one.client_id
            for one in confirmations
            if one.client_id in self._held and self._is_signed(one, signed)
        }
        if len(valid) < self._threshold:
            raise SecureAggregationError(
                f"{len(valid)} of {self._threshold} clients have signed this list of survivors"
            )
        arrived = set(delivered)
        return Unmasking(
            self.client_id,
            seeds={i: held.seed for i, held in self._held.items() if i in arrived},
            keys={i: held.key for i, held in self._held.items() if i not in arrived},
        )

    @property
    def _threshold(self) -> int:
        return self.session.threshold(len(self._known))

    def _once(self, step: str, after: str | None = None) -> None:
        """Refuse a step that was taken before, or whose predecessor was not."""
        if step in self._done or (after is not None and after not in self._done):
            raise SecureAggregationError(f"this client does not {step} now")
        self._done.add(step)

    def _check(self, delivered: Collection[int]) -> None:
        arrived = set(delivered)
        needed = self.session.least(len(self._known))
        if len(arrived) < needed:
            raise SecureAggregationError(f"{len(arrived)} of {needed} vectors have arrived")
        if self.client_id not in arrived or not arrived <= self._known.keys():
            raise SecureAggregationError("the list of survivors names others than took part")

    def _agreed(self, purpose: str, other: int) -> bytes:
        known = self._known[other]
        mine, theirs = (
            (self._mask_key, known.mask_key)
            if purpose == "mask"
            else (self._encryption_key, known.encryption_key)
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

    def _decrypted(self, shares: EncryptedShares) -> _Held:
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
        return _Held(both[: shamir.SHARE_BYTES], both[shamir.SHARE_BYTES :])

    def _verify(self, client_id: int, signature: bytes, signed: bytes, what: str) -> None:
        identity = self.identities.get(client_id)
        if identity is None:
            raise SecureAggregationError(f"nobody knows client {client_id}")
        try:
            Ed25519PublicKey.from_public_bytes(identity).verify(signature, signed)
        except (InvalidSignature, ValueError) as error:
            raise SecureAggregationError(
                f"client {client_id} has not signed {what} itself"
            ) from error

    def _is_signed(self, one: Confirmation, signed: bytes) -> bool:
        try:
            self._verify(one.client_id, one.signature, signed, "the list")
        except SecureAggregationError:
            return False
        return True


def _advertised(
    session: Session, client_id: int, encryption_key: bytes, mask_key: bytes, commitment: bytes
) -> bytes:
    """Return what a client signs of its keys."""
    return session.info("keys", client_id) + encryption_key + mask_key + commitment


def _delivered(session: Session, delivered: Collection[int]) -> bytes:
    """Return what clients sign of the list of those whose vectors have arrived."""
    return session.info("delivered", *sorted(set(delivered)))
