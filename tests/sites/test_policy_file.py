"""A policy file says exactly what it says: each mistake is named with its fix."""

from __future__ import annotations

import pytest

from fedcore.sites.documents import SiteFileError
from fedcore.sites.policy import Policy

CASES = [
    ("", "projects", "missing"),
    ("projects:", "projects", "neither the word any nor a list"),
    ("projects: heart", "projects", "neither the word any nor a list"),
    ("projects: [1]", "projects", "neither the word any nor a list"),
    ("projects: ['']", "projects.0", "at least 1 character"),
    ("projects: any\nmethods: [fedprxo]", "methods", "Did you mean fedprox?"),
    ("projects: any\nmodels: [mlpp]", "models", "Did you mean mlp?"),
    ("projects: any\nmin_cohorts: 3", "min_cohorts", "Did you mean min_cohort?"),
    ("projects: any\nmin_cohort: 0", "min_cohort", "The limit is 1."),
    ("projects: any\nmin_cohort: yes", "min_cohort", "integer"),
    ("projects: any\nmin_cohort: '3'", "min_cohort", "integer"),
    ("projects: any\nmax_work: {rounds: 0}", "max_work.rounds", "The limit is 1."),
    ("projects: any\nmax_work: {round_seconds: .inf}", "max_work.round_seconds", "finite"),
    ("projects: any\nmax_work: 5", "max_work", "mapping"),
    ("projects: any\nprivacy: {max_epsilon: .nan}", "privacy.max_epsilon", "finite"),
    ("projects: any\nprivacy: {max_epsilon: -1}", "privacy.max_epsilon", "greater than 0"),
    ("projects: any\nprivacy: {level: client}", "privacy", "Add max_epsilon"),
    (
        "projects: any\nprivacy: {secure_aggregation: true}",
        "privacy.secure_aggregation",
        "'required' or 'optional'",
    ),
    ("projects: any\napproval: none", "approval", "'manual' or 'automatic'"),
    ("projects: any\npolicy_version: 2", "policy_version", "1"),
    ("projects: any\nprojects: [a]", "", "given twice"),
    ("projects: &a any\nmethods: *a", "", "aliases are not allowed"),
    ("projects: !!python/name:os.system", "", "Line 1"),
    ("[any]", "", "mapping"),
]


@pytest.mark.parametrize(("text", "path", "says"), CASES)
def test_a_mistake_is_named_with_its_field_and_fix(text: str, path: str, says: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        Policy.parse(text, "policy.yaml")
    (problem,) = caught.value.problems
    assert problem.path == path
    assert says in f"{problem.message} {problem.fix}"
    assert (path or "policy.yaml") in str(caught.value)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(SiteFileError, match="3 problems"):
        Policy.parse("methods: [x]\nmin_cohort: 0")


def test_nothing_is_allowed_that_was_not_said() -> None:
    policy = Policy.parse("projects: []")
    assert policy.projects == ()
    assert policy.approval == "manual"


def test_a_policy_comes_back_from_its_own_json() -> None:
    policy = Policy.parse("projects: [heart]\nmethods: any\nmodels: [mlp]\nmax_work: {rounds: 5}")
    assert Policy.model_validate(policy.model_dump(mode="json")) == policy
    assert policy.model_dump(mode="json")["methods"] == "any"
