"""Jobs over REST, and the keys that make a repeated POST harmless."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tests.factories import make_job, make_member, make_project, make_spec
from tests.webapp.conftest import signed_in
from tests.webapp.simultaneous import at_once
from webapp.accounts.models import Project, User
from webapp.jobs.models import Job, Run

URL = "/api/v1/jobs/"
BODY = {"name": "first", "spec": {"rounds": 4}}


def test_a_created_job_comes_back_with_its_completed_spec_and_run(
    api: APIClient, project: Project, editor: User
) -> None:
    answer = api.post(URL, BODY)
    assert answer.status_code == 201
    job = answer.json()
    assert job["spec"] == make_spec(rounds=4).model_dump(mode="json")
    assert (job["name"], job["project"]) == ("first", str(project.pk))
    assert job["created_by"] == editor.username
    (run,) = job["runs"]
    assert (run["state"], run["number"], run["name"]) == ("queued", 1, "first")
    assert run["job"] == {"id": job["id"], "name": "first"}
    assert api.get(f"{URL}{job['id']}/").json() == job


def test_a_job_can_be_saved_without_launching(api: APIClient) -> None:
    assert api.post(URL, {**BODY, "launch": False}).json()["runs"] == []


def test_a_job_is_launched_again(api: APIClient, editor: User, project: Project) -> None:
    job = make_job(editor, project, launch=True)
    answer = api.post(f"{URL}{job.pk}/runs/")
    assert answer.status_code == 201
    assert answer.json()["number"] == 2
    assert [row["number"] for row in api.get(f"{URL}{job.pk}/runs/").json()["results"]] == [2, 1]


def test_the_list_takes_one_query(
    api: APIClient,
    editor: User,
    project: Project,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(4):
        make_job(editor, project, launch=True)
    with django_assert_num_queries(1):
        rows = api.get(URL).json()["results"]
    assert [row["runs_launched"] for row in rows] == [1, 1, 1, 1]


def test_the_same_key_and_request_create_one_job(api: APIClient) -> None:
    key = str(uuid4())
    first = api.post(URL, BODY, headers={"Idempotency-Key": key})
    again = api.post(URL, BODY, headers={"Idempotency-Key": key})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Job.objects.count() == Run.objects.count() == 1


def test_the_same_key_with_another_request_is_refused(api: APIClient) -> None:
    api.post(URL, BODY, headers={"Idempotency-Key": "k"})
    answer = api.post(URL, {**BODY, "name": "second"}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert Job.objects.count() == 1


def test_a_refused_request_does_not_use_its_key_up(api: APIClient) -> None:
    wrong = {**BODY, "spec": {"rounds": 0}}
    assert api.post(URL, wrong, headers={"Idempotency-Key": "k"}).status_code == 400
    assert api.post(URL, BODY, headers={"Idempotency-Key": "k"}).status_code == 201


def test_a_work_that_failed_does_not_use_its_key_up(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    api.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr("webapp.jobs.views.jobs.submit_job", fail)
        assert api.post(URL, BODY, headers={"Idempotency-Key": "k"}).status_code == 500
    assert api.post(URL, BODY, headers={"Idempotency-Key": "k"}).status_code == 201


def test_keys_of_two_users_are_two_keys(api: APIClient, stranger: User) -> None:
    api.post(URL, BODY, headers={"Idempotency-Key": "k"})
    answer = signed_in(stranger).post(URL, BODY, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201
    assert Job.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_request_twice_at_once_creates_one_job() -> None:
    user = make_member(make_project())
    headers = {"Idempotency-Key": "k"}
    answers = at_once(*[lambda: signed_in(user).post(URL, BODY, headers=headers)] * 4)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Job.objects.count() == Run.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "ü", "x" * 129])
def test_a_key_that_is_none_is_refused(api: APIClient, key: str) -> None:
    answer = api.post(URL, BODY, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
