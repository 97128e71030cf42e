"""Log lines: one JSON object each, that says which request or run it belongs to."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.test import Client

from webapp.logs import logging_config


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged while a test runs."""
    stream = io.StringIO()
    config = logging_config("INFO", console=False)
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(settings.LOGGING)


def entries(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_id(lines: io.StringIO, client: Client) -> None:
    client.get("/api/v1/health/live/", headers={"X-Request-ID": "abc"})
    (entry,) = entries(lines)
    assert entry["event"] == "request finished"
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/api/v1/health/live/", 200)
    assert entry["request_id"] == "abc"
    assert entry["duration_ms"] >= 0


def test_what_is_bound_is_on_every_line_also_on_those_of_libraries(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(run_id="r-1"):
        structlog.get_logger("ours").info("round finished", round_index=3)
        logging.getLogger("theirs").warning("careful: %s", "edge")
    ours, theirs = entries(lines)
    assert (ours["event"], ours["round_index"], ours["run_id"]) == ("round finished", 3, "r-1")
    assert (theirs["event"], theirs["level"], theirs["run_id"]) == (
        "careful: edge",
        "warning",
        "r-1",
    )


def test_a_line_cannot_be_forged(lines: io.StringIO, client: Client) -> None:
    client.get("/api/v1/x%0A%7B%22event%22%3A%22forged%22%7D/")
    (entry,) = entries(lines)
    assert entry["event"] == "request finished"
    assert entry["path"].startswith("/api/v1/x\n")


def test_passwords_and_tokens_are_not_logged(
    lines: io.StringIO, client: Client, transactional_db: None
) -> None:
    body = {"username": "x", "password": "hunter2-secret"}
    client.post("/api/v1/auth/login/", body, content_type="application/json")
    client.get("/api/v1/runs/", headers={"Authorization": "Bearer rh_0123456789-secret"})
    assert "secret" not in lines.getvalue()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("cannot reach postgresql://fl:pFq7own@db:5432/fl", "pFq7own"),
        ("redis://:pFq7own@cache/0 refused", "pFq7own"),
        ("sent Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("token rh_4bA9zKq2LmN8 is expired", "rh_4bA9zKq2LmN8"),
        ("GET /v1?api_key=zzzsecretzzz&n=1", "zzzsecretzzz"),
        ("password=hunter2 was given", "hunter2"),
    ],
)
@pytest.mark.parametrize("console", [False, True])
def test_a_secret_in_what_a_library_says_is_hidden(
    text: str, secret: str, *, console: bool
) -> None:
    stream = io.StringIO()
    config = logging_config("INFO", console=console)
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    try:
        logging.getLogger("theirs").warning(text)
        structlog.get_logger("ours").warning("not sent", reason={"error": [text]})
        structlog.get_logger("ours").error("failed", exc_info=OSError(text))
    finally:
        logging.config.dictConfig(settings.LOGGING)
    assert "failed" in stream.getvalue()
    assert secret not in stream.getvalue()
    assert stream.getvalue().count("[hidden]") >= 3


def test_a_line_on_a_console_cannot_be_forged_either() -> None:
    stream = io.StringIO()
    config = logging_config("INFO", console=True)
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    try:
        structlog.get_logger("ours").info("request finished", path="/x\nforged\x1b[2J")
    finally:
        logging.config.dictConfig(settings.LOGGING)
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b[2J" not in stream.getvalue()
