"""Where a request comes from, behind as many proxies as the installation says."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """Return the address of the client, or None where there is none that can be read.

    Each trusted proxy adds the address it was asked from at the end of ``X-Forwarded-For``; what
    stands before those was written by the client and means nothing.
    """
    proxies = settings.ENVIRONMENT.trusted_proxies
    found = str(request.META.get("REMOTE_ADDR") or "")
    if proxies:
        chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
        found = chain[-min(proxies, len(chain))] or found
    try:
        return str(ip_address(found))
    except ValueError:
        return None
