"""Hostile requests: each is refused with one error in the one shape, and nothing is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.hostile import bodies
from tests.hostile.conftest import Note
from tests.webapp.conftest import signed_in
from webapp.accounts.models import User
from webapp.jobs.models import Run

pytestmark = pytest.mark.usefixtures("nothing_written")
API = "/api/v1/"
JOBS = f"{API}jobs/"


def named(values: list[Any]) -> Any:
    """Return parameters whose names say their place; the values would be unreadable."""
    return [pytest.param(value, id=str(place)) for place, value in enumerate(values)]


@pytest.fixture
def api(editor: User) -> APIClient:
    client = signed_in(editor)
    client.raise_request_exception = False
    return client


def refused(answer: Any, status: int, code: str) -> str:
    """Check an answer, and return what the table says about it."""
    text = answer.content.decode()
    assert answer.status_code == status, text[:500]
    body = answer.json()
    assert set(body) == {"code", "message", "fields"}, body
    assert body["code"] == code, body
    assert body["message"]
    assert len(text) < 20_000, "the answer does not give back what was sent"
    for word in ("Traceback", "site-packages", "root:", "SELECT "):
        assert word not in text
    return f"{status} {code}"


def send(api: APIClient, body: Any, path: str = JOBS) -> Any:
    return api.post(path, bodies.text_of(body), content_type="application/json")


@pytest.mark.parametrize("number", named(bodies.NUMBERS))
def test_numbers(api: APIClient, tried: Note, number: str) -> None:
    text = f'{{"name":"x","spec":{{"rounds":{number}}}}}'
    answer = api.post(JOBS, text.encode(), content_type="application/json")
    tried("REST", "numbers that are none", refused(answer, 400, "invalid_json"))


@pytest.mark.parametrize("text", named(bodies.NESTED))
def test_nesting(api: APIClient, tried: Note, text: str) -> None:
    answer = api.post(JOBS, text, content_type="application/json")
    tried("REST", "deep nesting", refused(answer, 400, "invalid_json"))


@pytest.mark.parametrize("text", named(bodies.TEXTS))
def test_texts(api: APIClient, tried: Note, text: bytes) -> None:
    answer = api.post(JOBS, text, content_type="application/json")
    empty = text == b""  # no body at all is an empty mapping, in which the name is missing
    code = "invalid" if empty else "invalid_json"
    tried("REST", "bytes that are no JSON", refused(answer, 400, code))


@pytest.mark.parametrize("text", named(bodies.SHAPES))
def test_shapes(api: APIClient, tried: Note, text: bytes) -> None:
    answer = api.post(JOBS, text, content_type="application/json")
    tried("REST", "JSON of another shape", refused(answer, 400, "invalid"))


@pytest.mark.parametrize("media_type", bodies.MEDIA_TYPES)
def test_media_types(api: APIClient, tried: Note, media_type: str) -> None:
    answer = api.post(JOBS, b"name=x", content_type=media_type)
    tried("REST", "other media types", refused(answer, 415, "unsupported_media_type"))


@pytest.mark.parametrize("size", [1_100_000, 10_000_000])
@pytest.mark.parametrize("filler", [" ", "0", "[", '"'])
def test_sizes(api: APIClient, tried: Note, size: int, filler: str) -> None:
    answer = api.post(JOBS, filler * size, content_type="application/json")
    tried("REST", "bodies over the limit", refused(answer, 413, "payload_too_large"))


@pytest.mark.parametrize("name", named(bodies.NAMES))
@pytest.mark.parametrize("path", ["jobs/", "tokens/", "views/"])
def test_names(api: APIClient, tried: Note, path: str, name: Any) -> None:
    body = {"name": name, "spec": {}, "query": "", "expires_in_days": 1}
    answer = send(api, body, API + path)
    assert answer.json()["fields"].keys() == {"name"}, answer.json()
    tried("REST", "names with control characters", refused(answer, 400, "invalid"))


@pytest.mark.parametrize("spec", named(bodies.PATHS))
def test_paths(api: APIClient, tried: Note, spec: Any) -> None:
    answer = send(api, {"name": "x", "spec": spec})
    has_nul = "\\u0000" in bodies.text_of(spec)  # which no text may have, wherever it is
    fields = answer.json()["fields"]
    assert has_nul or any("path" in field for field in fields), fields
    code = "invalid_json" if has_nul else "invalid_spec"
    tried("REST", "paths and URLs in a spec", refused(answer, 400, code))


@pytest.mark.parametrize("spec", named(bodies.SPECS))
def test_specs(api: APIClient, tried: Note, spec: Any) -> None:
    answer = send(api, {"name": "x", "spec": spec})
    code = "invalid_json" if "\\u0000" in bodies.text_of(spec) else "invalid_spec"
    tried("REST", "specs out of range or of another kind", refused(answer, 400, code))


@pytest.mark.parametrize("sweep", named(bodies.SWEEPS))
def test_sweeps(api: APIClient, tried: Note, sweep: Any) -> None:
    answer = send(api, {"name": "x", "sweep": sweep})
    tried("REST", "sweeps without bound", refused(answer, 400, "invalid_spec"))


@pytest.mark.parametrize("text", named(bodies.YAMLS))
def test_yaml(api: APIClient, tried: Note, text: str) -> None:
    answer = send(api, {"yaml": text}, f"{API}spec/validate/")
    if "\x00" in text:
        tried("REST", "YAML", refused(answer, 400, "invalid_json"))
        return
    verdict = answer.json()
    assert answer.status_code == 200, verdict
    assert verdict["valid"] is False
    assert verdict["problems"]
    assert verdict["spec"] is None
    tried("REST", "YAML", f"200 {verdict['problems'][0]['code']}")


@pytest.mark.parametrize("cursor", named(bodies.CURSORS))
@pytest.mark.parametrize("path", ["runs/", "jobs/", "tokens/", "runs/{run}/artifacts/"])
def test_cursors(api: APIClient, tried: Note, run: Run, path: str, cursor: str) -> None:
    answer = api.get(API + path.format(run=run.pk), {"cursor": cursor})
    if answer.status_code == 200:  # pagination reads some of these as the first page
        assert set(answer.json()) == {"next", "previous", "results"}
        pytest.skip("read as the first page")
    tried("REST", "made-up cursors", refused(answer, 400, "invalid"))


QUERIES = [
    *("runs/?ordering=" + word for word in ("secret", "password", "created_by__password", "id;--")),
    *("runs/?state=" + word for word in ("asleep", "%00", "' OR 1=1--", "9" * 5000)),
    *("runs/?job=" + word for word in ("7", "' OR 1=1", "%00", "x" * 10_000)),
    *("runs/?project=" + word for word in ("*", "../", "%ff%fe")),
    *("runs/?search=" + word for word in ("%00", "x" * 5_000)),
    *("runs/?favourite=" + word for word in ("perhaps", "2")),
    *("runs/?tag=%00", "runs/?method=%00", "runs/?dataset=%00"),
    *("compare/?runs=" + word for word in ("", "x", "%00", ",".join(["x"] * 1000))),
    "compare/?runs=" + ",".join(["00000000-0000-4000-8000-000000000000"] * 200),
    *("runs/sparklines/?runs=" + word for word in ("", "../etc", "%00")),
    *("runs/{run}/metrics/?max_points=" + word for word in ("0", "-1", "NaN", "1e9", "9" * 5000)),
    *("runs/{run}/events/?after=" + word for word in ("-1", "x", "1e5", "9" * 5000, "2147483648")),
    *("runs/{run}/events/?limit=" + word for word in ("0", "10000000", "all", "%00")),
    *("runs/{run}/logs/?level=" + word for word in ("loud", "%00", "DEBUG;")),
    *("runs/{run}/logs/?text=" + word for word in ("x" * 1_000, "%00")),
    *("runs/{run}/client-rounds/?metric=" + word for word in ("__class__", "loss'--", "%00")),
    *("jobs/?is_template=" + word for word in ("perhaps", "%00")),
    "runs/?" + "&".join(f"a{n}=1" for n in range(5_000)),
]


@pytest.mark.parametrize("query", named(QUERIES))
def test_queries(api: APIClient, tried: Note, run: Run, query: str) -> None:
    answer = api.get(API + query.format(run=run.pk))
    code = "bad_request" if "a4999" in query else "invalid"
    tried("REST", "query parameters", refused(answer, 400, code))


ADDRESSES = [
    *("nothing/", "runs/7/", "runs/%00/", "runs/../../etc/passwd", "runs/..%2f..%2fetc/passwd"),
    *("%2e%2e/%2e%2e/manage.py", "..%5c..%5cmanage.py", "jobs/%0d%0aSet-Cookie:%20x=1/"),
    *("runs/{run}%00/", "runs/{run}%0d%0aX:1/", "runs/{run}/../../", "runs/{run}//model/"),
    *("x" * 60_000, "%ff%fe/", "runs/{run}/model/../../../var/secret_key", "\u202e/"),
]


@pytest.mark.parametrize("address", named(ADDRESSES))
def test_addresses(api: APIClient, tried: Note, run: Run, address: str) -> None:
    answer = api.get(API + address.format(run=run.pk))
    tried("REST", "addresses and path traversal", refused(answer, 404, "not_found"))


@pytest.mark.parametrize(
    "address",
    [
        *("/static/../../manage.py", "/static/..%2f..%2fmanage.py", "/static/%2e%2e/%2e%2e/x.py"),
        *("/assets/../../../manage.py", "/assets/..%2f..%2f..%2fpyproject.toml", "/static//etc"),
        *("/static/admin/../../../manage.py", "/static/%00", "/static/admin/css/base.css%00.py"),
    ],
)
def test_static_files(db: None, tried: Note, address: str) -> None:  # noqa: ARG001
    answer = Client().get(address)
    body = b"".join(answer) if answer.streaming else answer.content
    assert b"DJANGO_SETTINGS_MODULE" not in body
    assert b"[project]" not in body
    is_page = b"<div id=" in body or b"not built" in body
    assert answer.status_code == 404 or is_page, answer.status_code
    tried("REST", "addresses and path traversal", f"{answer.status_code} no file")


HEADERS: list[tuple[str, dict[str, str], int, str]] = [
    *(
        ("host", {"HTTP_HOST": host}, 400, "bad_request")
        for host in ("evil.example", "testserver.evil.example", "a b", "testserver\r\nX: 1", "[::1")
    ),
    *(
        ("authorization", {"HTTP_AUTHORIZATION": value}, 401, code)
        for value, code in (
            ("Bearer", "authentication_failed"),
            ("Bearer a b", "authentication_failed"),
            ("Bearer " + "x" * 10_000, "authentication_failed"),
            ("Bearer rh_\u00e9", "authentication_failed"),
            ("Bearer rh_\x00", "authentication_failed"),
            ("Bearer ' OR 1=1--", "authentication_failed"),
            ("Basic YWRtaW46YWRtaW4=", "not_authenticated"),
            ("Token rh_x", "not_authenticated"),
        )
    ),
    *(
        ("cookie", {"HTTP_COOKIE": value}, 401, "not_authenticated")
        for value in (
            "roundhouse_session=" + "x" * 8_000,
            "roundhouse_session=gASVAAAAAA==",
            "roundhouse_session=../../etc/passwd",
            "roundhouse_session=%00; roundhouse_session=' OR 1=1",
            ";;;=\x01",
        )
    ),
]


@pytest.mark.parametrize("case", named(HEADERS))
def test_headers(tried: Note, case: tuple[str, dict[str, str], int, str]) -> None:
    kind, headers, status, code = case
    client = APIClient()
    client.raise_request_exception = False
    given: dict[str, Any] = dict(headers)
    answer = client.get(f"{API}runs/", **given)
    assert "X" not in answer.headers
    tried("REST", f"headers: {kind}", refused(answer, status, code))


@pytest.mark.parametrize(
    "key", ["", " ", "x" * 129, "a b", "a\r\nSet-Cookie: x=1", "\u00e9", "\x00"]
)
def test_idempotency_keys(api: APIClient, tried: Note, key: str) -> None:
    answer = api.post(JOBS, {"name": "x", "spec": {}}, headers={"Idempotency-Key": key})
    tried("REST", "headers: idempotency key", refused(answer, 400, "invalid_idempotency_key"))


@pytest.mark.parametrize(
    "given", ["a\r\nX-Evil: 1", "a b", "x" * 65, "<script>", "\u00e9", "%0d%0a", "", "${jndi:x}"]
)
def test_request_ids_are_replaced(api: APIClient, tried: Note, given: str) -> None:
    answer = api.get(f"{API}nothing/", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert "X-Evil" not in answer.headers
    tried("REST", "headers: request id", refused(answer, 404, "not_found"))


@pytest.mark.parametrize("body", named(bodies.SIGN_INS))
def test_sign_ins(db: None, tried: Note, body: Any) -> None:  # noqa: ARG001
    client = APIClient()
    client.raise_request_exception = False
    answer = send(client, body, f"{API}auth/login/")
    code = "invalid_json" if "\\u0000" in bodies.text_of(body) else answer.json().get("code")
    assert code in ("invalid", "wrong_credentials", "invalid_json")
    status = 401 if code == "wrong_credentials" else 400
    tried("REST", "sign-in", refused(answer, answer.status_code and status, code))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRFToken": "x" * 64},
        {"X-CSRFToken": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example", "X-CSRFToken": "x"},
        {"Referer": "https://evil.example/"},
        {"X-HTTP-Method-Override": "POST"},
    ],
)
@pytest.mark.parametrize(
    "operation",
    [
        ("post", "jobs/"),
        ("post", "tokens/"),
        ("post", "runs/{run}/cancel/"),
        ("patch", "runs/{run}/"),
        ("delete", "jobs/{job}/"),
        ("post", "auth/logout/"),
    ],
)
def test_forged_requests(
    browser: Client, run: Run, tried: Note, operation: tuple[str, str], headers: dict[str, str]
) -> None:
    method, path = operation
    address = API + path.format(run=run.pk, job=run.job_id)
    body = json.dumps({"name": "x", "spec": {}})
    send_it = getattr(browser, method)
    answer = send_it(address, body, content_type="application/json", headers=headers)
    tried("REST", "forged requests of a browser", refused(answer, 403, "csrf_failed"))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil"])
@pytest.mark.parametrize("path", ["runs/", "jobs/", "auth/login/", "auth/csrf/", "schema/"])
def test_no_other_site_may_read(api: APIClient, tried: Note, origin: str, path: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for method in (api.options, api.get):
        answer = method(API + path, headers=asked)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    tried("REST", "pages of other sites", "no CORS header")


@pytest.mark.parametrize("method", ["put", "delete", "trace", "patch"])
@pytest.mark.parametrize("path", ["jobs/", "runs/", "catalogue/", "spec/validate/", "workers/"])
def test_methods(api: APIClient, tried: Note, method: str, path: str) -> None:
    answer = api.generic(method.upper(), API + path)
    tried("REST", "methods that are not there", refused(answer, 405, "method_not_allowed"))
