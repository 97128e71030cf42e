"""A site as the one who asks: each of its requests is signed."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from fedcore.sites import signing
from webapp.accounts.site_identity import SiteIdentity
from webapp.api.rate_limits import RateLimit
from webapp.sites.models import Site
from webapp.sites.services import authenticate


class SignatureAuthentication(authentication.BaseAuthentication):
    """Lets in whoever has signed the request with the key of a site."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, SiteIdentity] | None:
        header = request.headers.get("Authorization", "")
        if not header.startswith(signing.SCHEME):
            return None
        plain = request._request  # noqa: SLF001  the framework's own would parse the body
        signed = signing.Request(request.method or "", plain.get_full_path(), plain.body)
        site = authenticate(header=header, request=signed)
        plain.signed_by_site = site  # type: ignore[attr-defined]
        return AnonymousUser(), SiteIdentity(site.pk)

    def authenticate_header(self, request: Request) -> str:
        return signing.SCHEME


class SiteRateLimit(RateLimit):
    """All requests of one site."""

    scope = "sites"

    def ident(self, request: Request) -> str | None:
        return str(request.auth.site_id) if isinstance(request.auth, SiteIdentity) else None


def site_of(request: Request) -> Site:
    """Return the site that has signed a request to a view that only lets sites in."""
    site = getattr(request._request, "signed_by_site", None)  # noqa: SLF001
    if not isinstance(site, Site):
        raise exceptions.NotAuthenticated
    return site
