"""Where the command line keeps its server and token: one file that only its owner can read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import typer
from pydantic import BaseModel, ValidationError

from webapp.client.errors import ClientError

DEFAULT_URL = "http://127.0.0.1:8000"


class Credentials(BaseModel):
    url: str
    token: str


def credentials_file() -> Path:
    return Path(typer.get_app_dir("roundhouse")) / "credentials.json"


def save_credentials(credentials: Credentials, file: Path) -> None:
    """Write atomically; the file is private from its first byte on."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(credentials.model_dump_json())
    draft.replace(file)


def find_credentials(file: Path) -> Credentials | None:
    """Return the saved credentials; refuse a file that others can read."""
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    if mode & 0o077:
        raise ClientError(f"{file} can be read by others; run: chmod 600 {file}")
    try:
        return Credentials.model_validate(json.loads(text))
    except (ValueError, ValidationError) as error:
        raise ClientError(f"{file} is damaged; sign in again with `roundhouse login`") from error


def resolve_credentials(url: str | None, token: str | None, file: Path) -> Credentials:
    """Return what was given by option or environment, completed from the saved file.

    A saved token is only ever sent to the server it was saved for.
    """
    saved = find_credentials(file)
    chosen = url or (saved.url if saved else DEFAULT_URL)
    if token is None and saved is not None and saved.url.rstrip("/") == chosen.rstrip("/"):
        token = saved.token
    if token is None:
        message = f"not signed in to {chosen}: run `roundhouse login`, or set ROUNDHOUSE_TOKEN"
        raise ClientError(message, code="not_signed_in")
    return Credentials(url=chosen, token=token)
