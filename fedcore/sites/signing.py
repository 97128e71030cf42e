"""How a site proves who it is: it signs each request with a key that never leaves it.

What is signed names the protocol, so that no signature made for one purpose is good for another,
and all of the request that means something: method, target, body, time and a number used once.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

#: Scheme of the Authorization header.
SCHEME: Final = "Roundhouse-Site"
#: How far a site's clock may be from the server's, either way. The answer to a request beyond it
#: says what time the server has, so that the site can correct itself and ask again.
MAX_SKEW_S: Final = 120
#: So long a nonce is remembered: as long as its signature could be shown again.
NONCE_LIFE_S: Final = 2 * MAX_SKEW_S + 60

_REQUEST = "roundhouse site request 1"
_ENROLMENT = "roundhouse site enrolment 1"
_ROTATION = "roundhouse site rotation 1"
_PARTS = 4
_NONCE_DIGITS = 32
_SIGNATURE_DIGITS = 128
_MOST_TIME_DIGITS = 12


class NotSignedError(ValueError):
    """A header is not one that `Credential.to_header` makes."""


@dataclass(frozen=True)
class Credential:
    """What the Authorization header of a request says.

    Attributes:
        site_id: Who asks.
        time: Seconds since 1970, by the site's clock, corrected if the server has told it to.
        nonce: 32 hexadecimal digits, never used twice.
        signature: By the site's Ed25519 key, as hexadecimal digits.
    """

    site_id: UUID
    time: int
    nonce: str
    signature: str

    def to_header(self) -> str:
        """Return the header's value."""
        return f"{SCHEME} {self.site_id} {self.time} {self.nonce} {self.signature}"

    @classmethod
    def of_header(cls, value: str) -> Self:
        """Return what a header says.

        Raises:
            NotSignedError: If it is another kind of header, or badly formed.
        """
        scheme, _, rest = value.partition(" ")
        parts = rest.split(" ")
        if scheme != SCHEME or len(parts) != _PARTS:
            raise NotSignedError(f"not a header of the scheme {SCHEME}")
        site_id, time, nonce, signature = parts
        if not (time.isascii() and time.isdigit() and len(time) <= _MOST_TIME_DIGITS):
            raise NotSignedError("the time is not a whole number of seconds")
        if not (_is_hex(nonce, _NONCE_DIGITS) and _is_hex(signature, _SIGNATURE_DIGITS)):
            raise NotSignedError("the nonce or the signature is badly formed")
        try:
            return cls(UUID(site_id), int(time), nonce, signature)
        except ValueError:
            raise NotSignedError("the site's id is badly formed") from None


@dataclass(frozen=True)
class Request:
    """What is signed of a request.

    Attributes:
        method: In capitals.
        target: Path and, if there is one, ``?`` and query, exactly as sent, from ``/api/`` or
            ``/ws/`` on: a proxy may have put something before it.
        body: All of it.
    """

    method: str
    target: str
    body: bytes = b""

    def signed_by(self, key: Ed25519PrivateKey, site_id: UUID, *, time: int) -> Credential:
        """Return the proof that a site makes this request at a time."""
        nonce = secrets.token_hex(_NONCE_DIGITS // 2)
        signature = key.sign(self._text(site_id, time, nonce)).hex()
        return Credential(site_id, time, nonce, signature)

    def is_signed(self, credential: Credential, public_key: bytes) -> bool:
        """Return whether a credential was made for this request by the owner of a key.

        Whether it is recent, and new, is another question.
        """
        text = self._text(credential.site_id, credential.time, credential.nonce)
        return _verify(public_key, credential.signature, text)

    def _text(self, site_id: UUID, time: int, nonce: str) -> bytes:
        digest = hashlib.sha256(self.body).hexdigest()
        lines = (_REQUEST, str(site_id), self.method, self.target, digest, str(time), nonce)
        return "\n".join(lines).encode()


def prove_enrolment(key: Ed25519PrivateKey, code: str) -> str:
    """Return the proof that whoever has the code has the key: a signature, hexadecimal."""
    return key.sign(_bound(_ENROLMENT, code, public_key_of(key))).hex()


def is_enrolment_proven(public_key: str, code: str, proof: str) -> bool:
    """Return whether a proof is by the owner of a public key, for this code."""
    return _verify(_bytes(public_key), proof, _bound(_ENROLMENT, code, public_key))


def prove_rotation(new_key: Ed25519PrivateKey, site_id: UUID) -> str:
    """Return the proof that a site has the new key; the request itself is signed by the old."""
    return new_key.sign(_bound(_ROTATION, str(site_id), public_key_of(new_key))).hex()


def is_rotation_proven(public_key: str, site_id: UUID, proof: str) -> bool:
    """Return whether a proof is by the owner of a public key, for this site."""
    return _verify(_bytes(public_key), proof, _bound(_ROTATION, str(site_id), public_key))


def public_key_of(key: Ed25519PrivateKey) -> str:
    """Return the public half of a key, hexadecimal."""
    return key.public_key().public_bytes_raw().hex()


def fingerprint(public_key: str) -> str:
    """Return what two people read to each other: the first 128 bits of the key's SHA-256."""
    digest = hashlib.sha256(_bytes(public_key)).hexdigest()[:32]
    return ":".join(digest[place : place + 4] for place in range(0, len(digest), 4))


def _bound(purpose: str, to: str, public_key: str) -> bytes:
    return f"{purpose}\n{hashlib.sha256(to.encode()).hexdigest()}\n{public_key}".encode()


def _verify(public_key: bytes, signature: str, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and all(letter in "0123456789abcdef" for letter in text)
