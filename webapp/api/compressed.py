"""Compression of what is long, the same for whoever may read it, and holds no secret.

Compressing a secret together with text that somebody else can choose tells its length, and so in
time the secret (BREACH, CVE-2013-3587). So answers are not compressed unless their view says so; it
must neither send a secret nor repeat anything of the request. Django's own compression makes the
length of what it sends uncertain besides.
"""

from __future__ import annotations

from typing import TypeVar

from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from rest_framework.views import APIView

View = TypeVar("View", bound=type[APIView])


def compressed(view: View) -> View:
    """Compress what a view answers, for clients that take it."""
    made: View = method_decorator(gzip_page, name="dispatch")(view)
    made.is_compressed = True  # type: ignore[attr-defined]  # what the test looks for
    return made
