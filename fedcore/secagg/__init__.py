"""Secure aggregation: the server learns the sum of the clients' vectors and nothing else of them.

Bonawitz et al., CCS 2017 (eprint 2017/281), with the graph of Bell et al., CCS 2020 (eprint
2020/704). Every pair of neighbours agrees on a mask that one adds and the other subtracts, and
every client adds a mask of its own; both can be recovered from shares that neighbours hold, the
first kind for clients that are lost, the second for those that are not, never both for one client.

`Participant` is the client's side and `Coordinator` the server's; `Session` is what both know
beforehand. Messages are plain data: how they travel is somebody else's business.

What this does not do: a server that makes up clients is only kept out by the list of identities,
which must reach clients some other way; what a client sends is not checked, as nobody can see it;
sums of overlapping cohorts can be subtracted from each other, which takes differential privacy to
prevent; Python erases no keys from memory, and its arithmetic does not take constant time. Nobody
has audited this.
"""

from fedcore.secagg.coordinator import Coordinator
from fedcore.secagg.messages import (
    Advertisement,
    Confirmation,
    EncryptedShares,
    MaskedVector,
    Unmasking,
)
from fedcore.secagg.participant import Memory, Participant
from fedcore.secagg.ring import Ring
from fedcore.secagg.session import SecureAggregationError, Session

__all__ = [
    "Advertisement",
    "Confirmation",
    "Coordinator",
    "EncryptedShares",
    "MaskedVector",
    "Memory",
    "Participant",
    "Ring",
    "SecureAggregationError",
    "Session",
    "Unmasking",
]
