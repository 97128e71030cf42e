"""Read-only serializer fields whose type is known by name in the API schema."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from rest_framework import serializers


class PydanticField(serializers.Field[Any, Any, Any, Any]):
    """Sends JSON that is stored in the model's form, or an object with the model's attributes."""

    def __init__(self, model: type[BaseModel], **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.model = model

    def to_representation(self, value: Any) -> Any:
        if isinstance(value, dict):
            return value
        return self.model.model_validate(value).model_dump(mode="json")


class EnumField(serializers.Field[Any, Any, str, Any]):
    """Sends the value of an enumeration."""

    def __init__(self, enum: type[StrEnum], **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.enum = enum

    def to_representation(self, value: str) -> str:
        return str(value)
