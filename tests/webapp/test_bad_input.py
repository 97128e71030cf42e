"""Bad input: a clear error by field in one shape, no trace, and nothing half-created."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings
from rest_framework.test import APIClient

from webapp.asgi import application
from webapp.jobs.models import Job

URL = "/api/v1/jobs/"


def post_text(api: APIClient, text: str | bytes) -> Any:
    return api.post(URL, text, content_type="application/json")


def assert_refused(answer: Any, code: str, status: int = 400) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, body
    assert set(body) == {"code", "message", "fields"}
    assert body["code"] == code
    assert body["message"]
    assert "Traceback" not in answer.content.decode()
    assert not Job.objects.exists()
    return body


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({"algorithm": {"kind": "magic"}}, {"algorithm.kind"}),
        ({"model": {"kind": "mlp", "hiden": [3]}}, {"model.hiden"}),
        ({"colour": "red"}, {"colour"}),
        ({"rounds": 0, "local": {"lr": -1}}, {"rounds", "local.lr"}),
        ({"rounds": "many"}, {"rounds"}),
        ({"rounds": None}, {"rounds"}),
        ({"dataset": {"kind": "digits"}, "partition": {"kind": "iid", "clients": 5000}}, None),
        ({"sampling": {"kind": "random", "count": 100}}, None),
        ([], {"spec"}),
        ("spec", {"spec"}),
        (None, {"spec"}),
        (7, {"spec"}),
    ],
)
def test_a_wrong_spec_is_refused_by_path(api: APIClient, spec: Any, paths: set[str] | None) -> None:
    body = assert_refused(
        api.post(URL, {"name": "x", "spec": spec}), "invalid" if spec is None else "invalid_spec"
    )
    assert body["fields"]
    if paths is not None:
        assert set(body["fields"]) == paths


def test_problems_of_the_request_and_of_the_spec_come_together(api: APIClient) -> None:
    body = assert_refused(
        api.post(URL, {"name": "", "spec": {"rounds": 0}, "launch": "perhaps"}), "invalid_spec"
    )
    assert set(body["fields"]) == {"name", "rounds", "launch"}


def test_missing_fields_are_named(api: APIClient) -> None:
    assert set(assert_refused(api.post(URL, {}), "invalid")["fields"]) == {"name"}
    assert set(assert_refused(api.post(URL, {"name": "x"}), "invalid")["fields"]) == {"spec"}


def test_a_model_too_large_for_the_memory_is_refused_at_the_model(
    api: APIClient, settings: Settings
) -> None:
    settings.MAX_MODEL_BYTES = 10**6
    spec = {"model": {"kind": "mlp", "hidden": [4096, 4096]}}
    body = assert_refused(api.post(URL, {"name": "x", "spec": spec}), "invalid_spec")
    assert set(body["fields"]) == {"model"}
    assert "MiB" in body["fields"]["model"][0]


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "-" + "9" * 40]
)
def test_numbers_that_are_none_are_refused(api: APIClient, number: str) -> None:
    assert_refused(post_text(api, f'{{"name":"x","spec":{{"rounds":{number}}}}}'), "invalid_json")


@pytest.mark.parametrize("depth", [60, 2_000, 400_000])
def test_deep_nesting_is_refused(api: APIClient, depth: int) -> None:
    text = '{"name":"x","spec":' + "[" * depth + "]" * depth + "}"
    assert_refused(post_text(api, text), "invalid_json")


@pytest.mark.parametrize(
    "text",
    [" ", "{", "nonsense", b"\xff\xfe", '{"name": "a\\u0000b", "spec": {}}', '{"\\ud800": 1}'],
)
def test_what_is_not_storable_json_is_refused(api: APIClient, text: str | bytes) -> None:
    assert_refused(post_text(api, text), "invalid_json")


@pytest.mark.parametrize("text", ["[]", '"x"', "7", "null"])
def test_json_that_is_no_mapping_is_refused(api: APIClient, text: str) -> None:
    assert_refused(post_text(api, text), "invalid")


def test_another_content_type_is_refused(api: APIClient) -> None:
    answer = api.post(URL, "name=x", content_type="application/x-www-form-urlencoded")
    assert_refused(answer, "unsupported_media_type", 415)


def test_a_body_of_10_mb_is_refused_with_413(api: APIClient) -> None:
    text = json.dumps({"name": "x" * 10_000_000, "spec": {}})
    assert_refused(post_text(api, text), "payload_too_large", 413)


def test_a_body_of_just_under_the_limit_is_read(api: APIClient, settings: Settings) -> None:
    text = json.dumps({"name": "x" * (settings.MAX_BODY_BYTES - 100), "spec": {}})
    assert set(assert_refused(post_text(api, text), "invalid")["fields"]) == {"name"}


@pytest.mark.parametrize("declared", [True, False])
async def test_the_server_refuses_a_large_body_before_django_stores_it(*, declared: bool) -> None:
    size, block = 10_000_000, b" " * 100_000
    headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
    if declared:
        headers.append((b"content-length", str(size).encode()))
    scope = {"type": "http", "method": "POST", "path": URL, "query_string": b"", "headers": headers}
    connection = ApplicationCommunicator(application, scope)
    for start in range(0, size, len(block)):
        more = start + len(block) < size
        await connection.send_input({"type": "http.request", "body": block, "more_body": more})
    assert (await connection.receive_output(10))["status"] == 413
    body = json.loads((await connection.receive_output(10))["body"])
    assert (body["code"], body["fields"]) == ("payload_too_large", {})
    await connection.wait(10)


@pytest.mark.parametrize(
    "path",
    [
        "runs/?state=asleep",
        "runs/?ordering=secret",
        "runs/?job=7",
        "runs/?page_size=-1&ordering=-",
        "runs/?cursor=" + b64encode(b"p=yesterday").decode(),
        "runs/?cursor=" + b64encode(b"p=\x00").decode(),
        "runs/?ordering=rounds_done&cursor=" + b64encode(b"p=x").decode(),
    ],
)
def test_wrong_filters_are_refused_by_name(api: APIClient, path: str) -> None:
    body = assert_refused(api.get(f"/api/v1/{path}"), "invalid")
    assert set(body["fields"]) <= {"state", "ordering", "job", "cursor"}
    assert body["fields"]


@pytest.mark.parametrize("path", ["nothing/", "runs/7/", "runs/../../etc/passwd", "runs/%00/"])
def test_an_address_without_anything_is_a_404_in_the_same_shape(api: APIClient, path: str) -> None:
    assert_refused(api.get(f"/api/v1/{path}"), "not_found", 404)


def test_a_method_that_is_not_there_is_refused_in_the_same_shape(api: APIClient) -> None:
    assert_refused(api.delete(URL), "method_not_allowed", 405)


def test_an_unforeseen_error_shows_no_trace(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("webapp.jobs.views.jobs.submit_job", fail)
    api.raise_request_exception = False
    answer = api.post(URL, {"name": "x", "spec": {}})
    assert_refused(answer, "server_error", 500)
    assert "secret" not in answer.content.decode()
