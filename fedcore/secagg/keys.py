"""Keys that two clients agree on, and the masks that are drawn from keys."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fedcore.secagg.ring import Ring, Words

KEY_BYTES = 32


def agree(private: bytes, public: bytes, info: bytes) -> bytes:
    """Return the 32 bytes that both ends of two X25519 key pairs derive (HKDF-SHA256, no salt).

    Raises:
        ValueError: If the public key is of low order, so that there is no secret.
    """
    shared = X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(public)
    )
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(shared)


def can_agree(public: bytes) -> bool:
    """Return whether others can agree on a secret with the owner of a public X25519 key."""
    try:
        agree(X25519PrivateKey.generate().private_bytes_raw(), public, b"")
    except ValueError:
        return False
    return True


def public_of(private: bytes) -> bytes:
    """Return the public key of a private X25519 key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def mask_of(key: bytes, length: int, ring: Ring) -> Words:
    """Return ``length`` words that a key stands for: AES-256-CTR from zero, little-endian."""
    stream = Cipher(AES(key), CTR(bytes(16))).encryptor()
    return np.frombuffer(stream.update(bytes(length * ring.dtype.itemsize)), ring.dtype)
