"""The parts of a site that its files describe; torch is not needed to look at them."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from fedcore.agent.approvals import Approvals
from fedcore.agent.audit import AuditLog
from fedcore.agent.config import ConfigError, Site, Tls
from fedcore.agent.identity import Identity, IdentityStore
from fedcore.agent.tls import tls_context

STATUS_FILE = "status.json"
_AUDIT_FILE = "audit.jsonl"


def audit_log_in(state_dir: Path) -> AuditLog:
    """Return the log in a state folder."""
    return AuditLog(state_dir / _AUDIT_FILE)


def audit_log(site: Site) -> AuditLog:
    """Return the log of a site."""
    return audit_log_in(site.state_dir)


def approvals(site: Site) -> Approvals:
    """Return what people at a site have said."""
    return Approvals(site.state_dir, audit_log(site))


def tls_of(server: str, tls: Tls, folder: Path) -> ssl.SSLContext | None:
    """Return how a server is recognised; None for one without encryption.

    Raises:
        ConfigError: If the file of certificates cannot be used.
    """
    if urlsplit(server).scheme != "https":
        return None
    ca_file = None if tls.ca_file is None else folder / tls.ca_file
    try:
        return tls_context(ca_file, frozenset(tls.pins))
    except OSError as error:  # ssl.SSLError is one too
        raise ConfigError(
            f"the certificates in {ca_file} cannot be read: {error}",
            field="tls.ca_file",
            fix="Name a PEM file with the certificates of whoever signs the server's.",
        ) from error


def identity_of(site: Site) -> Identity:
    """Return who a site is.

    Raises:
        IdentityError: If it has not enrolled.
        ConfigError: If it has enrolled elsewhere than its configuration says.
    """
    identity = IdentityStore(site.state_dir).load()
    if identity.server != site.config.server:
        raise ConfigError(
            f"the site has enrolled at {identity.server}, not at {site.config.server}",
            field="server",
            fix="Correct server, or enrol there with another state_dir.",
        )
    return identity
