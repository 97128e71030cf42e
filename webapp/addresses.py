"""Which network addresses are public, and which private ones may be reached all the same."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
ANYWHERE: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
#: IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits.
_NAT64 = ip_network("64:ff9b::/96")


def may_be_reached(address: Address, allowed: Sequence[Network]) -> bool:
    """Return whether an address is public, or private and allowed."""
    meant = _meant(address)
    if any(meant in network for network in allowed):
        return True
    return meant.is_global and not meant.is_multicast


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def literal_address(host: str) -> Address | None:
    """Return the address that a host is written as; None if it is a name to be looked up."""
    if host == "localhost":
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host)
    except ValueError:
        return None
