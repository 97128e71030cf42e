"""Teaching a language model to read prompts, with this project's own engine.

Each sentence becomes one text: the request as the back end writes it, then the answer. The texts
are a data set like any other, so that the tuning is a run like any other: central with one client,
federated with several.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fedcore.engine import Engine
from fedcore.spec import RunSpec
from webapp.intents.evaluation import Case, load_cases, spec_of
from webapp.intents.model_answers import answer_text, refusal_text, request_text
from workers.language_model import TUNED_MARK

_FILE = "sentences.csv"
_REFUSAL = "This describes no federated run."


@dataclass(frozen=True)
class Tuning:
    """How a model is tuned.

    Attributes:
        base: Folder in the models folder, or id on the hub.
        clients: 1 is central training.
        rounds: Each client sees its sentences once per round.
        rank: Of the LoRA factors.
        lr: Of Adam.
        length: Tokens per example.
    """

    base: str
    clients: int = 1
    rounds: int = 3
    rank: int = 8
    lr: float = 1e-3
    length: int = 512

    def spec(self) -> RunSpec:
        """Return the run that does it.

        Raises:
            SpecError: If a setting is out of range.
        """
        return RunSpec.parse(
            {
                "rounds": self.rounds,
                "dataset": {
                    "kind": "upload",
                    "path": _FILE,
                    "input": "text",
                    "length": self.length,
                    "test_fraction": 0.1,
                },
                "partition": {"kind": "iid", "clients": self.clients},
                "model": {"kind": "huggingface", "path": self.base},
                "peft": {"kind": "lora", "rank": self.rank, "alpha": 2.0 * self.rank},
                "sampling": {"kind": "full"},
                "local": {"epochs": 1, "batch_size": 8, "optimizer": "adam", "lr": self.lr},
            }
        )


def tune(data: Path, out: Path, tuning: Tuning) -> Iterator[float]:
    """Tune a model on the sentences of a file; yield the test loss after each round.

    Raises:
        FedcoreError: If the model or the data cannot be used.
    """
    spec = tuning.spec()
    with TemporaryDirectory() as folder:
        _write_texts(load_cases(data), Path(folder) / _FILE)
        engine = Engine.create(spec, data_dir=Path(folder))
        try:
            for _ in range(spec.rounds):
                yield float(engine.run_round().metrics["loss"])
            engine.export_model(out)
        finally:
            engine.close()
    mark = {"base": tuning.base, "sentences": str(data), "digest": spec.digest()}
    (out / TUNED_MARK).write_text(json.dumps(mark) + "\n", encoding="utf-8")


def _write_texts(cases: list[Case], file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["text"])
        rows.writerows([text_of(case)] for case in cases)


def text_of(case: Case) -> str:
    """Return what a model learns of a case: the request, and the answer on a line of its own."""
    draft = None if case.draft is None else spec_of(case.draft)
    answer = (
        refusal_text(_REFUSAL) if case.declined else answer_text(case.spec, case.axes, case.seeds)
    )
    return f"{request_text(case.say, draft)}\n{answer}"
