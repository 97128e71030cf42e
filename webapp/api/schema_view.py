"""The API's schema over HTTP, made once: it takes seconds, and everybody may ask for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


@lru_cache(maxsize=8)
def _document(renderer: Callable[[], BaseRenderer]) -> bytes:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    content: Any = renderer().render(schema, renderer_context={})
    return bytes(content)


class SchemaView(SpectacularAPIView):
    """The same for everybody, as YAML or as JSON."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *_: object, **__: object) -> HttpResponse:
        """Return the document."""
        renderer = request.accepted_renderer
        kind: Any = type(renderer)
        return HttpResponse(_document(kind), content_type=renderer.media_type)
