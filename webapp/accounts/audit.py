"""Recording changes: who, what, when, from where, on which object, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.http import HttpRequest, HttpResponseBase

from webapp.accounts.addresses import address_of
from webapp.accounts.audit_models import AuditEntry
from webapp.accounts.models import Project, User

P = ParamSpec("P")
T = TypeVar("T")

_NAME = AuditEntry._meta.get_field("object_name").max_length or 200  # noqa: SLF001  Django's own API


@dataclass(frozen=True)
class Origin:
    """Where the request that is being answered comes from."""

    address: str | None
    is_http: bool = True


_origin: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


class AuditOriginMiddleware:
    """Remembers, for as long as a request is answered, where it comes from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _origin.set(Origin(address_of(request)))
        try:
            return self.get_response(request)
        finally:
            _origin.reset(token)


def record(
    *,
    actor: User | None,
    action: str,
    row: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    name: str | None = None,
    object_id: UUID | None = None,
    by: str = "",
) -> AuditEntry:
    """Add an entry; inside a transaction it is there exactly if the change is.

    ``by`` names who acted where that is no user.
    """
    origin = _origin.get()
    return AuditEntry.objects.create(
        actor_id=actor.pk if actor else None,
        actor_name=actor.username if actor else by,
        credential="signature" if by else _credential(actor, origin),
        address=origin.address if origin else None,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        action=action,
        object_type=row._meta.model_name or "",  # noqa: SLF001  Django's own API
        object_id=str(object_id or row.pk),
        object_name=(name if name is not None else str(row))[:_NAME],
        project_id=_project_of(row),
        before=_plain(before),
        after=_plain(after),
    )


@contextmanager
def recorded(
    *, actor: User, action: str, row: models.Model, fields: tuple[str, ...]
) -> Iterator[None]:
    """Add an entry if the block changes one of the row's columns, with those that it changed."""
    rows = type(row)._base_manager.filter(pk=row.pk)  # noqa: SLF001  Django's own API
    before = rows.values(*fields).first()
    yield
    after = rows.values(*fields).first()
    if before == after:
        return
    if before is not None and after is not None:
        changed = [field for field in fields if before[field] != after[field]]
        before, after = ({field: half[field] for field in changed} for half in (before, after))
    record(actor=actor, action=action, row=row, before=before, after=after)


def recorded_as(action: str, row: str, *fields: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a service add an entry if it changes a column of the row that it is called with.

    Args:
        action: What the entry says was done.
        row: The service's argument that holds the row; ``user`` holds the actor.
        fields: The columns that are compared before and after.
    """

    def decorate(service: Callable[P, T]) -> Callable[P, T]:
        @wraps(service)
        def recording(*args: P.args, **kwargs: P.kwargs) -> T:
            changed, actor = kwargs[row], kwargs["user"]
            if not isinstance(changed, models.Model) or not isinstance(actor, User):
                raise TypeError(f"{service.__name__} needs user= and {row}=")
            with (
                transaction.atomic(),
                recorded(actor=actor, action=action, row=changed, fields=fields),
            ):
                return service(*args, **kwargs)

        return recording

    return decorate


def _credential(actor: User | None, origin: Origin | None) -> str:
    if origin is None:
        return "command"
    if actor is None:
        return ""
    return f"token {actor.token_name}" if actor.token_scope else "session"


def _project_of(row: models.Model) -> UUID | None:
    if isinstance(row, Project):
        return row.pk
    found: UUID | None = getattr(row, "project_id", None)
    return found


def _plain(values: dict[str, Any] | None) -> Any:
    """Return the values as JSON has them."""
    if values is None:
        return None
    encoder = DjangoJSONEncoder()
    return {name: _json(encoder, value) for name, value in values.items()}


def _json(encoder: DjangoJSONEncoder, value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return encoder.default(value)
