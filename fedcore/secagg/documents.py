"""What clients and server send each other, as the documents of ``fedcore.sites.secure``."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from fedcore.secagg.messages import Advertisement, Confirmation, EncryptedShares, Unmasking
from fedcore.secagg.session import SecureAggregationError
from fedcore.sites.secure import (
    Confirmed,
    KeysMessage,
    ShareMessage,
    UnmaskingMessage,
)

#: Bytes of an upload, spaces included: more than any document of its kind takes, whatever the ids.
KEYS_BYTES, CONFIRMED_BYTES = 640, 256
_ENVELOPE_BYTES, _SHARE_MESSAGE_BYTES, _SHARE_BYTES = 128, 512, 192
#: No document is longer, whatever the other side asks for.
_MOST_BYTES = 1 << 24

Document = TypeVar("Document", bound=BaseModel)


def shares_bytes(neighbours: int) -> int:
    """Return how long the upload of shares for so many neighbours is."""
    return _ENVELOPE_BYTES + neighbours * _SHARE_MESSAGE_BYTES


def unmasking_bytes(neighbours: int) -> int:
    """Return how long the upload of a client with so many neighbours is at the end."""
    return _ENVELOPE_BYTES + (neighbours + 1) * _SHARE_BYTES


def as_message(document: BaseModel) -> bytes:
    """Return a document as the bytes of a task's message."""
    return document.model_dump_json().encode()


def padded(document: BaseModel, size: int) -> bytes:
    """Return a document as JSON of exactly so many bytes.

    Raises:
        SecureAggregationError: If it is longer.
    """
    content = as_message(document)
    if not len(content) <= size <= _MOST_BYTES:
        raise SecureAggregationError(f"a message of {len(content)} bytes has room for {size}")
    return content.ljust(size)


def read(payload: bytes, shape: type[Document]) -> Document:
    """Return the document in bytes that somebody else has sent.

    Raises:
        SecureAggregationError: If they hold none; nothing of them is quoted.
    """
    try:
        return shape.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise SecureAggregationError(
            f"a message of the secure sum is damaged: {where}: {first['msg']}"
        ) from error


def keys_message(ad: Advertisement) -> KeysMessage:
    """Return keys as a document."""
    return KeysMessage(
        client_id=ad.client_id,
        encryption_key=ad.encryption_key.hex(),
        mask_key=ad.mask_key.hex(),
        commitment=ad.commitment.hex(),
        subject=ad.subject.hex(),
        signature=ad.signature.hex(),
    )


def advertisement(said: KeysMessage) -> Advertisement:
    """Return the keys in a document."""
    return Advertisement(
        said.client_id,
        bytes.fromhex(said.encryption_key),
        bytes.fromhex(said.mask_key),
        bytes.fromhex(said.commitment),
        bytes.fromhex(said.subject),
        bytes.fromhex(said.signature),
    )


def share_message(shares: EncryptedShares) -> ShareMessage:
    """Return encrypted shares as a document."""
    return ShareMessage(
        sender=shares.sender,
        receiver=shares.receiver,
        nonce=shares.nonce.hex(),
        ciphertext=shares.ciphertext.hex(),
    )


def encrypted_shares(said: ShareMessage) -> EncryptedShares:
    """Return the encrypted shares in a document."""
    nonce, ciphertext = bytes.fromhex(said.nonce), bytes.fromhex(said.ciphertext)
    return EncryptedShares(said.sender, said.receiver, nonce, ciphertext)


def confirmed(one: Confirmation) -> Confirmed:
    """Return a signature of the list of survivors as a document."""
    return Confirmed(client_id=one.client_id, signature=one.signature.hex())


def confirmation(said: Confirmed) -> Confirmation:
    """Return the signature in a document."""
    return Confirmation(said.client_id, bytes.fromhex(said.signature))


def unmasking_message(given: Unmasking) -> UnmaskingMessage:
    """Return shares that a client gives away as a document."""
    return UnmaskingMessage(
        client_id=given.client_id,
        seeds={client: share.hex() for client, share in given.seeds.items()},
        keys={client: share.hex() for client, share in given.keys.items()},
    )


def unmasking(said: UnmaskingMessage) -> Unmasking:
    """Return the shares in a document."""
    return Unmasking(
        said.client_id,
        seeds={client: bytes.fromhex(share) for client, share in said.seeds.items()},
        keys={client: bytes.fromhex(share) for client, share in said.keys.items()},
    )
