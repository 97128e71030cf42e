"""What changes accounts, one topic per file."""

from __future__ import annotations

from webapp.accounts.services.administrator import DEFAULT_PROJECT, ensure_administrator
from webapp.accounts.services.members import change_role, remove_member
from webapp.accounts.services.projects import ProjectWishes, change_project, create_project
from webapp.accounts.services.tokens import (
    create_project_token,
    create_token,
    revoke_project_token,
    revoke_token,
)

__all__ = [
    "DEFAULT_PROJECT",
    "ProjectWishes",
    "change_project",
    "change_role",
    "create_project",
    "create_project_token",
    "create_token",
    "ensure_administrator",
    "remove_member",
    "revoke_project_token",
    "revoke_token",
]
