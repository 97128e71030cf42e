"""Sending the link of an invitation by e-mail.

At once and not by upkeep, as notices are: the link holds the code, which is stored nowhere.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.core.mail import send_mail

from webapp.accounts.models import Invitation
from webapp.errors import DomainError
from webapp.request_places import stand_aside

log = structlog.get_logger(__name__)


class NoMailError(DomainError):
    code = "no_mail"


def require_mail() -> None:
    """Refuse where no mail server is known.

    Raises:
        NoMailError: If that is so.
    """
    if not settings.EMAIL_HOST_IS_SET:
        raise NoMailError(
            "This installation sends no e-mail.",
            fields={"email": ["Leave it empty, and send the link yourself."]},
        )


def mail_invitation(*, invitation: Invitation, link: str, email: str) -> bool:
    """Return whether the mail server has taken the link; who invites has it in any case."""
    inviter, project = invitation.created_by.username, invitation.project.name
    lines = [
        f"{inviter} invites you to the project {project} as {invitation.role}.",
        "",
        f"This link lets you in, once, until {invitation.expires_at:%Y-%m-%d %H:%M} UTC:",
        link,
        "",
        f"If you do not know {inviter}, do nothing.",
    ]
    subject = " ".join(f"Invitation to {project}".split())
    stand_aside()
    try:
        send_mail(subject, "\n".join(lines), None, [email])
    except OSError as error:
        log.warning("invitation not mailed", id=str(invitation.pk), error=str(error))
        return False
    return True
