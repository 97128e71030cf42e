"""Does a search that was asked for in words find a better run than the default? On little data.

One sentence becomes a search over architecture and learning rate. Its trials are scored on a part
of the training examples; the best point is then trained on all of them and tested, and so is the
default spec. The table goes into docs/benchmarks.md with --write.
"""

from __future__ import annotations

import argparse
import json
import os
from statistics import mean
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.base")
django.setup()

from benchmarks.document import Section, add_write_option, machine, note, table  # noqa: E402
from fedcore.engine import Engine  # noqa: E402
from fedcore.errors import FedcoreError  # noqa: E402
from fedcore.spec import RunSpec, SweepSpec  # noqa: E402
from webapp.intents.builtin import BuiltinBackend  # noqa: E402
from webapp.jobs.services import Trial  # noqa: E402
from workers.search import suggest  # noqa: E402

SENTENCE = "Find a good architecture and learning rate for MNIST with 2 % of the data, 20 trials"


def accuracy(spec: RunSpec) -> float:
    """Return the accuracy after the last round of a run."""
    engine = Engine.create(spec)
    try:
        for _ in range(spec.rounds):
            report = engine.run_round()
    finally:
        engine.close()
    return float(report.metrics["accuracy"])


def tried(spec: RunSpec, values: dict[str, Any]) -> Trial:
    """Return what a point came to; one that diverges has failed, as it does in a sweep."""
    try:
        return Trial(values=values, state="complete", value=accuracy(spec), rungs={})
    except FedcoreError as error:
        note(error.message)
        return Trial(values=values, state="failed", value=None, rungs={})


def found_by(sweep: SweepSpec) -> tuple[dict[str, Any], float]:
    """Return the point that did best on held-out training examples, and how well it did."""
    trials: list[Trial] = []
    for number in range(sweep.num_points):
        values = suggest(sweep, trials)
        spec = RunSpec.model_validate(sweep.document(values, 0))
        trials.append(tried(spec, values))
        note(f"trial {number + 1}: {trials[-1].value} {json.dumps(values)}")
    best = max(trials, key=lambda trial: trial.value or 0.0)
    return dict(best.values), float(best.value or 0.0)


def measure(seed: int) -> dict[str, Any]:
    """Return the test accuracies of the default and of what the search found."""
    answer = BuiltinBackend().answer(SENTENCE)
    if answer.sweep is None:
        raise SystemExit("the sentence was not understood as a search")
    document = answer.sweep.document()
    # One process: starting several for each of many short runs would take longer than the runs.
    runtime = {"executor": "sequential"}
    document["base"] = {**document["base"], "seed": seed, "runtime": runtime}
    sweep = SweepSpec.model_validate(document)
    plain = {**document["base"], "dataset": dict(document["base"]["dataset"])}
    plain["dataset"].pop("validation")
    values, on_validation = found_by(sweep)
    tested = SweepSpec.model_validate({"base": plain}).document(values, 0)
    return {
        "seed": seed,
        "default": accuracy(RunSpec.model_validate(plain)),
        "found": accuracy(RunSpec.model_validate(tested)),
        "validation": on_validation,
        "values": values,
    }


def main() -> None:
    """Measure, print, and write the table if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    add_write_option(parser)
    arguments = parser.parse_args()
    section = Section("search", "python -m benchmarks.search_by_words", arguments.write)
    section.say(f"\u201c{SENTENCE}\u201d", "", machine(), "")
    rows = [measure(seed) for seed in arguments.seeds]
    section.say(
        *table(
            ("seed", "default, test %", "found, test %", "gain, points", "validation %", "found"),
            [
                (
                    str(row["seed"]),
                    f"{100 * row['default']:.2f}",
                    f"{100 * row['found']:.2f}",
                    f"{100 * (row['found'] - row['default']):.2f}",
                    f"{100 * row['validation']:.2f}",
                    f"`{json.dumps(row['values'])}`",
                )
                for row in rows
            ],
        )
    )
    gain = 100 * mean(row["found"] - row["default"] for row in rows)
    section.say("", f"Mean gain over {len(rows)} seeds: {gain:.2f} points; required 5.")
    section.end()


if __name__ == "__main__":
    main()
