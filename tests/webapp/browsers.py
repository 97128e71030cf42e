"""A browser for tests: cookies, the CSRF token that screens send, and an address of its own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.test import Client

from tests.factories import PASSWORD
from webapp.accounts.models import User

API = "/api/v1/"
ALLAUTH = "/_allauth/browser/v1/"


class Browser:
    """Sends JSON as the screens do; attempts are counted by address, so each has its own."""

    def __init__(self) -> None:
        address = f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}"
        self.client = Client(
            enforce_csrf_checks=True, REMOTE_ADDR=address, HTTP_USER_AGENT="Test browser"
        )

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        self.client.get(f"{API}auth/csrf/")
        token = self.client.cookies["csrftoken"].value
        call = getattr(self.client, method)
        headers = {"X-CSRFToken": token}
        return call(path, body or {}, content_type="application/json", headers=headers)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.send("post", path, body)

    def sign_in(self, user: User, password: str = PASSWORD) -> Any:
        return self.post(f"{API}auth/login/", {"username": user.username, "password": password})
