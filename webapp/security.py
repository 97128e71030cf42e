"""The headers that tell a browser what this site never does."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        # The component kit adds <style> elements, which carry the nonce. Nothing else is inline:
        # scripts set styles as properties, and charts write their tips on the canvas.
        "style-src 'self' 'nonce-{nonce}'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class SecurityHeadersMiddleware:
    """Adds the content security policy; ``csp_nonce(request)`` is what the page may use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault(
            "Content-Security-Policy", _POLICY.format(nonce=csp_nonce(request))
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        return response


def csp_nonce(request: HttpRequest) -> str:
    """Return the nonce of this request's answer."""
    nonce: str | None = request.META.get("roundhouse.csp_nonce")
    if nonce is None:
        nonce = request.META["roundhouse.csp_nonce"] = secrets.token_urlsafe(16)
    return nonce
