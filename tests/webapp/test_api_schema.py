"""The API schema tells the truth: what is sent has the types that it names."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker
from rest_framework.test import APIClient

from tests.factories import begin, client_report, make_spec, report
from tests.webapp.conftest import signed_in
from webapp.accounts.models import User
from webapp.jobs import services
from webapp.jobs.events import KINDS, Event
from webapp.jobs.models import Run


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


def assert_is(schema: dict[str, Any], name: str, value: Any) -> None:
    whole = {**schema, "$ref": f"#/components/schemas/{name}"}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


@pytest.fixture
def eventful(run: Run, editor: User) -> Run:
    """A run to which everything has happened that can."""
    lease = begin(run)
    clients = [
        client_report(1, status="refused", reason="stale"),
        client_report(2, status="failed", reason="ValueError"),
    ]
    services.record_round(lease=lease, report=report(0, clients=clients))
    services.record_checkpoint(lease=lease, key="k", size_bytes=1, sha256="s", round_index=1)
    services.request_pause(run=run, user=editor)
    services.release_lease(lease=lease)
    services.request_resume(run=run, user=editor)
    lease = begin(run)
    services.fail_run(lease=lease, failure=services.Failure(code="c", message="m", round_index=1))
    return run


def test_stored_events_have_the_types_of_the_schema(
    schema: dict[str, Any], api: APIClient, eventful: Run
) -> None:
    page = api.get(f"/api/v1/runs/{eventful.pk}/events/").json()
    assert_is(schema, "EventPage", page)
    for event in page["events"]:
        Event.model_validate(event)


def test_every_kind_of_event_is_in_the_schema(schema: dict[str, Any]) -> None:
    kinds = schema["components"]["schemas"]["Event"]["discriminator"]["mapping"]
    assert set(kinds) == set(KINDS.values())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("runs/{run}/", "Run"),
        ("runs/", "PaginatedRunRowList"),
        ("runs/{run}/metrics/", "Rounds"),
        ("runs/{run}/clients/", "Clients"),
        ("runs/{run}/artifacts/", "PaginatedArtifactList"),
        ("jobs/", "PaginatedJobRowList"),
        ("jobs/{job}/", "Job"),
        ("jobs/{job}/runs/", "PaginatedRunRowList"),
        ("auth/me/", "Me"),
        ("projects/", "PaginatedProjectList"),
        ("catalogue/", "Catalogue"),
        ("health/ready/", "Health"),
        ("nothing/", "Error"),
    ],
)
def test_answers_have_the_types_of_the_schema(
    schema: dict[str, Any], api: APIClient, eventful: Run, path: str, name: str
) -> None:
    answer = api.get(f"/api/v1/{path.format(run=eventful.pk, job=eventful.job_id)}")
    assert_is(schema, name, answer.json())


def test_a_queued_run_and_a_verdict_have_the_types_of_the_schema(
    schema: dict[str, Any], api: APIClient, run: Run
) -> None:
    assert_is(schema, "Run", api.get(f"/api/v1/runs/{run.pk}/").json())
    for spec in ({}, {"rounds": 0}):
        verdict = api.post("/api/v1/spec/validate/", {"spec": spec}).json()
        assert_is(schema, "SpecVerdict", verdict)


def test_requests_may_leave_out_what_has_a_default(schema: dict[str, Any]) -> None:
    assert_is(schema, "JobCreateRequest", {"name": "x", "spec": {"rounds": 3}})
    assert_is(schema, "RunSpecInput", {})
    assert_is(schema, "RunSpec", make_spec().model_dump(mode="json"))


def test_every_operation_answers_errors_in_the_one_shape(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            answer = operation["responses"]["default"]["content"]["application/json"]
            assert answer["schema"]["$ref"].endswith("/Error"), f"{method} {path}"


def test_everybody_may_read_the_schema(db: None) -> None:
    assert APIClient().get("/api/v1/schema/").status_code == 200


def test_the_schema_is_the_same_for_all(editor: User) -> None:
    assert (
        APIClient().get("/api/v1/schema/").content
        == signed_in(editor).get("/api/v1/schema/").content
    )
