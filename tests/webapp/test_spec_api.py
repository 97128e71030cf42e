"""The catalogue, the schema that forms are made from, and the check of a draft."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from fedcore.spec import RunSpec, catalogue
from tests.factories import make_spec

VALIDATE = "/api/v1/spec/validate/"


def verdict(api: APIClient, **body: Any) -> dict[str, Any]:
    answer = api.post(VALIDATE, body)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_the_catalogue_lists_every_kind(api: APIClient) -> None:
    rows = api.get("/api/v1/catalogue/").json()
    assert [(row["section"], row["kind"]) for row in rows] == [
        (entry.section, entry.kind) for entry in catalogue()
    ]
    assert all(row["title"] and row["summary"] and row["schema"] for row in rows)


def test_the_schema_is_that_of_the_spec(api: APIClient) -> None:
    assert api.get("/api/v1/spec/schema/").json() == RunSpec.json_schema()


def test_an_empty_spec_is_completed_and_estimated(api: APIClient) -> None:
    found = verdict(api, spec={})
    assert (found["valid"], found["problems"]) == (True, [])
    assert found["spec"] == RunSpec().model_dump(mode="json")
    assert found["digest"] == RunSpec().digest()
    assert found["estimate"]["model_parameters"] > 0
    assert found["estimate"]["bytes_total"] > 0


def test_the_same_spec_as_yaml_and_as_json_gets_the_same_answer(api: APIClient) -> None:
    spec = make_spec(rounds=9)
    from_json = verdict(api, spec=spec.model_dump(mode="json"))
    assert verdict(api, yaml=spec.to_yaml()) == from_json
    assert verdict(api, yaml=from_json["yaml"]) == from_json


def test_every_problem_of_a_draft_is_listed_with_its_path_and_fix(api: APIClient) -> None:
    found = verdict(api, spec={"rounds": 0, "modle": {}, "algorithm": {"kind": "fedavgg"}})
    assert not found["valid"]
    assert found["spec"] is found["digest"] is found["estimate"] is None
    problems = {problem["path"]: problem for problem in found["problems"]}
    assert set(problems) == {"rounds", "modle", "algorithm.kind"}
    assert problems["algorithm.kind"]["fix"] == "Did you mean fedavg?"
    assert problems["modle"]["fix"] == "Did you mean model?"
    assert "rounds: 0" in found["yaml"], "a wrong draft is shown as it is"


@pytest.mark.parametrize("text", ["a: [", "a: &x 1\nb: *x", "rounds: 1\nrounds: 2", "- 1", "7"])
def test_yaml_that_is_no_spec_is_a_problem_of_the_whole(api: APIClient, text: str) -> None:
    found = verdict(api, yaml=text)
    assert [problem["path"] for problem in found["problems"]] == [""]
    assert found["yaml"] == text


def test_an_empty_document_is_the_default_spec(api: APIClient) -> None:
    assert verdict(api, yaml="")["valid"]


def test_a_model_beyond_the_memory_is_a_problem_and_still_estimated(
    api: APIClient, settings: Settings
) -> None:
    settings.MAX_MODEL_BYTES = 1_000
    found = verdict(api, spec={})
    assert [problem["path"] for problem in found["problems"]] == ["model"]
    assert not found["valid"]
    assert found["estimate"]["memory_bytes"] > 1_000


@pytest.mark.parametrize("body", [{}, {"spec": {}, "yaml": ""}, {"yaml": 7.5, "spec": 1}])
def test_one_document_at_a_time(api: APIClient, body: dict[str, Any]) -> None:
    assert api.post(VALIDATE, body).status_code == 400


def test_checking_saves_nothing(api: APIClient) -> None:
    verdict(api, spec={})
    assert api.get("/api/v1/jobs/").json()["results"] == []
