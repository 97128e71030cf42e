"""A secret from shares of which some may be wrong: it is known by what was published of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import comb
from random import SystemRandom

from fedcore.secagg import shamir

#: Subsets of shares that are tried until one gives what was committed to.
_TRIES = 1000


@dataclass(frozen=True)
class Recovered:
    """A secret.

    Attributes:
        secret: 32 bytes.
        odd: Holders whose shares are not of it; they or its owner have changed them.
    """

    secret: bytes
    odd: frozenset[int]


def recover(
    shares: Mapping[int, bytes],
    threshold: int,
    is_right: Callable[[bytes], bool],
    doubted: Collection[int] = (),
) -> Recovered | None:
    """Return a secret, or None if no shares that were tried give it.

    Args:
        shares: By holder; ``threshold`` or more.
        threshold: How many shares give the secret.
        is_right: Tells whether it is what its owner has published.
        doubted: Holders of odd shares of other secrets; they are asked last.
    """
    trusted = sorted(shares.keys() - set(doubted))
    among = (trusted, sorted(shares)) if len(trusted) < len(shares) else (trusted,)
    for some in chain.from_iterable(_subsets(holders, threshold) for holders in among):
        used = {holder: shares[holder] for holder in some}
        secret = shamir.recover(used)
        if secret is not None and is_right(secret):
            others = {holder: share for holder, share in shares.items() if holder not in used}
            odd = frozenset(who for who in others if not shamir.fits(used, who, others[who]))
            return Recovered(secret, odd)
    return None


def _subsets(holders: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    """Yield subsets: all if they are few, else such that each holder is soon left out."""
    count = len(holders)
    if comb(count, size) <= _TRIES:
        yield from combinations(holders, size)
        return
    ring = [*holders, *holders]
    for start in range(count):  # these leave everybody out, each at least once
        yield tuple(ring[start * size % count : start * size % count + size])
    for _ in range(_TRIES - count):
        yield tuple(SystemRandom().sample(holders, size))
