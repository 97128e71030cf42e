"""Errors of our own rules; ``webapp.api.errors`` turns them into answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

Fields = dict[str, list[str]]


class DomainError(Exception):
    """A rule of ours said no; the message is meant for the user."""

    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    code: str = "invalid"

    def __init__(self, message: str = "", **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.context))

    @property
    def fields(self) -> Fields:
        fields: Fields = self.context.get("fields", {})
        return fields


def _rebuild(cls: type[DomainError], message: str, context: dict[str, Any]) -> DomainError:
    return cls(message, **context)


class NotFoundError(DomainError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class ForbiddenError(DomainError):
    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class ConflictError(DomainError):
    status = HTTPStatus.CONFLICT
    code = "conflict"


class UnauthenticatedError(DomainError):
    status = HTTPStatus.UNAUTHORIZED
    code = "not_authenticated"
