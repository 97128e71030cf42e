"""What clients and server send each other, in the order in which they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fedcore.secagg.ring import Words


@dataclass(frozen=True)
class Advertisement:
    """A client's public keys for one round.

    Attributes:
        client_id: Who.
        encryption_key: X25519, for the shares that others send it; 32 bytes.
        mask_key: X25519, for the masks that it shares with neighbours; 32 bytes.
        commitment: SHA-256 that its own mask's seed must have; 32 bytes.
        subject: `Subject.digest` of what it was told; 32 bytes.
        signature: Of all this, by its long-lived Ed25519 key; 64 bytes.
    """

    client_id: int
    encryption_key: bytes
    mask_key: bytes
    commitment: bytes
    subject: bytes
    signature: bytes


@dataclass(frozen=True)
class EncryptedShares:
    """A share of each of a client's two secrets, which only the receiver can read.

    Attributes:
        sender: Whose secrets.
        receiver: Who holds the shares.
        nonce: 12 bytes.
        ciphertext: AES-GCM, with its tag.
    """

    sender: int
    receiver: int
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True)
class MaskedVector:
    """A client's vector under all of its masks; shape ``(n,)``."""

    client_id: int
    words: Words


@dataclass(frozen=True)
class Confirmation:
    """A client's signature of the list of those whose vectors have arrived."""

    client_id: int
    signature: bytes


@dataclass(frozen=True)
class Unmasking:
    """The shares that a client gives away.

    Attributes:
        client_id: Who held them.
        seeds: Shares of the own masks of those whose vectors have arrived, by client.
        keys: Shares of the mask keys of those that were lost, by client.
    """

    client_id: int
    seeds: Mapping[int, bytes]
    keys: Mapping[int, bytes]
