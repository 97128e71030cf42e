"""A policy in words, for the people who run the server."""

from __future__ import annotations

from collections.abc import Iterator

from fedcore.sites.base import shortened
from fedcore.sites.messages import PolicyRule
from fedcore.sites.policy import Policy

_WORK = {
    "rounds": "At most {} rounds.",
    "local_epochs": "At most {} passes over the data in a round.",
    "local_steps": "At most {} optimiser steps in a round.",
    "round_seconds": "At most {} s of training in a round.",
    "model_parameters": "At most {} trainable parameters.",
}


def in_words(policy: Policy) -> tuple[PolicyRule, ...]:
    """Return the rules of a policy, in its order; what it does not limit is not said."""
    said = (*_names(policy), *_limits(policy), *_protection(policy))
    return tuple(PolicyRule(name=name, sentence=shortened(sentence)) for name, sentence in said)


def _names(policy: Policy) -> Iterator[tuple[str, str]]:
    lists = {
        "projects": policy.projects,
        "datasets": policy.datasets,
        "methods": policy.methods,
        "models": policy.models,
    }
    for name, allowed in lists.items():
        if allowed is not None:
            yield name, f"Only {', '.join(allowed)}." if allowed else "None."


def _limits(policy: Policy) -> Iterator[tuple[str, str]]:
    for name, sentence in _WORK.items():
        limit = getattr(policy.max_work, name)
        if limit is not None:
            yield f"max_work.{name}", sentence.format(f"{limit:,.10g}")
    if policy.min_cohort > 1:
        yield "min_cohort", f"Among at least {policy.min_cohort} clients, results of as many."


def _protection(policy: Policy) -> Iterator[tuple[str, str]]:
    floor = policy.privacy
    if floor.secure_aggregation == "required":
        yield "privacy.secure_aggregation", "The server learns the sum of all updates alone."
    if floor.max_epsilon is not None:
        delta = "" if floor.max_delta is None else f" and delta at most {floor.max_delta:g}"
        whom = "" if floor.level == "either" else f", for each {floor.level}"
        yield (
            "privacy.max_epsilon",
            f"Differential privacy with epsilon at most {floor.max_epsilon:g}{delta}{whom}.",
        )
    if policy.approval == "manual":
        yield "approval", "A person at the site approves every run."
