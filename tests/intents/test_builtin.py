"""The built-in back end: sentences by hand, the rules behind them, and the whole test set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcore.spec import RunSpec, check_sweep
from webapp.intents.builtin import BuiltinBackend
from webapp.intents.catalogue_fields import entries
from webapp.intents.choices import kind_mentions
from webapp.intents.evaluation import Case, evaluate, load_cases
from webapp.intents.numerals import NumberReader
from webapp.intents.reading import read
from webapp.intents.results import IntentResult
from webapp.intents.text import tokens_of

DATA = Path(__file__).parents[1] / "data" / "intents"
FILES = ("en", "de", "fr", "es", "zh", "mixed", "unseen")
CASES = {name: load_cases(DATA / f"{name}.yaml") for name in FILES}
NOUNS = {"system.speed": "speed", "peft": "fine tuning"}


def ask(prompt: str, current: RunSpec | None = None) -> IntentResult:
    return BuiltinBackend().answer(prompt, current)


def field(result: IntentResult, path: str) -> Any:
    return next(each for each in result.fields if each.path == path)


# --- the test set ---------------------------------------------------------------------------------


def test_the_test_set_is_large_and_speaks_five_languages() -> None:
    assert sum(len(cases) for cases in CASES.values()) >= 300
    assert all(len(CASES[name]) >= 40 for name in ("en", "de", "fr", "es", "zh"))


@pytest.mark.parametrize("name", ["en", "de", "fr", "es", "zh", "mixed"])
def test_prompts_are_understood(name: str) -> None:
    score = evaluate(BuiltinBackend().answer, CASES[name])
    assert score.invalid == 0
    assert score.f1 >= 0.97, score.failures
    assert score.exact / score.prompts >= 0.9, score.failures


def test_prompts_that_nobody_tuned_for_are_mostly_understood() -> None:
    score = evaluate(BuiltinBackend().answer, CASES["unseen"])
    assert score.invalid == 0
    assert score.f1 >= 0.85, score.failures


def test_an_answer_that_is_wrong_is_counted_as_wrong() -> None:
    case = Case.model_validate({"say": "30 rounds", "want": {"rounds": 31, "seed": 5}})
    score = evaluate(BuiltinBackend().answer, [case])
    assert (score.exact, score.hits, score.extra, score.missed) == (0, 0, 1, 2)


# --- the examples of the reference system ---------------------------------------------------------


def test_the_first_example_of_the_reference_system() -> None:
    spec = ask(
        "Perform a federated learning experiment on the MNIST dataset by training with Adam "
        "optimizer, implementing compression, while involving 7/8 of the clients."
    ).spec
    assert spec is not None
    assert spec.dataset.kind == "mnist"
    assert spec.local.optimizer == "adam"
    assert spec.sampling.model_dump() == {"kind": "random", "fraction": 0.875, "count": None}
    assert [(link.kind, getattr(link, "bits", 0)) for link in spec.compression.uplink] == [
        ("quantize", 8)
    ]


def test_the_second_example_of_the_reference_system() -> None:
    spec = ask("Train a federated learning job using MNIST dataset with client fraction 0.7").spec
    assert spec is not None
    assert spec.dataset.kind == "mnist"
    assert spec.sampling.model_dump() == {"kind": "random", "fraction": 0.7, "count": None}


# --- sources --------------------------------------------------------------------------------------


def test_every_field_says_where_it_comes_from() -> None:
    prompt = "Trainiere MNIST mit zwölf Clients und Adam"
    result = ask(prompt)
    clients = field(result, "partition.clients")
    assert (clients.value, clients.source, clients.text) == (12, "prompt", "zwölf Clients")
    assert prompt[clients.start : clients.end] == "zwölf Clients"
    assert field(result, "local.lr").source == "rule"
    assert field(result, "rounds").source == "default"
    assert result.spec is not None
    assert {each.path for each in result.fields} >= {"seed", "local.batch_size", "model.hidden"}


def test_a_follow_up_shows_what_it_changes() -> None:
    current = RunSpec.model_validate({"partition": {"kind": "iid", "clients": 30}, "rounds": 7})
    result = ask("make it 12 clients", current)
    assert [change.model_dump() for change in result.changes] == [
        {"path": "partition.clients", "before": 30, "after": 12}
    ]
    assert field(result, "rounds").source == "draft"


def test_another_kind_keeps_the_number_of_clients() -> None:
    current = RunSpec.model_validate({"partition": {"kind": "dirichlet", "clients": 33}})
    spec = ask("iid please", current).spec
    assert spec is not None
    assert spec.partition.model_dump() == {"kind": "iid", "clients": 33}


# --- questions and refusals -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "field_name"),
    [
        ("momentum 1.5", "local.momentum"),
        ("8 clients, pick 20 of them every round", "sampling.count"),
        ("train for minus five rounds", "rounds"),
        ("lr = -0.1", "local.lr"),
        ("train on ImageNet", "dataset"),
        ("use FedMagic", "algorithm"),
        ("train with privacy on MNIST", "privacy"),
        ("differentially private training on MNIST", "privacy.dp.epsilon"),
        ("MNIST with 50 clients under 1 MB of traffic", "compression.uplink"),
    ],
)
def test_what_cannot_be_done_is_asked(prompt: str, field_name: str) -> None:
    result = ask(prompt)
    assert [question.field for question in result.questions] == [field_name]
    assert result.spec is not None


def test_a_limit_that_is_kept_is_a_warning() -> None:
    result = ask("digits, 2 rounds, under 900 MB in total")
    assert not result.questions
    assert "900 MB" in result.warnings[0]


def test_a_number_that_means_nothing_is_reported() -> None:
    assert "“17”" in ask("MNIST, 17, with ten clients").warnings[0]


def test_a_dash_is_no_minus() -> None:
    spec = ask("40 rounds - 12 clients, lr 1e-3, 2-bit quantisation").spec
    assert spec is not None
    assert (spec.rounds, spec.partition.clients, spec.local.lr) == (40, 12, 1e-3)


@pytest.mark.parametrize("prompt", [c.say for cases in CASES.values() for c in cases if c.declined])
def test_nothing_comes_of_what_is_not_about_federated_learning(prompt: str) -> None:
    result = ask(prompt)
    assert result.declined
    assert (result.spec, result.sweep, result.fields) == (None, None, [])


# --- the catalogue --------------------------------------------------------------------------------


def test_what_privacy_needs_follows_by_a_rule_and_contradictions_are_asked() -> None:
    compared = ask("compare epsilon 2 and 8 on MNIST with 100 clients")
    assert compared.sweep is not None
    assert compared.sweep.axes == {"privacy.dp.epsilon": [2.0, 8.0]}
    both = ask("FedProx with differential privacy, epsilon 3, and the median")
    assert both.spec is not None
    assert both.spec.algorithm.kind == "fedprox"
    assert both.spec.privacy.dp is not None
    assert [question.field for question in both.questions] == ["aggregation.kind"]


@pytest.mark.parametrize(
    "prompt", ["no differential privacy, 10 clients", "without secure aggregation"]
)
def test_a_promise_can_be_denied(prompt: str) -> None:
    spec = ask(prompt).spec
    assert spec is not None
    assert (spec.privacy.dp, spec.privacy.secure_aggregation) == (None, False)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{entry.section}-{entry.kind}")
def test_every_kind_of_the_catalogue_is_known_by_its_title(entry: Any) -> None:
    noun = NOUNS.get(entry.section, entry.section)
    reading = read(f"use {entry.title} {noun}")
    found = {(m.subject, m.choice) for m in kind_mentions(reading, frozenset())}
    assert (entry.section, entry.kind) in found or entry.kind == "none"


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("en", "forty-eight", 48),
        ("en", "2k", 2000),
        ("en", "1,250", 1250),
        ("en", "5/6", 5 / 6),
        ("en", "two thirds", 2 / 3),
        ("en", "3e-5", 3e-5),
        ("en", "3×10⁻⁵", 3e-5),  # noqa: RUF001
        ("en", "10^-3", 1e-3),
        ("en", "three times ten to the minus five", 3e-5),
        ("en", "one hundred and twenty", 120),
        ("en", "two thousand five hundred", 2500),
        ("en", "zero point zero five", 0.05),
        ("en", "one and a half", 1.5),
        ("en", "1 in 8", 1 / 8),
        ("de", "zweihundertsiebenunddreißig", 237),
        ("de", "zwölftausend", 12_000),
        ("de", "drei mal zehn hoch minus vier", 3e-4),
        ("de", "1.250", 1250),
        ("de", "0,05", 0.05),
        ("fr", "quatre-vingt-dix-sept", 97),
        ("fr", "soixante et onze", 71),
        ("fr", "deux mille trois cents", 2300),
        ("es", "cuarenta y dos", 42),
        ("es", "tres cuartos", 3 / 4),
        ("zh", "一千二百", 1200),
        ("zh", "三分之二", 2 / 3),
        ("zh", "百分之十五", 0.15),
        ("zh", "3万", 30_000),
    ],
)
def test_numbers_are_read_in_digits_and_in_words(language: str, text: str, value: float) -> None:
    tokens = tokens_of(text)
    number = NumberReader(language).read(tokens, 0)
    assert number is not None
    assert number.length == len(tokens)
    assert number.value == pytest.approx(value)


# --- anything at all ------------------------------------------------------------------------------

WORDS = sorted({word for cases in CASES.values() for case in cases for word in case.say.split()})


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=25))
def test_any_text_gives_a_valid_draft_or_none(words: Sequence[str]) -> None:
    result = ask(" ".join(words))
    assert RunSpec.model_validate(result.base.model_dump(mode="json")) == result.base
    if result.sweep is not None:
        assert check_sweep(result.sweep.document()).problems == ()
    assert bool(result.declined) == (result.spec is None and result.sweep is None)
