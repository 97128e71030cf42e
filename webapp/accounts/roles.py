"""Roles in a project, and what each may do; nothing else in the code compares roles."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


class Permission(StrEnum):
    READ = "read"
    WRITE = "write"
    MANAGE = "manage"


class Scope(StrEnum):
    """What a token lends of its user's rights."""

    READ = "read"
    RUN = "run"
    ADMIN = "admin"

    @property
    def role(self) -> Role:
        """The role that a program with such a token acts in at most."""
        return _CEILING[self]


_CEILING: dict[Scope, Role] = {
    Scope.READ: Role.VIEWER,
    Scope.RUN: Role.EDITOR,
    Scope.ADMIN: Role.ADMIN,
}

_GRANTED: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.EDITOR: frozenset({Permission.READ, Permission.WRITE}),
    Role.ADMIN: frozenset({Permission.READ, Permission.WRITE, Permission.MANAGE}),
}


def allows(role: Role, permission: Permission) -> bool:
    return permission in _GRANTED[role]


def roles_with(permission: Permission) -> list[Role]:
    return [role for role in Role if allows(role, permission)]


def lowered(role: Role, scope: Scope | None) -> Role:
    """Return the role in which somebody acts whose credential lends no more than the scope."""
    if scope is None:
        return role
    return min(role, scope.role, key=list(Role).index)
