"""A tiny model that is taught to read prompts, by the engine, centrally and federated."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intents.tiny_writer import write_writer
from webapp.intents.corpus import write_corpus
from webapp.intents.evaluation import evaluate, load_cases
from webapp.intents.local import LocalBackend
from workers.language_model import TUNED_MARK, LanguageModel
from workers.tuning import Tuning, tune


@pytest.mark.parametrize("clients", [1, 3])
def test_a_model_learns_from_sentences_and_answers_as_a_back_end(
    clients: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUNDHOUSE_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("ROUNDHOUSE_CACHE_DIR", str(tmp_path / "cache"))
    write_writer(tmp_path / "base", room=4096)
    files = write_corpus(tmp_path / "corpus", train=120, test=3)
    tuning = Tuning("base", clients=clients, rounds=3, rank=4, lr=0.01, length=96)
    losses = list(tune(files["train"], tmp_path / "tuned", tuning))
    assert losses[-1] < losses[0]
    assert (tmp_path / "tuned" / TUNED_MARK).is_file()
    model = LanguageModel("tuned", room=60)
    score = evaluate(LocalBackend(model.complete).answer, load_cases(files["test"]))
    assert (score.prompts, score.invalid) == (3, 0)
