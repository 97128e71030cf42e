"""The tailored data set: sentences by grammar, and the wordings that are kept for tests."""

from __future__ import annotations

from pathlib import Path

from webapp.intents.builtin import BuiltinBackend
from webapp.intents.corpus import pairs, phrasings_of, write_corpus
from webapp.intents.corpus_phrases import FRAMES, PHRASES
from webapp.intents.evaluation import evaluate, load_cases, spec_of


def test_no_wording_of_a_test_occurs_in_training() -> None:
    train = {each for pair in pairs(600, split="train") for each in pair.phrasings}
    test = {each for pair in pairs(300, split="test") for each in pair.phrasings}
    assert train
    assert test
    assert not train & test
    for language, phrases in PHRASES.items():
        for path in phrases:
            both = [phrasings_of(language, path, split) for split in ("train", "test")]
            assert all(both)
            assert not set(both[0]) & set(both[1])


def test_all_languages_say_the_same_things() -> None:
    assert {frozenset(phrases) for phrases in PHRASES.values()} == {frozenset(PHRASES["en"])}
    assert set(FRAMES) == set(PHRASES)


def test_every_pair_is_a_valid_run_and_the_same_seed_gives_the_same() -> None:
    made = list(pairs(300, split="train", seed=3))
    assert len({pair.say for pair in made}) == 300
    assert made == list(pairs(300, split="train", seed=3))
    assert made != list(pairs(300, split="train", seed=4))
    assert all(spec_of(pair.want) for pair in made)


def test_a_written_corpus_can_be_evaluated(tmp_path: Path) -> None:
    files = write_corpus(tmp_path, train=40, test=40)
    for file in files.values():
        cases = load_cases(file)
        assert len(cases) == 40
        assert evaluate(BuiltinBackend().answer, cases).invalid == 0
