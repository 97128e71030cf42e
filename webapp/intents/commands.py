"""The commands ``ask`` and ``intents``: prompts from a terminal, and how they are understood."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fedcore.spec import RunSpec, SpecError
from webapp.addresses import ANYWHERE
from webapp.intents.builtin import BuiltinBackend
from webapp.intents.corpus import write_corpus
from webapp.intents.evaluation import Score, evaluate, load_cases
from webapp.intents.openai import OpenAiBackend
from webapp.intents.results import IntentResult
from webapp.intents.services import Backend, answer_prompt

EXIT_DECLINED = 3
EXIT_INVALID = 2
_STYLES = {"prompt": "bold green", "rule": "yellow", "draft": "cyan"}

intents = typer.Typer(help="Measure and teach how prompts are understood.", no_args_is_help=True)
#: Back ends by name that another package adds: from the model's path.
BACKENDS: dict[str, Callable[[str], Backend]] = {}


@intents.callback()
def _group() -> None:
    """Measure how well prompts are understood."""


def ask(
    prompt: Annotated[str, typer.Argument(help="What to run, in your own words.")],
    *,
    draft: Annotated[
        Path | None, typer.Option(help="Spec (YAML or JSON) that the prompt is to change.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole answer as JSON.")] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="The spec alone, for `roundhouse submit -`.")
    ] = False,
) -> None:
    """Turn a sentence into a draft of a run or a sweep; nothing is launched."""
    result = answer_prompt(prompt=prompt, current=None if draft is None else _read(draft))
    if as_json:
        typer.echo(result.model_dump_json())
    elif as_yaml and result.spec is not None:
        typer.echo(result.spec.to_yaml(), nl=False)
    else:
        _show(result, Console())
    if result.declined:
        raise typer.Exit(EXIT_DECLINED)


def _read(file: Path) -> RunSpec:
    try:
        return RunSpec.from_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        typer.echo(f"error: {file}: {error.strerror}", err=True)
    except SpecError as error:
        typer.echo(f"error: {error.message}", err=True)
    raise typer.Exit(EXIT_INVALID)


def _show(result: IntentResult, console: Console) -> None:
    if result.declined:
        console.print(escape(result.declined))
        return
    table = Table("setting", "value", "from", "words", box=None)
    for field in result.fields:
        style = _STYLES.get(field.source)
        if style:
            value = json.dumps(field.value, ensure_ascii=False)
            table.add_row(
                field.path, escape(value), f"[{style}]{field.source}[/]", escape(field.text)
            )
    console.print(table)
    if result.sweep is not None:
        console.print("[bold]A sweep:[/] every combination of the values above is a run.")
    for question in result.questions:
        console.print(f"[yellow]?[/] {escape(question.field)}: {escape(question.question)}")
    for warning in result.warnings:
        console.print(f"[yellow]![/] {escape(warning)}")
    console.print("[dim]Everything else is a default; --json shows all of it.[/]")


@intents.command("dataset")
def write_dataset(
    folder: Annotated[Path, typer.Argument(help="Where train.jsonl and test.jsonl go.")],
    *,
    train: Annotated[int, typer.Option(min=1, help="Sentences to learn from.")] = 20_000,
    test: Annotated[int, typer.Option(min=1, help="Sentences in wordings kept for tests.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Decides which sentences.")] = 0,
) -> None:
    """Write sentences with the specs that they describe, made from the catalogue."""
    for name, file in write_corpus(folder, train=train, test=test, seed=seed).items():
        typer.echo(f"{name}: {file}")


@intents.command("evaluate")
def evaluate_backend(
    *,
    backend: Annotated[str, typer.Option(help="Back end to measure.")] = BuiltinBackend.name,
    data: Annotated[
        Path, typer.Option(help="YAML or JSON-lines file with cases, or a folder of such.")
    ] = Path("tests/data/intents"),
    url: Annotated[str | None, typer.Option(help="Of openai: address, ending in /v1.")] = None,
    model: Annotated[str, typer.Option(help="Of openai and local: name of the model.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per file.")] = False,
    failures: Annotated[bool, typer.Option(help="List what was not understood.")] = False,
) -> None:
    """Score a back end: exact match, settings found, invalid answers, seconds."""
    chosen = _chosen(backend, url, model)
    files = sorted(data.glob("*.yaml")) if data.is_dir() else [data]
    scores = {file.stem: _score(chosen, file) for file in files}
    if as_json:
        for name, score in scores.items():
            typer.echo(json.dumps({"data": name, "backend": backend, **score.to_json()}))
    else:
        _print_scores(scores)
    if failures:
        for name, score in scores.items():
            for failure in score.failures:
                typer.echo(f"{name}: {failure}")


def _chosen(name: str, url: str | None, model: str) -> Backend:
    if name == BuiltinBackend.name:
        return BuiltinBackend()
    if name == OpenAiBackend.name and url:
        # Whoever types an address at their own machine may reach what that machine can.
        return OpenAiBackend(url=url, model=model, reachable=ANYWHERE)
    if name in BACKENDS and model != "default":
        return BACKENDS[name](model)
    typer.echo("error: --backend is builtin, openai with --url, or local with --model", err=True)
    raise typer.Exit(EXIT_INVALID)


def _score(backend: Backend, file: Path) -> Score:
    cases = load_cases(file)
    if cases:
        backend.answer(cases[0].say)  # loads the words, which takes time once
    return evaluate(backend.answer, cases)


def _print_scores(scores: dict[str, Score]) -> None:
    total = Score()
    table = Table(
        "data",
        "prompts",
        "exact",
        "precision",
        "recall",
        "F1",
        "invalid",
        "median",
        "p99",
        box=None,
    )
    for name, score in scores.items():
        total = total.plus(score)
        table.add_row(name, *_cells(score))
    table.add_row("all", *_cells(total))
    Console(width=120).print(table)


def _cells(score: Score) -> list[str]:
    row = score.to_json()
    shares = ("exact_match", "precision", "recall", "f1", "invalid_rate")
    times = ("median_s", "p99_s")
    return [
        str(score.prompts),
        *(f"{row[name]:.3f}" for name in shares),
        *(f"{1000 * row[name]:.1f} ms" for name in times),
    ]
