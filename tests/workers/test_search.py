"""Searching for settings: proposals from earlier results, and a whole search with the engine."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.spec import SweepSpec, check_sweep
from fedcore.spec.sweep import Values
from tests.factories import make_sweep
from tests.workers.test_advance_run import TINY
from webapp.accounts.models import Project, User
from webapp.jobs.models import Run
from webapp.jobs.services import Trial
from webapp.jobs.states import RunState
from webapp.jobs.sweep_models import Sweep
from workers.engines import EngineCache
from workers.runs import advance
from workers.search import suggest
from workers.upkeep import advance_sweep

LR = {"kind": "float", "low": 0.001, "high": 1.0, "log": True}
METHODS: list[Any] = [{"kind": "fedavg"}, {"kind": "fedprox", "mu": 0.5}]


def search(**settings: Any) -> SweepSpec:
    parameters = {"local.lr": LR, "algorithm": {"kind": "choice", "values": METHODS}}
    found = check_sweep({"search": {"trials": 30, "parameters": parameters, **settings}})
    assert found.sweep is not None, found.problems
    return found.sweep


def score(values: Values) -> float:
    """Return an accuracy that is best for fedprox at a high learning rate."""
    lr = values["local.lr"]
    assert isinstance(lr, float)
    return lr + (0.5 if values["algorithm"] == METHODS[1] else 0.0)


def explored(sweep: SweepSpec, count: int) -> list[Trial]:
    trials: list[Trial] = []
    for _ in range(count):
        values = suggest(sweep, trials)
        trials.append(Trial(values, "complete", score(values), {}))
    return trials


def test_proposals_lie_in_their_ranges_and_repeat_for_the_same_history() -> None:
    sweep = search()
    first, again = explored(sweep, 6), explored(sweep, 6)
    assert first == again
    assert len({str(trial.values) for trial in first}) == 6
    for trial in first:
        assert 0.001 <= trial.values["local.lr"] <= 1.0  # type: ignore[operator]
        assert trial.values["algorithm"] in METHODS


def test_tpe_learns_where_the_good_values_are() -> None:
    trials = explored(search(), 30)
    early = sum(score(trial.values) for trial in trials[:10]) / 10
    late = sum(score(trial.values) for trial in trials[-10:]) / 10
    assert late > early + 0.2


def test_a_random_search_does_not_learn() -> None:
    sweep = search(sampler="random")
    good = Trial({"local.lr": 0.9, "algorithm": METHODS[1]}, "complete", 9.0, {})
    bad = Trial(good.values, "complete", -9.0, {})
    assert suggest(sweep, [good] * 5) == suggest(sweep, [bad] * 5)


@pytest.mark.parametrize("state", ["running", "pruned", "failed"])
def test_points_without_a_final_value_are_told_too(state: Any) -> None:
    sweep = search()
    trials = explored(sweep, 12)
    trials[0] = Trial(trials[0].values, state, None, {1: 0.3} if state == "pruned" else {})
    assert suggest(sweep, trials)["algorithm"] in METHODS


def test_a_sweep_without_a_search_has_nothing_to_suggest() -> None:
    with pytest.raises(ValueError, match="only a search"):
        suggest(SweepSpec(), [])


def test_a_whole_search_trains_every_trial_and_ends(editor: User, project: Project) -> None:
    parameters = {"local.lr": {"kind": "float", "low": 0.01, "high": 0.5, "log": True}}
    base = {**TINY, "rounds": 2}
    job = make_sweep(
        editor, project, base=base, search={"trials": 3, "parameters": parameters}, parallel=2
    )
    engines = EngineCache()
    for _ in range(6):
        advance_sweep(str(job.pk))
        waiting = Run.objects.filter(job=job, state=RunState.QUEUED).first()
        if waiting is None:
            break
        advance(waiting.pk, queue="cpu", engines=engines)
    sweep = Sweep.objects.get(pk=job.pk)
    assert (sweep.state, sweep.runs_made) == ("finished", 3)
    assert set(job.runs.values_list("state", flat=True)) == {RunState.SUCCEEDED}
