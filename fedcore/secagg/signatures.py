"""What clients sign of a secure sum with their long-lived keys, and whether they have."""

from __future__ import annotations

from collections.abc import Collection

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fedcore.secagg.messages import Advertisement
from fedcore.secagg.session import Session


def of_keys(session: Session, ad: Advertisement) -> bytes:
    """Return what a client signs of its keys."""
    parts = (ad.encryption_key, ad.mask_key, ad.commitment, ad.subject)
    return session.info("keys", ad.client_id) + b"".join(parts)


def of_list(session: Session, delivered: Collection[int]) -> bytes:
    """Return what clients sign of the list of those whose vectors have arrived."""
    return session.info("delivered", *sorted(set(delivered)))


def is_signed(identity: bytes, signature: bytes, signed: bytes) -> bool:
    """Return whether the owner of an Ed25519 key, public half 32 bytes, has signed something."""
    try:
        Ed25519PublicKey.from_public_bytes(identity).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
