"""Filters of lists that refuse what they do not understand, instead of leaving it out."""

from __future__ import annotations

from typing import Any

import django_filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

_WORDS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


@extend_schema_field(OpenApiTypes.BOOL)
class YesNoFilter(django_filters.TypedChoiceFilter):  # type: ignore[misc]  # published without types
    """True or false; the library's own filter takes any other word for no answer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[(w, w) for w in _WORDS], coerce=_WORDS.__getitem__, **options)
