"""What changes accounts, one topic per file."""

from __future__ import annotations

from webapp.accounts.services.administrator import DEFAULT_PROJECT, ensure_administrator
from webapp.accounts.services.invitation_mail import mail_invitation
from webapp.accounts.services.invitations import (
    NewAccount,
    accept_invitation,
    find_invitation,
    invite,
    withdraw_invitation,
)
from webapp.accounts.services.members import change_role, remove_member
from webapp.accounts.services.people import request_account, set_active
from webapp.accounts.services.projects import ProjectWishes, change_project, create_project
from webapp.accounts.services.sessions import end_other_sessions, end_session
from webapp.accounts.services.tokens import (
    create_project_token,
    create_token,
    revoke_project_token,
    revoke_token,
)

__all__ = [
    "DEFAULT_PROJECT",
    "NewAccount",
    "ProjectWishes",
    "accept_invitation",
    "change_project",
    "change_role",
    "create_project",
    "create_project_token",
    "create_token",
    "end_other_sessions",
    "end_session",
    "ensure_administrator",
    "find_invitation",
    "invite",
    "mail_invitation",
    "remove_member",
    "request_account",
    "revoke_project_token",
    "revoke_token",
    "set_active",
    "withdraw_invitation",
]
