"""What is long and holds no secret travels compressed; nothing else does."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.webapp.test_permission_matrix import API, ROUTES
from webapp.jobs.models import Run

#: Read alone, the same for whoever may read them, and without anything that somebody could use.
COMPRESSED = {
    "catalogue/",
    "compare/",
    "runs/<uuid:run_id>/client-rounds/",
    "runs/<uuid:run_id>/clients/",
    "runs/<uuid:run_id>/events/",
    "runs/<uuid:run_id>/metrics/",
    "runs/sparklines/",
    "spec/schema/",
}


def test_these_answers_are_compressed_and_no_others() -> None:
    views: dict[str, Any] = {
        path.removeprefix(API): getattr(pattern.callback, "view_class", None)
        for path, pattern in ROUTES.items()
        if path.startswith(API)
    }
    found = {path for path, view in views.items() if getattr(view, "is_compressed", False)}
    assert found == COMPRESSED
    for path in found:
        assert not hasattr(views[path], "post"), path


@pytest.mark.parametrize("path", ["catalogue/", "spec/schema/"])
def test_a_long_answer_says_the_same_compressed(api: APIClient, path: str) -> None:
    plain = api.get(f"/{API}{path}")
    packed = api.get(f"/{API}{path}", headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.content) < len(plain.content) / 4
    assert json.loads(gzip.decompress(packed.content)) == plain.json()


def test_what_holds_secrets_is_never_compressed(api: APIClient, run: Run) -> None:
    for path in ("auth/me/", "auth/csrf/", "tokens/", "sites/", f"runs/{run.pk}/"):
        answer = api.get(f"/{API}{path}", headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers, path
