"""Proposing the next point of a search, from the points so far.

Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011, as Optuna
implements it. The study is made anew from the database for each proposal: nothing is remembered
between two of them, so that any worker can make the next one, after any crash.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import TrialState

from fedcore.spec import SweepSpec
from fedcore.spec.sweep import Choices, FloatRange, SearchSpec, Values
from webapp.jobs.services import Trial

optuna.logging.set_verbosity(optuna.logging.WARNING)

#: The first proposals are random, so that the sampler learns from more than a corner.
_RANDOM_AT_FIRST = 10
_STATES = {
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


def suggest(sweep: SweepSpec, trials: Sequence[Trial]) -> Values:
    """Return the settings of the next point; the same for the same trials.

    Raises:
        ValueError: If the sweep is no search.
    """
    search = sweep.search
    if search is None:
        raise ValueError("only a search has points to suggest")
    distributions = {path: _distribution(values) for path, values in search.parameters.items()}
    direction = (
        StudyDirection.MAXIMIZE if sweep.objective.higher_is_better else StudyDirection.MINIMIZE
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        seed = (sweep.base_spec.seed + len(trials)) % 2**32
        study = optuna.create_study(direction=direction, sampler=_sampler(search, seed))
    for trial in trials:
        study.add_trial(_frozen(trial, search, distributions))
    proposed = study.ask(distributions)
    return {path: _value(search, path, proposed.params[path]) for path in search.parameters}


def _sampler(search: SearchSpec, seed: int) -> BaseSampler:
    if search.sampler == "random":
        return RandomSampler(seed=seed)
    at_first = min(_RANDOM_AT_FIRST, max(2, search.trials // 3))
    # Points that are still running count as bad ones, so that the next is not beside them.
    return TPESampler(seed=seed, n_startup_trials=at_first, multivariate=True, constant_liar=True)


def _distribution(values: Any) -> BaseDistribution:
    if isinstance(values, Choices):
        return CategoricalDistribution(tuple(range(len(values.values))))
    if isinstance(values, FloatRange):
        return FloatDistribution(values.low, values.high, log=values.log)
    return IntDistribution(values.low, values.high, log=values.log)


def _frozen(
    trial: Trial, search: SearchSpec, distributions: Mapping[str, BaseDistribution]
) -> optuna.trial.FrozenTrial:
    params: dict[str, Any] = {
        path: _position(search, path, value) for path, value in trial.values.items()
    }
    return optuna.trial.create_trial(
        state=_STATES[trial.state],
        value=trial.value if trial.state == "complete" else None,
        params=params,
        distributions=dict(distributions),
        intermediate_values=trial.rungs,
    )


def _position(search: SearchSpec, path: str, value: Any) -> Any:
    """Return what stands for a value: choices may be mappings, which a sampler cannot take."""
    values = search.parameters[path]
    return values.values.index(value) if isinstance(values, Choices) else value


def _value(search: SearchSpec, path: str, position: Any) -> Any:
    values = search.parameters[path]
    return values.values[position] if isinstance(values, Choices) else position
