"""Proofs are good for what they were made for, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcore.sites.signing import (
    Credential,
    NotSignedError,
    Request,
    fingerprint,
    is_enrolment_proven,
    is_rotation_proven,
    prove_enrolment,
    prove_rotation,
    public_key_of,
)

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
SITE = UUID("8f7f3f0e-7c5b-4b57-9f1f-0d3c0f2b8a11")
ASKED = Request("POST", "/api/v1/site/heartbeat/?a=1", b'{"state":"idle"}')


def test_a_signed_request_is_recognised_after_travelling_as_a_header() -> None:
    credential = Credential.of_header(ASKED.signed_by(KEY, SITE, time=1_700_000_000).to_header())
    assert credential.site_id == SITE
    assert ASKED.is_signed(credential, PUBLIC)


@pytest.mark.parametrize(
    "changed",
    [
        replace(ASKED, method="PUT"),
        replace(ASKED, target="/api/v1/site/heartbeat/?a=2"),
        replace(ASKED, target="/api/v1/site/tasks/?a=1"),
        replace(ASKED, body=b'{"state":"busy"}'),
        replace(ASKED, body=b""),
    ],
)
def test_a_signature_is_good_for_one_request_only(changed: Request) -> None:
    assert not changed.is_signed(ASKED.signed_by(KEY, SITE, time=1_700_000_000), PUBLIC)


def test_a_signature_binds_who_when_and_the_nonce() -> None:
    credential = ASKED.signed_by(KEY, SITE, time=1_700_000_000)
    for changed in (
        replace(credential, site_id=uuid4()),
        replace(credential, time=1_700_000_001),
        replace(credential, nonce="0" * 32),
        replace(credential, signature="0" * 128),
    ):
        assert not ASKED.is_signed(changed, PUBLIC)
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert not ASKED.is_signed(credential, other)
    assert not ASKED.is_signed(credential, b"no key")


def test_no_nonce_is_used_twice() -> None:
    nonces = {ASKED.signed_by(KEY, SITE, time=1).nonce for _ in range(100)}
    assert len(nonces) == 100


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer abc",
        "Roundhouse-Site",
        f"Roundhouse-Site {SITE} 1 {'0' * 32}",
        f"Roundhouse-Site {SITE} 1 {'0' * 31} {'0' * 128}",
        f"Roundhouse-Site {SITE} 1 {'0' * 32} {'0' * 127}",
        f"Roundhouse-Site {SITE} 1 {'g' * 32} {'0' * 128}",
        f"Roundhouse-Site {SITE} -1 {'0' * 32} {'0' * 128}",
        f"Roundhouse-Site {SITE} {'9' * 5000} {'0' * 32} {'0' * 128}",
        f"Roundhouse-Site {SITE} \u0661 {'0' * 32} {'0' * 128}",
        f"Roundhouse-Site nobody 1 {'0' * 32} {'0' * 128}",
        f"Roundhouse-Site {SITE} 1 {'0' * 32} {'0' * 128} more",
    ],
)
def test_another_header_is_refused(header: str) -> None:
    with pytest.raises(NotSignedError):
        Credential.of_header(header)


def test_an_enrolment_is_proven_for_one_code_and_key() -> None:
    public, proof = public_key_of(KEY), prove_enrolment(KEY, "rhs_one")
    assert is_enrolment_proven(public, "rhs_one", proof)
    assert not is_enrolment_proven(public, "rhs_two", proof)
    assert not is_enrolment_proven(public_key_of(Ed25519PrivateKey.generate()), "rhs_one", proof)
    assert not is_enrolment_proven("zz", "rhs_one", proof)


def test_a_rotation_is_proven_for_one_site_and_is_no_enrolment() -> None:
    public, proof = public_key_of(KEY), prove_rotation(KEY, SITE)
    assert is_rotation_proven(public, SITE, proof)
    assert not is_rotation_proven(public, uuid4(), proof)
    assert not is_enrolment_proven(public, str(SITE), proof)


def test_a_fingerprint_can_be_read_aloud() -> None:
    shown = fingerprint(public_key_of(KEY))
    assert len(shown.split(":")) == 8
    assert shown != fingerprint(public_key_of(Ed25519PrivateKey.generate()))
