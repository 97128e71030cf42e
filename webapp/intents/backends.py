"""The back end that this installation has chosen."""

from __future__ import annotations

from functools import partial

from django.conf import settings

from webapp.intents.builtin import BuiltinBackend
from webapp.intents.local import LocalBackend
from webapp.intents.openai import OpenAiBackend
from webapp.intents.services import Backend
from webapp.intents.waiting import ask_worker


def configured_backend() -> Backend:
    """Return the back end that the settings name."""
    if LocalBackend.name == settings.INTENTS_BACKEND:
        return LocalBackend(partial(ask_worker, timeout_s=settings.INTENTS_TIMEOUT_S))
    if OpenAiBackend.name != settings.INTENTS_BACKEND:
        return BuiltinBackend()
    secret = settings.INTENTS_API_KEY
    return OpenAiBackend(
        url=settings.INTENTS_URL or "",
        model=settings.INTENTS_MODEL,
        key=secret.get_secret_value() if secret else None,
        timeout_s=settings.INTENTS_TIMEOUT_S,
        reachable=settings.REACHABLE_NETWORKS,
    )
