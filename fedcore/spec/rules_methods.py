"""Rules between asynchronous, remembering and decentralised methods and the rest of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fedcore.spec.aggregators import MeanSpec
from fedcore.spec.algorithms import FedBuffSpec, FedStaleSpec
from fedcore.spec.problems import Problem
from fedcore.spec.rules import rule
from fedcore.spec.sampling import LatencyProportionalSpec, OortSpec

if TYPE_CHECKING:
    from fedcore.spec.run import RunSpec


@rule
def everyone_takes_part_where_needed(spec: RunSpec) -> Iterator[Problem]:
    """Some methods are only right if no client is left out."""
    clients = spec.partition.clients
    if spec.algorithm.needs_everyone and spec.sampling.cohort_size(clients) < clients:
        yield Problem(
            "sampling.kind",
            "contradiction",
            f"{spec.algorithm.title} with these settings needs every client at work all the time.",
            "Set sampling.kind to full.",
        )


@rule
def cohorts_are_drawn_at_once(spec: RunSpec) -> Iterator[Problem]:
    """Where clients come and go one by one, there is no cohort to draw."""
    if spec.sampling.can_be_empty and spec.algorithm.is_asynchronous:
        yield Problem(
            "sampling.kind",
            "contradiction",
            f"{spec.algorithm.title} replaces clients one by one, and {spec.sampling.title} draws "
            "whole cohorts.",
            "Set sampling.kind to random.",
        )


@rule
def own_weights_are_used(spec: RunSpec) -> Iterator[Problem]:
    """Equal weights would replace the weights that are the method."""
    aggregation = spec.aggregation
    if not spec.algorithm.weighs_updates or not isinstance(aggregation, MeanSpec):
        return
    if aggregation.weighting != "samples":
        yield Problem(
            "aggregation.weighting",
            "contradiction",
            f"{spec.algorithm.title} weighs updates itself, and equal weights would undo that.",
            "Set aggregation.weighting to samples.",
        )


@rule
def a_deadline_has_a_round_to_end(spec: RunSpec) -> Iterator[Problem]:
    """A deadline ends synchronous rounds."""
    if spec.algorithm.is_asynchronous and spec.runtime.deadline_s is not None:
        yield Problem(
            "runtime.deadline_s",
            "contradiction",
            f"{spec.algorithm.title} waits for nobody, so there is nothing to end.",
            "Leave runtime.deadline_s empty.",
        )


@rule
def buffer_can_be_filled(spec: RunSpec) -> Iterator[Problem]:
    """A buffer holds no more updates than there are clients at work."""
    cohort = spec.sampling.cohort_size(spec.partition.clients)
    if isinstance(spec.algorithm, FedBuffSpec) and spec.algorithm.buffer > cohort:
        yield Problem(
            "algorithm.buffer",
            "too_many",
            f"{cohort} clients are at work at a time, and each counts once in a step.",
            f"Set algorithm.buffer to at most {cohort}, or sample more clients.",
        )


@rule
def participation_is_known(spec: RunSpec) -> Iterator[Problem]:
    """Samplers that prefer some clients do not say how much."""
    method, sampling = spec.algorithm, spec.sampling
    if not isinstance(method, FedStaleSpec) or method.participation != "sampling":
        return
    if isinstance(sampling, LatencyProportionalSpec | OortSpec):
        yield Problem(
            "algorithm.participation",
            "contradiction",
            f"{sampling.title} prefers some clients, so how often each takes part is not known.",
            "Set algorithm.participation to estimated.",
        )
