"""A sweep: one base spec, and the runs that differ from it in a few settings.

A grid runs every combination of its axes; a search proposes one combination after another, from
the results so far. Either is repeated over several seeds if asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError, model_validator

from fedcore.spec.base import Spec
from fedcore.spec.paths import PathError, with_values
from fedcore.spec.problems import MAX_QUOTED, Problem, as_validation_error, problems_of
from fedcore.spec.run import MAX_SEED, RunSpec, check
from fedcore.spec.tasks import METRICS, TASK_METRICS, Metric, MetricName

MAX_RUNS = 1_000
MAX_AXES = 12
#: A sweep that is wrong in every point is wrong for one reason; the first ones tell it.
MAX_PROBLEMS = 50

Values = dict[str, JsonValue]


class FloatRange(Spec):
    """Any number between two ends."""

    kind: Literal["float"] = "float"
    low: float
    high: float
    log: bool = Field(default=False, description="Search the orders of magnitude evenly.")


class IntRange(Spec):
    """Whole numbers from ``low`` to ``high``, both included."""

    kind: Literal["int"] = "int"
    low: int
    high: int
    log: bool = Field(default=False, description="Search the orders of magnitude evenly.")


class Choices(Spec):
    """One of a few values, in no order."""

    kind: Literal["choice"] = "choice"
    values: tuple[JsonValue, ...] = Field(min_length=1, max_length=100)


SearchRange = Annotated[FloatRange | IntRange | Choices, Field(discriminator="kind")]


class PruningSpec(Spec):
    """End a run early when others were clearly better at the same round.

    Asynchronous successive halving: a run is compared after ``min_rounds`` rounds, and again
    whenever it has trained ``eta`` times as many; it goes on if it is among the best 1/``eta`` of
    all runs that have come as far.

    Source: Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020,
    arXiv:1810.05934, Algorithm 2. Here a run that is not promoted ends at once; it does not wait
    for a later promotion.
    """

    eta: int = Field(3, ge=2, le=10, description="One in so many goes on.")
    min_rounds: int = Field(1, ge=1, le=1_000_000, description="Rounds before the first comparison")

    def next_rung(self, rounds_done: int) -> int:
        """Return the first number of rounds after ``rounds_done`` at which runs are compared."""
        rung = self.min_rounds
        while rung <= rounds_done:
            rung *= self.eta
        return rung

    def goes_on(self, value: float, others: list[float], *, higher_is_better: bool) -> bool:
        """Return whether a run with this value is among the best 1/eta at its rung.

        Args:
            value: The run's metric at the rung.
            others: The metric of every other run that has reached the rung.
            higher_is_better: Which end of the metric is the good one.
        """
        better = sum((other > value) if higher_is_better else (other < value) for other in others)
        count = len(others) + 1
        return count < self.eta or better < count // self.eta


class SearchSpec(Spec):
    """Settings that are searched for, instead of tried one by one."""

    sampler: Literal["tpe", "random"] = Field(
        "tpe", description="tpe learns from the results so far; random does not."
    )
    trials: int = Field(20, ge=1, le=MAX_RUNS, description="How many combinations are tried.")
    parameters: dict[str, SearchRange] = Field(
        description="What each path may be.", min_length=1, max_length=MAX_AXES
    )
    prune: PruningSpec | None = Field(None, description="End runs early that fall behind.")


class SweepSpec(Spec):
    """Several runs that belong together.

    ``axes`` or ``search``, each over ``seeds`` seeds; with neither, the base alone over its seeds.
    """

    base: dict[str, JsonValue] = Field({}, description="The spec that all runs start from.")
    axes: dict[str, tuple[JsonValue, ...]] = Field(
        {}, description="Values by path; every combination is run.", max_length=MAX_AXES
    )
    search: SearchSpec | None = None
    seeds: int = Field(1, ge=1, le=100, description="Runs of each combination, seed by seed.")
    metric: MetricName | None = Field(
        None, description="What the best run is best in; empty means the main metric of the data."
    )
    parallel: int = Field(4, ge=1, le=64, description="Runs that are under way at the same time.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        problems = [*_shape_problems(self)]
        if not problems:
            problems = _point_problems(self)
        if problems:
            raise as_validation_error("SweepSpec", problems[:MAX_PROBLEMS])
        return self

    @property
    def num_points(self) -> int:
        """Combinations of settings, each run once per seed."""
        if self.search is not None:
            return self.search.trials
        return prod(len(values) for values in self.axes.values())

    @property
    def num_runs(self) -> int:
        """All runs of the sweep."""
        return self.num_points * self.seeds

    @property
    def base_spec(self) -> RunSpec:
        """The base as a complete spec."""
        return RunSpec.model_validate(self.base)

    @property
    def objective(self) -> Metric:
        """The metric that the best run is best in."""
        if self.metric is not None:
            return METRICS[self.metric]
        task = self.base_spec.dataset.known_task()
        return METRICS["accuracy"] if task is None else TASK_METRICS[task][0]

    def values_at(self, point: int) -> Values:
        """Return the settings of one combination of the axes; the last axis changes fastest."""
        values: Values = {}
        for path, choices in reversed(self.axes.items()):
            point, index = divmod(point, len(choices))
            values[path] = choices[index]
        return dict(reversed(values.items()))

    def document(self, values: Values, seed_index: int) -> dict[str, Any]:
        """Return the spec document of one run.

        Args:
            values: Settings by path, from ``values_at`` or from the search.
            seed_index: Which of the seeds, from 0; they count up from the base's own.

        Raises:
            PathError: For a path that leads nowhere.
        """
        document = with_values(self.base, values)
        if self.seeds > 1:
            document["seed"] = self.base_spec.seed + seed_index
        return document


@dataclass(frozen=True)
class SweepCheck:
    """Outcome of checking a sweep: the sweep, or the reasons why there is none."""

    sweep: SweepSpec | None
    problems: tuple[Problem, ...]


def check_sweep(data: Any) -> SweepCheck:
    """Return the sweep that ``data`` describes, or all of its problems; bad data never raises.

    A problem of a single point is reported at the axis that it comes from, with the value.
    """
    if not isinstance(data, dict):
        found = Problem("", "not_a_mapping", "A sweep is a mapping.", "Start with {base: {}}.")
        return SweepCheck(None, (found,))
    try:
        return SweepCheck(SweepSpec.model_validate(data), ())
    except ValidationError as error:
        return SweepCheck(None, tuple(problems_of(error, SweepSpec)))


def _shape_problems(sweep: SweepSpec) -> Iterator[Problem]:
    """Yield what is wrong before any point is looked at."""
    for problem in check(sweep.base).problems:
        path = f"base.{problem.path}" if problem.path else "base"
        yield Problem(path, problem.code, problem.message, problem.fix)
    if sweep.search is not None:
        yield from _search_problems(sweep, sweep.search)
    for path, values in sweep.axes.items():
        if not values:
            yield Problem(f"axes.{path}", "empty", "There are no values.", "Give at least one.")
    named = {*sweep.axes, *(sweep.search.parameters if sweep.search else ())}
    if "seed" in named and sweep.seeds > 1:
        yield Problem("seeds", "seed_twice", "The seed is swept already.", "Use one of the two.")
    if sweep.num_runs > MAX_RUNS:
        message = f"This sweep has {sweep.num_runs} runs; {MAX_RUNS} is the most."
        yield Problem("", "too_many_runs", message, "Take fewer values or seeds.")


def _search_problems(sweep: SweepSpec, search: SearchSpec) -> Iterator[Problem]:
    if sweep.axes:
        message = "A sweep has axes or a search, not both."
        yield Problem("axes", "axes_and_search", message, "Move the axes to search.parameters.")
    if search.prune is not None and sweep.seeds > 1:
        message = "Pruning compares single runs, so it needs one seed."
        yield Problem("search.prune", "prune_with_seeds", message, "Set seeds to 1.")
    for path, values in search.parameters.items():
        if isinstance(values, Choices):
            continue
        where = f"search.parameters.{path}"
        if values.low >= values.high:
            message = f"low ({values.low:g}) must be less than high ({values.high:g})."
            yield Problem(f"{where}.low", "empty_range", message, "Exchange them.")
        elif values.log and values.low <= 0:
            message = "A logarithmic range starts above 0."
            yield Problem(f"{where}.low", "log_of_zero", message, "Raise low or turn log off.")


def _point_problems(sweep: SweepSpec) -> list[Problem]:
    """Return the problems of all points, each once, at the axis that they come from."""
    found: dict[tuple[str, str], Problem] = {}
    root = "axes" if sweep.search is None else "search.parameters"
    for values in _points(sweep):
        for problem in _problems_at(sweep, values):
            placed = _placed(problem, values, root)
            found.setdefault((placed.path, placed.message), placed)
    if sweep.seeds > 1 and sweep.base_spec.seed + sweep.seeds - 1 > MAX_SEED:
        message = f"The last seed would be larger than {MAX_SEED}."
        found["seeds", message] = Problem("seeds", "seed_too_large", message, "Lower base.seed.")
    return [*found.values(), *_metric_problems(sweep)]


def _points(sweep: SweepSpec) -> Iterator[Values]:
    """Yield all points of a grid; of a search, each setting at its ends with the others as is."""
    if sweep.search is None:
        for choice in product(*sweep.axes.values()):
            yield dict(zip(sweep.axes, choice, strict=True))
        return
    for path, values in sweep.search.parameters.items():
        ends = values.values if isinstance(values, Choices) else (values.low, values.high)
        for end in ends:
            yield {path: end}


def _problems_at(sweep: SweepSpec, values: Values) -> tuple[Problem, ...]:
    try:
        return check(sweep.document(values, 0)).problems
    except PathError as error:
        return (Problem(error.path, "unknown_path", error.message, "Use a path of the spec."),)


def _placed(problem: Problem, values: Values, root: str) -> Problem:
    """Return the problem at the axis whose value it is about, else where the base would have it."""
    for path in sorted(values, key=len, reverse=True):
        if _is_below(problem.path, path) or _is_below(path, problem.path):
            message = f"{_shown(values[path])}: {problem.message}"
            return Problem(f"{root}.{path}", problem.code, message, problem.fix)
    point = ", ".join(f"{path} = {_shown(value)}" for path, value in values.items())
    return Problem(root, problem.code, f"With {point}: {problem.message}", problem.fix)


def _is_below(path: str, other: str) -> bool:
    """Return whether ``path`` is ``other`` or inside it."""
    return bool(other) and (path == other or path.startswith(f"{other}."))


def _shown(value: JsonValue) -> str:
    text = str(value)
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


def _metric_problems(sweep: SweepSpec) -> list[Problem]:
    task = sweep.base_spec.dataset.known_task()
    known = () if task is None else tuple(metric.name for metric in TASK_METRICS[task])
    if sweep.metric is None or not known or sweep.metric in known:
        return []
    message = f"A run of this data has no {sweep.metric}."
    return [Problem("metric", "unknown_metric", message, f"Use one of: {', '.join(known)}.")]
