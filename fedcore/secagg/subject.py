"""What a secure sum is about, as each of its clients was told; they sign it with their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

_DOMAIN = b"roundhouse secagg subject 1\0"


@dataclass(frozen=True)
class Subject:
    """All that decides what a client's vector says, and who else is in the sum.

    A server that tells other clients something else, such as another learning rate, would see a
    client's vector in the sum. So clients make a sum only with those who have signed the same.

    Attributes:
        model: SHA-256 of the message that is trained, as hexadecimal digits.
        spec: SHA-256 of the run's spec, as hexadecimal digits.
        round_index: Of the round.
        cohort_size: Clients that are asked in it.
        members: Public half of the long-lived key of each client of the run.
    """

    model: str
    spec: str
    round_index: int
    cohort_size: int
    members: Mapping[int, bytes]

    def digest(self) -> bytes:
        """Return the SHA-256 of all this; every part says where it ends."""
        found = hashlib.sha256(_DOMAIN + bytes.fromhex(self.model) + bytes.fromhex(self.spec))
        for number in (self.round_index, self.cohort_size, len(self.members)):
            found.update(number.to_bytes(8))
        for client_id, key in sorted(self.members.items()):
            found.update(client_id.to_bytes(8) + len(key).to_bytes(8) + key)
        return found.digest()
