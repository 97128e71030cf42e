"""The API client: what it sends, how it reads answers, and how it explains refusals."""

# ruff: noqa: S105, S106

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from rich.console import Console

from webapp.client import Client, ClientError
from webapp.client.credentials import (
    Credentials,
    find_credentials,
    resolve_credentials,
    save_credentials,
)
from webapp.client.follow import follow_events
from webapp.client.sweeps import describe_point, is_sweep, watch_sweep

RUN_ID = uuid4()
URL = "http://fl.example.org"

Handler = Callable[[httpx.Request], httpx.Response]


def client_of(handler: Handler, token: str | None = "rh_secret") -> Client:  # noqa: S107
    return Client(URL, token, transport=httpx.MockTransport(handler))


def run_json(**changes: Any) -> dict[str, Any]:
    base = {
        "id": str(RUN_ID),
        "number": 1,
        "name": "trial",
        "state": "running",
        "is_final": False,
        "rounds_total": 3,
        "rounds_done": 1,
        "latest_metrics": {"accuracy": 0.5},
        "something_of_a_newer_server": True,
    }
    return {**base, **changes}


def event_json(seq: int, kind: str = "log") -> dict[str, Any]:
    data = {"level": "info", "message": f"event {seq}"}
    return {"seq": seq, "kind": kind, "data": data, "at": "2030-01-01T00:00:00Z"}


def test_a_submission_carries_the_token_and_an_idempotency_key() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        job = {"id": str(uuid4()), "name": "trial", "runs": [run_json()]}
        return httpx.Response(201, json=job)

    with client_of(answer) as client:
        job = client.submit(name="trial", spec={"rounds": 3})
    (request,) = requests
    assert request.url == f"{URL}/api/v1/jobs/"
    assert request.headers["Authorization"] == "Bearer rh_secret"
    assert UUID(request.headers["Idempotency-Key"]).version == 4
    assert json.loads(request.content) == {"name": "trial", "spec": {"rounds": 3}, "launch": True}
    assert job.runs[0].id == RUN_ID


def sweep_json(state: str, **by_state: int) -> dict[str, Any]:
    best = {"index": 0, "values": {"local.lr": 0.2}, "mean": 0.81, "std": 0.02}
    counts = {"runs_total": 2, "runs_made": 2, "runs_by_state": by_state}
    return {"state": state, "metric": "accuracy", "best": best, **counts}


def test_a_document_with_a_base_or_axes_is_a_sweep() -> None:
    sweeps: list[dict[str, Any]] = [{"base": {}}, {"axes": {}}, {"seeds": 3}]
    assert all(is_sweep(document) for document in sweeps)
    assert not is_sweep({"rounds": 3, "seed": 1})


def test_a_sweep_is_submitted_as_one_and_followed_to_its_end() -> None:
    job_id, bodies = uuid4(), []
    answers = iter(
        [
            httpx.Response(503),
            httpx.Response(200, json=sweep_json("running", succeeded=1, running=1)),
            httpx.Response(200, json=sweep_json("finished", succeeded=2)),
        ]
    )

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            bodies.append(json.loads(request.content))
            return httpx.Response(201, json={"id": str(job_id), "name": "x", "runs": []})
        assert request.url.path.endswith(f"/jobs/{job_id}/sweep/")
        return next(answers)

    with client_of(answer) as client:
        job = client.submit_sweep(name="x", sweep={"seeds": 2})
        ended = watch_sweep(client, job.id, Console(quiet=True), poll_s=0.01)
    assert bodies == [{"name": "x", "sweep": {"seeds": 2}}]
    assert ended.state == "finished"
    assert ended.best is not None
    line = describe_point(ended.best, ended.metric)
    assert line == "accuracy 0.8100 ± 0.0200 with local.lr 0.2"


def test_every_refused_field_reaches_the_caller() -> None:
    body = {
        "code": "invalid_spec",
        "message": "The spec has 2 problems.",
        "fields": {"rounds": ["must be positive"], "algorithm.mu": ["unknown"]},
    }
    with (
        client_of(lambda _: httpx.Response(400, json=body)) as client,
        pytest.raises(ClientError) as caught,
    ):
        client.submit(name="trial", spec={"rounds": -1})
    assert caught.value.code == "invalid_spec"
    assert caught.value.status == 400
    assert set(caught.value.fields) == {"rounds", "algorithm.mu"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, text="<html>oops</html>"),
        httpx.Response(404, json=["not", "an", "object"]),
        httpx.Response(413),
    ],
)
def test_an_answer_in_no_known_shape_is_still_an_error_with_a_sentence(
    answer: httpx.Response,
) -> None:
    with client_of(lambda _: answer) as client, pytest.raises(ClientError) as caught:
        client.run(RUN_ID)
    assert str(answer.status_code) in caught.value.message


def test_a_server_that_does_not_answer_is_told_from_one_that_refuses() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with client_of(refuse) as client:
        with pytest.raises(ClientError) as caught:
            client.run(RUN_ID)
        assert caught.value.is_unreachable
        assert not client.is_ready()


def test_lists_follow_the_cursor_up_to_the_limit() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("cursor", "0"))
        following = f"{URL}/api/v1/runs/?cursor={page + 1}"
        return httpx.Response(
            200, json={"next": following, "previous": None, "results": [run_json(number=page)] * 2}
        )

    with client_of(answer) as client:
        numbers = [run.number for run in client.runs(limit=5)]
    assert numbers == [0, 0, 1, 1, 2]


def test_following_a_run_misses_no_event_while_the_server_restarts() -> None:
    answers = iter(
        [
            httpx.Response(200, json=run_json()),
            httpx.Response(200, json={"events": [event_json(1), event_json(2)], "last_seq": 2}),
            httpx.Response(503),
            httpx.Response(200, json=run_json(state="succeeded", is_final=True)),
            httpx.Response(200, json={"events": [event_json(3)], "last_seq": 4, "has_more": True}),
            httpx.Response(200, json={"events": [event_json(4)], "last_seq": 4}),
        ]
    )
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events/"):
            asked.append(request.url.params.get("after"))
        return next(answers)

    with client_of(answer) as client:
        seen = [event.seq for batch in follow_events(client, RUN_ID) for event in batch]
    assert seen == [1, 2, 3, 4]
    assert asked == ["0", "2", "3"]


def test_following_gives_up_on_a_server_that_stays_away() -> None:
    with client_of(lambda _: httpx.Response(503)) as client, pytest.raises(ClientError):
        list(follow_events(client, RUN_ID, patience_s=0))


def test_signing_in_sends_the_csrf_token_that_it_was_given() -> None:
    seen: dict[str, str | None] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.url.path] = request.headers.get("X-CSRFToken")
        if request.url.path.endswith("csrf/"):
            return httpx.Response(204, headers={"Set-Cookie": "csrftoken=abc; Path=/"})
        return httpx.Response(201, json={"id": "1", "name": "x", "token": "rh_new"})

    with client_of(answer, token=None) as client:
        made = client.create_token(username="a", password="b", name="x", expires_in_days=1)
    assert made.token == "rh_new"
    assert seen["/api/v1/auth/login/"] == "abc"
    assert seen["/api/v1/tokens/"] == "abc"


def test_the_model_is_written_to_a_file(tmp_path: Path) -> None:
    with client_of(lambda _: httpx.Response(200, content=b"tensors")) as client:
        target = client.download_model(RUN_ID, tmp_path / "model.safetensors")
    assert target.read_bytes() == b"tensors"


def test_a_model_that_is_not_there_yet_leaves_no_file(tmp_path: Path) -> None:
    body = {"code": "not_ready", "message": "The run has no model yet.", "fields": {}}
    with (
        client_of(lambda _: httpx.Response(409, json=body)) as client,
        pytest.raises(ClientError, match="no model yet"),
    ):
        client.download_model(RUN_ID, tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


def test_saved_credentials_are_private_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "roundhouse" / "credentials.json"
    save_credentials(Credentials(url=URL, token="rh_secret"), file)
    save_credentials(Credentials(url=URL, token="rh_newer"), file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert find_credentials(file) == Credentials(url=URL, token="rh_newer")


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    save_credentials(Credentials(url=URL, token="rh_secret"), file)
    file.chmod(0o644)
    with pytest.raises(ClientError, match="chmod 600"):
        find_credentials(file)


def test_a_saved_token_is_not_sent_to_another_server(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    save_credentials(Credentials(url=URL, token="rh_secret"), file)
    assert resolve_credentials(None, None, file).token == "rh_secret"
    assert resolve_credentials(f"{URL}/", None, file).token == "rh_secret"
    with pytest.raises(ClientError, match="not signed in"):
        resolve_credentials("http://elsewhere.example.org", None, file)


def test_a_token_of_the_environment_wins_over_the_saved_one(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    save_credentials(Credentials(url=URL, token="rh_secret"), file)
    assert resolve_credentials(None, "rh_given", file).token == "rh_given"
