"""How the server is recognised: by a certificate that is trusted and, if wanted, by its key."""

from __future__ import annotations

import hashlib
import socket
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class PinError(ssl.SSLCertVerificationError):
    """The server has another key than the site expects."""


class PinnedContext(ssl.SSLContext):
    """A TLS context that lets in servers with certain public keys alone, besides all other checks.

    A key may stay the same when its certificate is renewed, so it is the key that is pinned.
    """

    #: SHA-256 of public keys (SubjectPublicKeyInfo, DER), as hexadecimal digits.
    pins: frozenset[str] = frozenset()

    def wrap_socket(self, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """Return the encrypted connection, after the handshake.

        Raises:
            PinError: If the server's key is not among those that are pinned.
        """
        connection = super().wrap_socket(sock, *args, **kwargs)
        found = key_hash(connection.getpeercert(binary_form=True) or b"")
        if found not in self.pins:
            connection.close()
            raise PinError(f"the server's public key has the SHA-256 {found}, which is not pinned")
        return connection

    def wrap_bio(self, *_args: Any, **_kwargs: Any) -> ssl.SSLObject:
        """Refuse: what is encrypted within another encryption would pass unchecked.

        Raises:
            PinError: Always.
        """
        raise PinError("a pinned key cannot be checked through a proxy that is reached by https://")


def tls_context(ca_file: Path | None, pins: frozenset[str]) -> ssl.SSLContext:
    """Return how to talk to the server: TLS 1.2 or newer, host name and certificate checked.

    Raises:
        OSError: If the file of certificates cannot be read.
        ssl.SSLError: If it holds none.
    """
    context: ssl.SSLContext = ssl.create_default_context()
    if pins:
        pinned = PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
        pinned.pins = pins
        if ca_file is None:
            pinned.load_default_certs()
        context = pinned
    if ca_file is not None:
        if not pins:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # instead of the machine's own
        context.load_verify_locations(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def key_hash(certificate: bytes) -> str:
    """Return the SHA-256 of the public key in a certificate (DER), hexadecimal; empty if none."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:
        return ""
    found = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(found).hexdigest()
