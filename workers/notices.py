"""Sending notices: signed webhooks to the addresses of the settings, and e-mail.

A webhook goes to an address that the administrator put into the environment and to no other; it
follows no redirect, and no name into a private network, so that a receiver cannot point it
elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from time import time

import httpx
from django.conf import settings
from django.core.mail import send_mail

from webapp.jobs.services import NoticeRow
from webapp.outbound import GuardedTransport

TIMEOUT_S = 5.0
SIGNATURE = "X-Roundhouse-Signature"


def send_notice(notice: NoticeRow) -> None:
    """Deliver a notice.

    Raises:
        httpx.HTTPError: If a receiver does not answer, or not with success.
        OSError: If the mail server does not take it.
        LookupError: If the settings no longer have the webhook.
    """
    if notice.channel == "webhook":
        _post(settings.WEBHOOK_URLS[int(notice.target)], notice)
    else:
        _mail(notice)


def signature(secret: str, body: bytes, at: int) -> str:
    """Return what proves who sent a body, and when: HMAC-SHA256 over ``<time>.<body>``."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _post(url: str, notice: NoticeRow) -> None:
    body = json.dumps({"id": str(notice.pk), **notice.body}, sort_keys=True).encode()
    headers = {
        "Content-Type": "application/json",
        SIGNATURE: signature(settings.WEBHOOK_SECRET, body, int(time())),
    }
    transport = GuardedTransport(settings.REACHABLE_NETWORKS)
    # What the receiver says besides its status is nothing to us, so it is not even read.
    with (
        httpx.Client(transport=transport, timeout=TIMEOUT_S, follow_redirects=False) as client,
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        pass
    if not answer.is_success:
        raise httpx.HTTPError(f"the receiver answered {answer.status_code}")


def _mail(notice: NoticeRow) -> None:
    body = notice.body
    failure = body.get("failure") or {}
    metrics = body.get("metrics") or {}
    lines = [
        f"{body['name']} has ended: {body['state']}.",
        *(f"{name}: {value:.4g}" for name, value in metrics.items() if value is not None),
        *(str(failure[key]) for key in ("message", "fix") if failure.get(key)),
    ]
    subject = " ".join(f"{body['name']}: {body['state']}".split())
    send_mail(subject, "\n".join(lines), None, [notice.target])
