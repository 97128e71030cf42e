"""The stages of a secure sum as documents: what `fedcore.secagg` exchanges, in JSON.

Each stage is a task of its own. The server passes on what it cannot read. A site trains before it
shows its keys, so that whoever is lost while it trains has no mask that others must recover.

===================  =================================  =======================================
task                 its message                        the site's upload
===================  =================================  =======================================
``secure_keys``      the model, as for ``train``        `KeysMessage`
``secure_shares``    `KeyList`: everybody's keys        `ShareList`, one share for each neighbour
``secure_masked``    `SharesForOne`                     the masked vector, words of the ring
``secure_confirm``   `Survivors`                        `Confirmed`
``secure_unmask``    `Survivors`, with confirmations    `UnmaskingMessage`
===================  =================================  =======================================

Uploads are as long as the task says: documents end in spaces.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fedcore.sites.base import Asked, Count, Hex32, Hex64

_MOST = 10_000
#: A Shamir share: the value at the receiver's place, as hexadecimal digits.
Share = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2}){1,100}$")]


class KeysMessage(Asked):
    """`fedcore.secagg.Advertisement`; ``subject`` is what `fedcore.secagg.subject.Subject` says."""

    client_id: Count
    encryption_key: Hex32
    mask_key: Hex32
    commitment: Hex32
    subject: Hex32
    signature: Hex64


class KeyList(Asked):
    """Everybody's keys."""

    keys: tuple[KeysMessage, ...] = Field(max_length=_MOST)


class ShareMessage(Asked):
    """`fedcore.secagg.EncryptedShares`."""

    sender: Count
    receiver: Count
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
    ciphertext: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2}){16,400}$")]


class ShareList(Asked):
    """The shares that a client has for its neighbours."""

    client_id: Count
    shares: tuple[ShareMessage, ...] = Field(max_length=_MOST)


class SharesForOne(Asked):
    """The shares that neighbours have sent to a client."""

    shares: tuple[ShareMessage, ...] = Field(max_length=_MOST)


class Confirmed(Asked):
    """`fedcore.secagg.Confirmation`."""

    client_id: Count
    signature: Hex64


class Survivors(Asked):
    """Whose vectors have arrived, and who has signed that list so far."""

    client_ids: tuple[Count, ...] = Field(max_length=_MOST)
    confirmations: tuple[Confirmed, ...] = Field((), max_length=_MOST)


class UnmaskingMessage(Asked):
    """`fedcore.secagg.Unmasking`; of no client both secrets are given away."""

    client_id: Count
    seeds: dict[Count, Share] = Field(max_length=_MOST)
    keys: dict[Count, Share] = Field(max_length=_MOST)
