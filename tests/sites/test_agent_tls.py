"""The server is recognised by its certificate and, if wanted, by its key."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fedcore.agent.connection import Connection, RejectedError, UnreachableError
from fedcore.agent.tls import key_hash, tls_context
from fedcore.sites import routes
from fedcore.sites.messages import SiteStatus


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(418)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of handshakes that fail, as half of them have to."""


def certificate(key: Ed25519PrivateKey, days: int) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "roundhouse.example")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    return builder.sign(key, None)


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory, key: Ed25519PrivateKey) -> Path:
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(certificate(key, 10).public_bytes(Encoding.PEM))
    return file


@pytest.fixture(scope="module")
def address(ca_file: Path, key: Ed25519PrivateKey) -> Iterator[str]:
    key_file = ca_file.with_name("key.pem")
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, key_file)
    server = _Server(("127.0.0.1", 0), _Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def pin(key: Ed25519PrivateKey) -> str:
    return key_hash(certificate(key, 99).public_bytes(Encoding.DER))


def ask(address: str, tls: ssl.SSLContext) -> None:
    with Connection(address, None, tls=tls) as connection:
        connection.get(routes.STATUS, SiteStatus)


def test_a_server_that_nobody_vouches_for_is_not_talked_to(address: str) -> None:
    with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(address, tls_context(None, frozenset()))


def test_a_pinned_key_may_be_in_a_renewed_certificate(
    address: str, ca_file: Path, pin: str
) -> None:
    for pins in (frozenset[str](), frozenset({pin}), frozenset({pin, "0" * 64})):
        with pytest.raises(RejectedError, match="HTTP 418"):
            ask(address, tls_context(ca_file, pins))


def test_another_key_is_refused_although_its_certificate_is_trusted(
    address: str, ca_file: Path, pin: str
) -> None:
    with pytest.raises(UnreachableError, match=pin):
        ask(address, tls_context(ca_file, frozenset({"0" * 64})))


def test_a_pin_does_not_replace_the_certificate(address: str, pin: str) -> None:
    with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(address, tls_context(None, frozenset({pin})))


def test_bytes_that_are_no_certificate_have_no_key() -> None:
    assert key_hash(b"") == ""
    assert key_hash(b"nonsense") == ""
