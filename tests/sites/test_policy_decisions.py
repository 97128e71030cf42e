"""Twenty-two runs before five sites: who takes part, who refuses, and in which words.

Every cell of the table was written by hand from the policies, not from what the code says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fedcore.sites.decisions import Decision, decide, refusal_of, took_too_long
from fedcore.sites.facts import Guarantee, Work, facts_of
from fedcore.sites.policy import Policy
from fedcore.spec import RunSpec

POLICIES = {
    "open": "{projects: any, approval: automatic}",
    "manual": "{projects: any, datasets: [heart], approval: manual}",
    "hospital": """
        projects: [cardiology]
        methods: [fedavg, fedprox, scaffold]
        models: [linear, mlp]
        max_work: {rounds: 50, local_epochs: 3, model_parameters: 10000}
        min_cohort: 3
        privacy: {secure_aggregation: required}
        approval: automatic
    """,
    "registry": """
        projects: [cardiology, lungs]
        max_work: {local_steps: 100}
        privacy: {max_epsilon: 4, max_delta: 0.00001, level: client}
        approval: automatic
    """,
    "closed": "{projects: [], approval: automatic}",
}

NOBODY = "projects: This site allows no project. Ask the site to add 'cardiology'."
NO_LUNGS = "projects: This site allows no project. Ask the site to add 'lungs'."
NO_ATTACK = (
    "attack: The run simulates an attack (label_flip), which no site takes part in. "
    "Remove attack, or set runtime.placement: local."
)
ALONE = (
    "privacy.secure_aggregation: The server would see the update of this site alone. "
    "Set privacy.secure_aggregation: true."
)
FEW_RESULTS = (
    "min_cohort: A result may come of 1 update; this site takes part where it comes of at least 3."
    " Set runtime.min_updates to 3 or more."
)
NO_DP = (
    "privacy.max_epsilon: The run has no differential privacy. "
    "Set privacy.dp with an epsilon of 4 or less."
)
STEPS = (
    "max_work.local_steps: The run has {} local steps in a round; this site does at most 100. "
    "Set local.steps to 100 or less, or ask the site to raise max_work.local_steps."
)
YES = "accepted: every rule of the site's policy holds."
ASK = "approval: This site approves every run by hand. Wait until a person there has approved it."

OPEN: dict[str, Any] = {}
SECURE: dict[str, Any] = {"secure_aggregation": True}
PRIVATE = {"dp": {"epsilon": 4, "delta": 1e-5}}
BOTH = {"dp": {"epsilon": 2, "delta": 1e-6}, "secure_aggregation": True}
THREE = {"runtime": {"min_updates": 3}}

#: Name, spec, its privacy, then what the five sites say; lists are several sentences in a row.
Row = tuple[str, dict[str, Any], dict[str, Any], tuple[str | list[str], ...]]
TABLE: list[Row] = [
    ("default", {}, OPEN, (YES, ASK, [FEW_RESULTS, ALONE], NO_DP, NOBODY)),
    ("three results", THREE, OPEN, (YES, ASK, ALONE, NO_DP, NOBODY)),
    ("secure sums", THREE, SECURE, (YES, ASK, YES, NO_DP, NOBODY)),
    ("private", THREE, PRIVATE, (YES, ASK, ALONE, YES, NOBODY)),
    ("both", THREE, BOTH, (YES, ASK, YES, YES, NOBODY)),
    (
        "small cohort",
        {"sampling": {"kind": "random", "count": 2}, "runtime": {"min_updates": 2}},
        PRIVATE,
        (
            YES,
            ASK,
            [
                "min_cohort: A round has 2 clients; this site takes part among at least 3. "
                "Let sampling take 3 or more.",
                ALONE,
            ],
            YES,
            NOBODY,
        ),
    ),
    ("as many as asked", {"sampling": {"kind": "random", "count": 3}, **THREE}, BOTH,
     (YES, ASK, YES, YES, NOBODY)),
    (
        "unknown method",
        {"algorithm": {"kind": "fedadam"}, **THREE},
        BOTH,
        (
            YES,
            ASK,
            "methods: The method 'fedadam' is not among those that this site allows. "
            "Use one of fedavg, fedprox, scaffold, or ask the site to add it.",
            YES,
            NOBODY,
        ),
    ),
    ("known method", {"algorithm": {"kind": "fedprox"}, **THREE}, BOTH,
     (YES, ASK, YES, YES, NOBODY)),
    (
        "unknown model",
        {"model": {"kind": "cnn"}, **THREE},
        BOTH,
        (
            YES,
            ASK,
            "models: The model 'cnn' is not among those that this site allows. "
            "Use one of linear, mlp, or ask the site to add it.",
            YES,
            NOBODY,
        ),
    ),
    ("known model", {"model": {"kind": "linear"}, **THREE}, BOTH, (YES, ASK, YES, YES, NOBODY)),
    (
        "many rounds",
        {"rounds": 2000, **THREE},
        BOTH,
        (
            YES,
            ASK,
            "max_work.rounds: The run has 2,000 rounds; this site does at most 50. "
            "Set rounds to 50 or less, or ask the site to raise max_work.rounds.",
            YES,
            NOBODY,
        ),
    ),
    ("most rounds", {"rounds": 50, **THREE}, BOTH, (YES, ASK, YES, YES, NOBODY)),
    (
        "many epochs",  # 4 epochs of 32 batches of 16 are 128 steps
        {"local": {"epochs": 4}, **THREE},
        BOTH,
        (
            YES,
            ASK,
            "max_work.local_epochs: The run has 4 local epochs in a round; this site does at most "
            "3. Set local.epochs to 3 or less, or ask the site to raise max_work.local_epochs.",
            STEPS.format(128),
            NOBODY,
        ),
    ),
    (
        "many steps",  # 112 steps of 16 are 3.5 times all 512 examples
        {"local": {"steps": 112}, **THREE},
        BOTH,
        (
            YES,
            ASK,
            "max_work.local_epochs: The run has 3.5 local epochs in a round; this site does at "
            "most 3. Set local.epochs to 3 or less, or ask the site to raise "
            "max_work.local_epochs.",
            STEPS.format(112),
            NOBODY,
        ),
    ),
    ("few steps", {"local": {"steps": 96}, **THREE}, BOTH, (YES, ASK, YES, YES, NOBODY)),
    (
        "large batches",  # 10 epochs of 2 batches are 20 steps, but 10 passes over the data
        {"local": {"epochs": 10, "batch_size": 256}, **THREE},
        BOTH,
        (
            YES,
            ASK,
            "max_work.local_epochs: The run has 10 local epochs in a round; this site does at most "
            "3. Set local.epochs to 3 or less, or ask the site to raise max_work.local_epochs.",
            YES,
            NOBODY,
        ),
    ),
    (
        "too little noise",
        THREE,
        {"dp": {"epsilon": 4.01, "delta": 1e-5}},
        (
            YES,
            ASK,
            ALONE,
            "privacy.max_epsilon: The run spends epsilon 4.01; this site allows at most 4. "
            "Set privacy.dp.epsilon lower, or use more noise or fewer rounds.",
            NOBODY,
        ),
    ),
    (
        "no noise",
        THREE,
        SECURE | {"dp": {"noise_multiplier": 0, "delta": 1e-5}},
        (
            YES,
            ASK,
            YES,
            "privacy.max_epsilon: The run spends an unknown epsilon; this site allows at most 4. "
            "Set privacy.dp.epsilon lower, or use more noise or fewer rounds.",
            NOBODY,
        ),
    ),
    (
        "wrong level and delta",
        THREE,
        SECURE | {"dp": {"level": "example", "epsilon": 1, "delta": 1e-4}},
        (
            YES,
            ASK,
            YES,
            [
                "privacy.max_delta: The delta of the run is 0.0001; this site allows at most 1e-05."
                " Set privacy.dp.delta to 1e-05 or less.",
                "privacy.level: The run protects each example; this site asks for protection of "
                "each client. Set privacy.dp.level: client.",
            ],
            NOBODY,
        ),
    ),
    (
        "attack",
        {"attack": {"kind": "label_flip"}, **THREE},
        BOTH,
        (NO_ATTACK, NO_ATTACK, NO_ATTACK, NO_ATTACK, [NO_ATTACK, NOBODY]),
    ),
    (
        "lungs",
        THREE,
        BOTH,
        (
            YES,
            "datasets: The data set 'ct' is not among those that this site allows. "
            "Use one of heart, or ask the site to add it.",
            "projects: The project 'lungs' is not among those that this site allows. "
            "Use one of cardiology, or ask the site to add it.",
            YES,
            NO_LUNGS,
        ),
    ),
    (
        "large model",
        {"model": {"kind": "mlp", "hidden": [400]}, **THREE},
        BOTH,
        (
            YES,
            ASK,
            "max_work.model_parameters: The run has 30,010 trainable parameters; this site does at "
            "most 10,000. Choose a model of 10,000 or less, or ask the site to raise "
            "max_work.model_parameters.",
            YES,
            NOBODY,
        ),
    ),
]  # fmt: skip

CELLS = [
    pytest.param(name, site, row[column], id=f"{name}, {site}")
    for name, _, _, row in TABLE
    for column, site in enumerate(POLICIES)
]
ROWS = {name: (document, privacy) for name, document, privacy, _ in TABLE}


def spec_of(document: dict[str, Any], privacy: dict[str, Any]) -> RunSpec:
    usual = {
        "sampling": {"kind": "random", "count": 10},
        "aggregation": {"kind": "mean", "weighting": "uniform"},
    }
    return RunSpec.parse(usual | document | {"privacy": privacy})


def said(row: str, site: str, *, approved: bool = False) -> Decision:
    project, dataset = ("lungs", "ct") if row == "lungs" else ("cardiology", "heart")
    parameters = 30_010 if row == "large model" else 9_000
    work = Work(dataset, num_clients=20, num_examples=512, model_parameters=parameters)
    facts = facts_of(spec_of(*ROWS[row]), work, project=project)
    return decide(Policy.parse(POLICIES[site]), facts, approved=approved)


def test_the_table_is_as_large_as_it_says() -> None:
    assert len(TABLE) >= 22
    assert len(POLICIES) == 5


@pytest.mark.parametrize(("row", "site", "expected"), CELLS)
def test_a_site_says(row: str, site: str, expected: str | list[str]) -> None:
    decision = said(row, site)
    assert decision.sentence == (expected if isinstance(expected, str) else " ".join(expected))
    verdict = {YES: "accepted", ASK: "needs_approval"}.get(decision.sentence, "refused")
    assert decision.verdict == verdict


def test_an_approval_opens_what_waits_and_nothing_that_is_refused() -> None:
    assert said("default", "manual", approved=True).verdict == "accepted"
    assert said("attack", "manual", approved=True).verdict == "refused"
    assert said("default", "closed", approved=True).verdict == "refused"


def test_a_refusal_names_the_first_rule_and_the_others() -> None:
    refusal = refusal_of(said("default", "hospital"))
    assert (refusal.rule, refusal.message) == (
        "min_cohort",
        "A result may come of 1 update; this site takes part where it comes of at least 3.",
    )
    assert refusal.fix == (
        "Set runtime.min_updates to 3 or more. The run also breaks privacy.secure_aggregation."
    )


def test_a_refusal_fits_its_message_however_long_the_policy_is() -> None:
    policy = Policy.parse(f"projects: [{', '.join(f'{n:0199d}x' for n in range(20))}]")
    facts = facts_of(RunSpec.parse({}), Work("heart", 20), project="p\x1b" * 100)
    assert len(refusal_of(decide(policy, facts)).fix) == 500


def test_every_rule_has_a_name_that_the_protocol_takes() -> None:
    for row in ROWS:
        for site in POLICIES:
            decision = said(row, site)
            if decision.reasons:
                assert refusal_of(decision).rule == decision.reasons[0].rule


def test_not_a_number_is_not_private() -> None:
    facts = facts_of(RunSpec.parse({}), Work("heart", 20), project="lungs")
    nan = float("nan")
    facts = replace(facts, guarantee=Guarantee(dp_level="client", epsilon=nan, delta=nan))
    rules = [reason.rule for reason in decide(Policy.parse(POLICIES["registry"]), facts).reasons]
    assert rules == ["privacy.max_epsilon", "privacy.max_delta"]


def test_a_delta_that_is_not_given_is_the_one_that_the_run_takes() -> None:
    spec = spec_of({}, {"dp": {"epsilon": 1}})
    policy = Policy.parse("{projects: any, privacy: {max_epsilon: 1, max_delta: 0.00001}}")
    assert decide(policy, facts_of(spec, Work("heart", 20), project="p")).sentence == (
        "privacy.max_delta: The delta of the run is 0.03706; this site allows at most 1e-05. "
        "Set privacy.dp.delta to 1e-05 or less."
    )


def test_limits_that_need_the_number_of_examples_wait_for_it() -> None:
    spec = spec_of({"local": {"epochs": 4}}, BOTH)
    facts = facts_of(spec, Work("heart", 20), project="lungs")
    assert facts.local_steps is None
    assert decide(Policy.parse(POLICIES["registry"]), facts).verdict == "accepted"


def test_training_is_stopped_at_the_limit_of_time_and_not_before() -> None:
    policy = Policy.parse("{projects: any, max_work: {round_seconds: 60}}")
    assert took_too_long(policy, 60.0) is None
    reason = took_too_long(policy, 60.1)
    assert reason is not None
    assert reason.sentence == (
        "max_work.round_seconds: Training took longer than 60 s, the most that this site gives to "
        "one round. Ask for less local work, or ask the site to raise max_work.round_seconds."
    )
    assert took_too_long(Policy.parse("projects: any"), 1e9) is None


def test_noise_that_is_given_counts_as_the_epsilon_that_it_comes_to() -> None:
    policy = Policy.parse(POLICIES["registry"])
    for noise, verdict in ((30.0, "accepted"), (1.0, "refused")):
        everybody = THREE | {"sampling": {"kind": "full"}}
        spec = spec_of(everybody, {"dp": {"noise_multiplier": noise, "delta": 1e-5}})
        decision = decide(policy, facts_of(spec, Work("heart", 20), project="lungs"))
        assert decision.verdict == verdict, decision.sentence
