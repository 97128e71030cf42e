"""Machines that reach nothing but the server: network namespaces joined by one wire each."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: Set in the process that runs inside the server's namespace.
INSIDE = "ROUNDHOUSE_BENCH_NAMESPACES"


@dataclass(frozen=True)
class Place:
    """Where a site's processes run, and under which address it knows the server."""

    prefix: tuple[str, ...]
    server_address: str
    own_address: str


class NotPermittedError(Exception):
    """This machine does not let us make network namespaces."""


def ip(*arguments: str) -> None:
    """Run ``ip``.

    Raises:
        NotPermittedError: If it is not there, or not permitted.
    """
    program = shutil.which("ip") or "/usr/sbin/ip"
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotPermittedError(f"ip cannot be run: {error}") from error
    if done.returncode != 0:
        raise NotPermittedError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@contextmanager
def namespaces(count: int) -> Iterator[tuple[str, list[Place]]]:
    """Yield the server's namespace and the sites' places; all is gone afterwards.

    Raises:
        NotPermittedError: If that cannot be done here.
    """
    tag = f"rh{os.getpid()}"
    server = f"{tag}s"
    with ExitStack() as stack:
        _add(stack, server)
        places = []
        for number in range(1, count + 1):
            name, there, here = f"{tag}n{number}", f"10.77.{number}.1", f"10.77.{number}.2"
            _add(stack, name)
            ends = f"v{os.getpid()}a{number}", f"v{os.getpid()}b{number}"
            ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
            for end, space, address in ((ends[0], server, there), (ends[1], name, here)):
                ip("link", "set", end, "netns", space)
                ip("-n", space, "address", "add", f"{address}/30", "dev", end)
                ip("-n", space, "link", "set", end, "up")
            program = shutil.which("ip") or "/usr/sbin/ip"
            places.append(Place((program, "netns", "exec", name), there, here))
        yield server, places


def _add(stack: ExitStack, name: str) -> None:
    ip("netns", "add", name)
    stack.callback(ip, "netns", "del", name)
    ip("-n", name, "link", "set", "lo", "up")


def listening(place: Place) -> list[str]:
    """Return the addresses on which a site's machine can be reached from another one."""
    shown = subprocess.run(
        [*place.prefix, "cat", "/proc/net/tcp", "/proc/net/tcp6"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    state_listen, loopback = "0A", ("0100007F", "00000000000000000000000001000000")
    rows = (line.split() for line in shown.splitlines())
    return [
        row[1] for row in rows if row[3] == state_listen and row[1].split(":")[0] not in loopback
    ]


def certificate(folder: Path, addresses: list[str]) -> tuple[Path, ssl.SSLContext]:
    """Return a certificate for some addresses, and what a server needs to use it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "roundhouse benchmark")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(a)) for a in addresses]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server-key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context
