"""Does a search that was asked for in words find a better run than the default? On little data.

One sentence becomes a search over architecture and learning rate. Its trials are scored on a part
of the training examples; the best point is then trained on all of them and tested, and so is the
default spec. The table goes into docs/benchmarks.md with --write.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from statistics import mean
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.base")
django.setup()

from fedcore.engine import Engine  # noqa: E402
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


def found_by(sweep: SweepSpec) -> tuple[dict[str, Any], float]:
    """Return the point that did best on held-out training examples, and how well it did."""
    trials: list[Trial] = []
    for number in range(sweep.num_points):
        values = suggest(sweep, trials)
        spec = RunSpec.model_validate(sweep.document(values, 0))
        value = accuracy(spec)
        trials.append(Trial(values=values, state="complete", value=value, rungs={}))
        print(f"  trial {number + 1}: {value:.4f} {json.dumps(values)}", flush=True)
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


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    lines = [
        f"`python -m benchmarks.search_by_words` - \u201c{SENTENCE}\u201d",
        "",
        "| seed | default, test % | found, test % | gain, points | found, validation % | found |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        default, found = 100 * row["default"], 100 * row["found"]
        lines.append(
            f"| {row['seed']} | {default:.2f} | {found:.2f} | {found - default:.2f} | "
            f"{100 * row['validation']:.2f} | `{json.dumps(row['values'])}` |"
        )
    gain = 100 * mean(row["found"] - row["default"] for row in rows)
    lines += ["", f"Mean gain over {len(rows)} seeds: {gain:.2f} points; required 5."]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the table if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    text = table([measure(seed) for seed in arguments.seeds])
    print(text)
    if arguments.write:
        page = Path("docs/benchmarks.md")
        begin, end = "<!-- begin search -->", "<!-- end search -->"
        whole = page.read_text(encoding="utf-8")
        before, _, rest = whole.partition(begin)
        _, _, after = rest.partition(end)
        page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
