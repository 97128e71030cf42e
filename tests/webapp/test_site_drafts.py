"""A run on sites is written with what the sites have declared, and with what they would say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from fedcore.sites.decisions import decide
from fedcore.sites.facts import Work, facts_of
from fedcore.sites.policy import Policy
from fedcore.spec import RunSpec
from tests.factories import make_member
from tests.webapp.conftest import signed_in
from tests.webapp.site_agents import API, Agent, approved, enrolled, invited
from webapp.accounts.models import Project, User
from webapp.accounts.roles import Role

AGE = {"name": "age", "kind": "number", "mean": 54.0, "std": 9.0}
DISEASE = {"name": "disease", "kind": "category", "values": ["no", "yes"]}


@pytest.fixture
def admin(project: Project) -> User:
    return make_member(project, Role.ADMIN, username="ada")


@pytest.fixture
def api(admin: User) -> APIClient:
    return signed_in(admin)


def heart(num_train: int = 40, *columns: dict[str, Any]) -> dict[str, Any]:
    shown = [*columns] or [AGE, DISEASE]
    return {"name": "heart", "num_train": num_train, "num_test": 10, "columns": shown}


def policy(**rules: Any) -> dict[str, Any]:
    document = {"projects": "any", "approval": "automatic", **rules}
    return {"document": document, "rules": []}


def declaring(
    admin: User, project: Project, name: str, shown: dict[str, Any] | None = None, **rules: Any
) -> Agent:
    """Return an approved site with the table and a policy."""
    agent = approved(admin, project, name)
    answer = agent.beat(datasets=[shown or heart()], policy=policy(**rules))
    assert answer.status_code == 200, answer.content
    return agent


def on_sites(api: APIClient, *names: str, **changes: Any) -> dict[str, Any]:
    """Return a draft on sites, as the server writes it."""
    asked = {"spec": {}, "dataset": "heart", "target": "disease", "sites": names}
    answer = api.post(f"{API}sites/draft/", asked, format="json")
    assert answer.status_code == 200, answer.content
    return {**answer.json()["sections"], **changes}


def ask(api: APIClient, spec: Any) -> dict[str, Any]:
    answer = api.post(f"{API}sites/eligibility/", {"spec": spec}, format="json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def verdicts(api: APIClient, spec: Any) -> dict[str, str]:
    return {site["name"]: site["verdict"] for site in ask(api, spec)["sites"]}


def reasons(api: APIClient, spec: Any, name: str) -> list[dict[str, str]]:
    (found,) = [site["reasons"] for site in ask(api, spec)["sites"] if site["name"] == name]
    return list(found)


def test_a_draft_of_declarations_is_a_valid_spec(
    admin: User, project: Project, api: APIClient
) -> None:
    for name in ("north", "south"):
        declaring(admin, project, name, min_cohort=2)
    made = on_sites(api, "south", "north")
    spec = RunSpec.parse(made)
    assert spec.runtime.sites == ("south", "north")
    # As many updates as the policies ask for, among all of the sites.
    assert (spec.runtime.min_updates, spec.sampling.kind) == (2, "full")
    assert set(verdicts(api, made).values()) == {"accepted"}
    submitted = api.post(f"{API}jobs/", {"name": "n", "spec": made}, format="json")
    assert submitted.status_code == 201, submitted.content


def test_what_was_set_of_the_runtime_stays(admin: User, project: Project, api: APIClient) -> None:
    declaring(admin, project, "north")
    spec = {
        "dataset": {"kind": "sites", "inputs": [{"column": "age"}]},
        "runtime": {"round_limit_s": 90, "min_updates": 1, "precision": "bfloat16"},
    }
    asked = {"spec": spec, "dataset": "heart", "target": "disease", "sites": ["north"]}
    sections = api.post(f"{API}sites/draft/", asked, format="json").json()["sections"]
    assert sections["runtime"]["round_limit_s"] == 90
    assert sections["runtime"]["precision"] == "bfloat16"
    assert "sampling" not in sections  # once on sites, who takes part in a round is left alone


def test_without_a_target_a_draft_says_which_there_are(
    admin: User, project: Project, api: APIClient
) -> None:
    declaring(admin, project, "north")
    asked = {"spec": {}, "dataset": "heart", "sites": ["north", "nowhere"]}
    answer = api.post(f"{API}sites/draft/", asked, format="json").json()
    assert answer == {"sections": {}, "targets": ["disease"], "left_out": [], "problem": ""}
    wrong = api.post(f"{API}sites/draft/", {**asked, "target": "age"}, format="json").json()
    assert wrong["problem"].startswith("'age' cannot be predicted.")


def test_a_refusal_names_the_rule_as_the_site_itself_would(
    admin: User, project: Project, api: APIClient
) -> None:
    rules: dict[str, Any] = {"max_work": {"rounds": 5}, "methods": ["fedprox"]}
    declaring(admin, project, "north")
    declaring(admin, project, "strict", **rules)
    made = on_sites(api, "north", "strict", rounds=20)
    assert verdicts(api, made) == {"north": "accepted", "strict": "refused"}
    spec = RunSpec.parse(made)
    facts = facts_of(spec, Work("heart", 2, 40), project=project.name)
    own = decide(Policy.model_validate_json(json.dumps(policy(**rules)["document"])), facts)
    assert reasons(api, made, "strict") == [
        {"rule": r.rule, "message": r.message, "fix": r.fix} for r in own.reasons
    ]
    assert [reason["rule"] for reason in reasons(api, made, "strict")] == [
        "methods",
        "max_work.rounds",
    ]


def test_the_size_of_the_model_is_known_beforehand(
    admin: User, project: Project, api: APIClient
) -> None:
    declaring(admin, project, "small", max_work={"model_parameters": 10})
    assert verdicts(api, on_sites(api, "small")) == {"small": "refused"}


def test_a_site_that_is_not_named_is_judged_as_the_next_one(
    admin: User, project: Project, api: APIClient
) -> None:
    declaring(admin, project, "north")
    declaring(admin, project, "shy", min_cohort=2)
    alone = on_sites(api, "north", sampling={"kind": "full"})
    alone["runtime"]["min_updates"] = 1
    assert [r["rule"] for r in reasons(api, alone, "shy")] == ["min_cohort"]
    assert "may come of 1 update" in reasons(api, alone, "shy")[0]["message"]
    assert verdicts(api, on_sites(api, "north", "shy"))["shy"] == "accepted"


def test_where_nobody_is_named_all_with_the_data_are_thought_of(
    admin: User, project: Project, api: APIClient
) -> None:
    for name in ("a", "b"):
        declaring(admin, project, name, min_cohort=2)
    made = on_sites(api, "a", "b")
    made["runtime"] = {**made["runtime"], "sites": []}
    assert verdicts(api, made) == {"a": "accepted", "b": "accepted"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [({"approval": "manual"}, "needs_approval"), ({"projects": ["another"]}, "refused")],
)
def test_people_and_projects_are_asked_about(
    admin: User, project: Project, api: APIClient, rules: dict[str, Any], expected: str
) -> None:
    declaring(admin, project, "north", **rules)
    assert verdicts(api, on_sites(api, "north")) == {"north": expected}


def test_a_site_that_cannot_take_part_says_why(
    admin: User, project: Project, api: APIClient
) -> None:
    declaring(admin, project, "north")
    declaring(admin, project, "other", heart(40, DISEASE, {"name": "pulse", "kind": "number"}))
    declaring(admin, project, "empty", heart(0))
    approved(admin, project, "poor").beat(datasets=[])
    enrolled(admin, project, "new")
    invited(admin, project, "asked")
    made = on_sites(api, "north")
    found = verdicts(api, made)
    unfit = dict.fromkeys(("other", "empty", "poor", "new", "asked"), "unfit")
    assert found == {"north": "accepted", **unfit}
    assert "has no column 'age'" in reasons(api, made, "other")[0]["message"]
    assert "is pending, not approved" in reasons(api, made, "new")[0]["message"]


def test_a_site_without_the_data_is_told_apart_also_in_a_wrong_draft(
    admin: User, project: Project, api: APIClient
) -> None:
    declaring(admin, project, "north")
    approved(admin, project, "poor").beat(datasets=[])
    enrolled(admin, project, "new")
    draft = {"rounds": -1, "dataset": {"kind": "sites", "name": "heart", "inputs": []}}
    assert verdicts(api, draft) == {"north": "unknown", "poor": "unfit", "new": "unfit"}


def test_a_policy_that_is_hidden_or_odd_is_not_guessed(
    admin: User, project: Project, api: APIClient
) -> None:
    approved(admin, project, "hidden").beat(datasets=[heart()], policy={"rules": []})
    odd = {"document": {"projects": "any", "moon": "full"}, "rules": []}
    approved(admin, project, "odd").beat(datasets=[heart()], policy=odd)
    made = on_sites(api, "hidden", "odd")
    assert verdicts(api, made) == {"hidden": "unknown", "odd": "unknown"}
    assert reasons(api, made, "hidden")[0]["message"] == "The site does not show its policy."


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"rounds": -1},
        {"runtime": 3, "dataset": [], "partition": None},
        {"runtime": {"sites": "north", "min_updates": "x"}, "dataset": {"kind": "sites"}},
        {"runtime": {"sites": [1, None, "north"]}, "dataset": {"kind": "sites", "name": "heart"}},
    ],
)
def test_any_draft_is_answered(
    admin: User, project: Project, api: APIClient, spec: dict[str, Any]
) -> None:
    declaring(admin, project, "north")
    assert verdicts(api, spec) == {"north": "unknown"}


def test_a_draft_may_name_sites_that_are_gone(
    admin: User, project: Project, api: APIClient
) -> None:
    declaring(admin, project, "north")
    gone = declaring(admin, project, "gone")
    made = on_sites(api, "north", "gone")
    assert api.post(f"{API}sites/{gone.site_id}/revoke/", {}).status_code == 200
    assert verdicts(api, made)["gone"] == "unfit"
    made["runtime"]["sites"] = ["north", "atlantis"]
    answer = ask(api, made)
    assert answer["unknown_names"] == ["atlantis"]
    assert [site["name"] for site in answer["sites"]] == ["north"]


def test_sites_of_others_are_neither_shown_nor_asked(
    admin: User, project: Project, api: APIClient, stranger: User
) -> None:
    declaring(admin, project, "north")
    made = on_sites(api, "north")
    foreign = signed_in(stranger)
    answer = ask(foreign, made)
    assert (answer["sites"], answer["unknown_names"]) == ([], ["north"])
    for path in ("sites/eligibility/", "sites/draft/"):
        body = {
            "spec": made,
            "project": str(project.pk),
            "dataset": "heart",
            "target": "disease",
            "sites": ["north"],
        }
        assert foreign.post(f"{API}{path}", body, format="json").status_code == 404
