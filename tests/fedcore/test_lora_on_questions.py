"""LoRA on real text: a small pretrained transformer is tuned by clients with other questions."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.questions import prepare, sections
from fedcore.engine.context import build_context
from fedcore.environment import Folders
from fedcore.spec import RunSpec
from tests.fedcore.runs import play_rounds

LORA: dict[str, Any] = {"kind": "lora", "rank": 8, "alpha": 16}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def questions(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folder = tmp_path_factory.mktemp("questions")
    return prepare(folder, real_data / "banking77", intents=20, epochs=8)


@pytest.mark.parametrize(
    ("algorithm", "peft"),
    [("fedit", LORA), ("flora", LORA), ("flora", {**LORA, "ranks": [16, 8, 4, 2]})],
)
def test_clients_learn_intents_that_the_pretrained_model_has_not_seen(
    questions: Folders, monkeypatch: pytest.MonkeyPatch, algorithm: str, peft: dict[str, Any]
) -> None:
    monkeypatch.setenv("ROUNDHOUSE_MODELS_DIR", str(questions.models))
    spec = RunSpec.parse(
        {
            **sections(),
            "partition": {"kind": "dirichlet", "alpha": 1.0, "clients": 4},
            "sampling": {"kind": "full"},
            "local": {"epochs": 1, "batch_size": 16, "lr": 0.01, "optimizer": "adamw"},
            "peft": peft,
            "algorithm": {"kind": algorithm},
        }
    )
    _, reports = play_rounds(build_context(spec, questions), 5)
    losses = [report.metrics["loss"] for report in reports]
    assert losses[-1] < 0.85 * losses[0]
    # Ten intents: guessing gets 10 %.
    assert reports[-1].metrics["accuracy"] > 0.25
