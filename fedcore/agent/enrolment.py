"""How a site becomes one: a code and a key against an identity; and how its key is replaced."""

from __future__ import annotations

from pathlib import Path

from fedcore.agent.audit import AuditLog
from fedcore.agent.connection import Connection, RejectedError, Signer
from fedcore.agent.identity import Identity, IdentityError, IdentityStore
from fedcore.agent.machine import describe_agent, describe_hardware
from fedcore.sites import PROTOCOL, routes
from fedcore.sites.messages import (
    EnrolmentReply,
    EnrolmentRequest,
    ErrorCode,
    KeyRotation,
    SiteStatus,
)
from fedcore.sites.signing import (
    fingerprint,
    prove_enrolment,
    prove_rotation,
    public_key_of,
)


def enrol(code: str, connection: Connection, state_dir: Path, audit: AuditLog) -> EnrolmentReply:
    """Make a key, show it with the code of an invitation, and keep the identity that comes back.

    Raises:
        IdentityError: If the site has enrolled before, or the server answers about another key.
        UnreachableError: If the server does not answer; the code may have been used all the same.
        RejectedError: If the server does not take the code.
    """
    store = IdentityStore(state_dir)
    if store.exists():
        known = store.load()
        raise IdentityError(
            f"this site has enrolled as {known.name!r} at {known.server}",
            fix="Use another state folder for another identity.",
        )
    key = store.make_key()
    public_key = public_key_of(key)
    request = EnrolmentRequest(
        protocol=PROTOCOL,
        code=code,
        public_key=public_key,
        proof=prove_enrolment(key, code),
        agent=describe_agent(),
        hardware=describe_hardware(state_dir),
    )
    try:
        reply = connection.post(routes.ENROL, request, EnrolmentReply)
    except RejectedError:
        store.forget_key(public_key)
        raise
    if reply.fingerprint != fingerprint(public_key):
        raise IdentityError(
            "the server has enrolled another key than this site's",
            fix="Do not go on; tell whoever sent the invitation.",
        )
    identity = Identity(
        server=connection.server,
        site_id=reply.site_id,
        name=reply.name,
        project=reply.project,
        public_key=public_key,
    )
    store.save(identity)
    audit.record(
        "site enrolled",
        server=identity.server,
        site_id=str(identity.site_id),
        fingerprint=reply.fingerprint,
    )
    return reply


def rotate_key(connection: Connection, store: IdentityStore, audit: AuditLog) -> Identity:
    """Replace the site's key, and return the identity with the new one.

    If an earlier rotation was interrupted, what became of it is found out first.

    Raises:
        UnreachableError: If the server does not answer; call again to go on.
        RejectedError: If the server lets neither key in.
    """
    identity = settle_rotation(connection, store)
    begun, new_key = store.begin_rotation()
    request = KeyRotation(
        public_key=public_key_of(new_key), proof=prove_rotation(new_key, identity.site_id)
    )
    connection.sign_with(Signer(identity.site_id, store.key(begun.public_key)))
    try:
        connection.post(routes.KEY, request, SiteStatus)
    except RejectedError:
        store.end_rotation(public_key=begun.public_key)
        raise
    ended = store.end_rotation(public_key=request.public_key)
    connection.sign_with(Signer(ended.site_id, new_key))
    audit.record("key rotated", fingerprint=fingerprint(ended.public_key))
    return ended


def settle_rotation(connection: Connection, store: IdentityStore) -> Identity:
    """Return the identity with the key that the server lets in, where a rotation was cut short.

    Raises:
        UnreachableError: If the server does not answer.
        RejectedError: If it lets neither key in.
    """
    identity = store.load()
    if identity.next_key is None:
        return identity
    connection.sign_with(Signer(identity.site_id, store.key(identity.next_key)))
    try:
        connection.get(routes.STATUS, SiteStatus)
    except RejectedError as error:
        if error.said != ErrorCode.BAD_SIGNATURE:
            raise
    else:
        return store.end_rotation(public_key=identity.next_key)
    connection.sign_with(Signer(identity.site_id, store.key(identity.public_key)))
    connection.get(routes.STATUS, SiteStatus)
    return store.end_rotation(public_key=identity.public_key)
