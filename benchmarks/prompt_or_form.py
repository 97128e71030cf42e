"""The same run from the form and from a sentence, and from a sentence that asks for low traffic.

Both ways must come to one spec, and so to one accuracy. What a prompt may save is what it asks for:
the last run is the sentence with three words more. With --write the table goes into
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from time import process_time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.base")
django.setup()

from benchmarks.document import Section, add_write_option, machine, table  # noqa: E402
from fedcore.engine import Engine  # noqa: E402
from fedcore.spec import RunSpec  # noqa: E402
from webapp.intents.builtin import BuiltinBackend  # noqa: E402

SENTENCE = (
    "Train an mlp on MNIST with 10 clients for 20 rounds with FedAvg, all clients take part, "
    "batch size 32, learning rate 0.05, one local epoch"
)
LOW_TRAFFIC = f"{SENTENCE}; keep traffic low"
FORM = {
    "dataset": {"kind": "mnist"},
    "partition": {"kind": "dirichlet", "clients": 10},
    "model": {"kind": "mlp"},
    "algorithm": {"kind": "fedavg"},
    "rounds": 20,
    "local": {"epochs": 1, "batch_size": 32, "lr": 0.05},
    "sampling": {"kind": "full"},
}


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        accuracy: On the test images, after the last round.
        up: Bytes that all clients have sent.
        down: Bytes that they have been sent.
        cpu_s: Seconds of processor time, loading included.
    """

    accuracy: float
    up: int
    down: int
    cpu_s: float


def drafted(sentence: str) -> RunSpec:
    """Return the spec that a sentence comes to."""
    answer = BuiltinBackend().answer(sentence)
    if answer.spec is None or answer.questions:
        raise SystemExit(f"the sentence was not understood: {sentence}")
    return answer.spec


def trained(spec: RunSpec) -> Outcome:
    """Run a spec in this process, where all of its processor time is seen."""
    runtime = spec.runtime.model_copy(update={"executor": "sequential"})
    began = process_time()
    engine = Engine.create(spec.model_copy(update={"runtime": runtime}))
    up = down = 0
    while not engine.is_finished:
        report = engine.run_round()
        up += report.bytes_up
        down += report.bytes_down
    engine.close()
    return Outcome(engine.metrics["accuracy"], up, down, process_time() - began)


def main() -> None:
    """Measure, print, and write the table if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_write_option(parser)
    arguments = parser.parse_args()
    section = Section("prompt", "python -m benchmarks.prompt_or_form", arguments.write)
    specs = {
        "form": RunSpec.parse(FORM),
        "prompt": drafted(SENTENCE),
        "prompt, and \u201ckeep traffic low\u201d": drafted(LOW_TRAFFIC),
    }
    section.say(machine(), "")
    outcomes = {name: trained(spec) for name, spec in specs.items()}
    form = outcomes["form"]
    section.say(
        *table(
            ("from", "spec", "accuracy, %", "MB up", "MB down", "CPU, s", "bytes to form"),
            [
                (
                    name,
                    specs[name].digest()[:8],
                    f"{100 * outcome.accuracy:.2f}",
                    f"{outcome.up / 1e6:.2f}",
                    f"{outcome.down / 1e6:.2f}",
                    f"{outcome.cpu_s:.1f}",
                    f"{(outcome.up + outcome.down) / (form.up + form.down):.3f}",
                )
                for name, outcome in outcomes.items()
            ],
        )
    )
    section.end()


if __name__ == "__main__":
    main()
