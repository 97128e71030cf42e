"""Shamir's secret sharing over the field of 2^521 - 1 (CACM 1979), for secrets of 32 bytes.

Any ``threshold`` shares give the secret; fewer give a wrong one and no sign of it, so that who
recovers a secret must compare it with a commitment.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping

PRIME = 2**521 - 1
SECRET_BYTES, SHARE_BYTES = 32, 66


def split(secret: bytes, holders: Collection[int], threshold: int) -> dict[int, bytes]:
    """Return a share for every holder, by id.

    Args:
        secret: 32 bytes.
        holders: Ids, 0 or more, each once.
        threshold: How many shares give the secret back.

    Raises:
        ValueError: If the secret has another length, or there are fewer holders than that.
    """
    if len(secret) != SECRET_BYTES or not 1 <= threshold <= len(set(holders)):
        raise ValueError("a secret has 32 bytes, and at least as many holders as the threshold")
    coefficients = [
        int.from_bytes(secret),
        *(secrets.randbelow(PRIME) for _ in range(threshold - 1)),
    ]
    return {holder: _at(coefficients, holder + 1).to_bytes(SHARE_BYTES) for holder in holders}


def recover(shares: Mapping[int, bytes]) -> bytes | None:
    """Return what these shares have at zero, 32 bytes; None if that is no secret."""
    value = _between(shares, 0)
    if value is None or value >= 2 ** (8 * SECRET_BYTES):
        return None
    return value.to_bytes(SECRET_BYTES)


def fits(shares: Mapping[int, bytes], holder: int, share: bytes) -> bool:
    """Return whether another holder's share is of the same secret as these."""
    return len(share) == SHARE_BYTES and _between(shares, holder + 1) == int.from_bytes(share)


def _between(shares: Mapping[int, bytes], at: int) -> int | None:
    """Return what the polynomial through shares has at a place; None if one is no share."""
    if any(len(share) != SHARE_BYTES for share in shares.values()):
        return None
    points = {holder + 1: int.from_bytes(share) for holder, share in shares.items()}
    value = 0
    for place, share in points.items():
        above = below = 1
        for other in points:
            if other != place:
                above = above * (other - at) % PRIME
                below = below * (other - place) % PRIME
        value = (value + share * above * pow(below, -1, PRIME)) % PRIME
    return value


def _at(coefficients: list[int], place: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * place + coefficient) % PRIME
    return value
