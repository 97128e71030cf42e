"""What a site lets others do with its data: a file of rules."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fedcore.sites.documents import Names, SiteDocument, read_document, refusal
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.spec.base import Choice
from fedcore.spec.models import ModelSpec
from fedcore.spec.problems import nearest


def _known(family: type[Choice], names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return names that are all kinds of a family."""
    known = list(family.kinds())
    for name in names or ():
        if name not in known:
            message = f"There is no kind {name!r}."
            raise refusal("unknown_kind", message, nearest(name, known))
    return names


Methods = Annotated[Names, AfterValidator(partial(_known, AlgorithmSpec))]
Models = Annotated[Names, AfterValidator(partial(_known, ModelSpec))]


class MaxWork(SiteDocument):
    """How much a site does for one run; what is left out has no limit."""

    rounds: int | None = Field(None, ge=1, description="Rounds of the run.")
    local_epochs: float | None = Field(
        None, gt=0, description="Passes over the site's data in one round, steps counted as such."
    )
    local_steps: int | None = Field(
        None, ge=1, description="Optimiser steps in one round, epochs counted as such."
    )
    round_seconds: float | None = Field(
        None, gt=0, description="Time of training in one round; a longer one is stopped."
    )
    model_parameters: int | None = Field(None, ge=1, description="Trainable numbers of the model.")


class PrivacyFloor(SiteDocument):
    """The least protection that a run must have."""

    secure_aggregation: Literal["required", "optional"] = Field(
        "optional", description="Whether the server may see the update of this site alone."
    )
    max_epsilon: float | None = Field(
        None, gt=0, description="Differential privacy with at most this epsilon over the whole run."
    )
    max_delta: float | None = Field(
        None, gt=0, lt=1, description="And at most this delta; needs max_epsilon."
    )
    level: Literal["client", "example", "either"] = Field(
        "either",
        description="Whether a whole client or each example is protected; needs max_epsilon.",
    )

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        if self.max_epsilon is None and (self.max_delta is not None or self.level != "either"):
            raise refusal(
                "contradiction",
                "max_delta and level say nothing without max_epsilon.",
                "Add max_epsilon, such as 4, or remove the two.",
            )
        return self


class Policy(SiteDocument):
    """What a site takes part in; ``projects`` has no default, the rest allows or asks."""

    policy_version: Literal[1] = Field(1, description="Version of this format.")
    projects: Names = Field(description="Projects by name, or any.")
    datasets: Names = Field(None, description="Declared data sets that may be used, or any.")
    methods: Methods = Field(None, description="Federated methods, or any.")
    models: Models = Field(None, description="Kinds of models, or any.")
    max_work: MaxWork = Field(MaxWork(), description="How much this site does for one run.")
    min_cohort: int = Field(
        1,
        ge=1,
        description="Clients of a round, and updates in a result, so that none stands alone.",
    )
    privacy: PrivacyFloor = Field(PrivacyFloor(), description="The least protection.")
    approval: Literal["manual", "automatic"] = Field(
        "manual", description="Whether a person at the site has to approve each run."
    )

    @classmethod
    def parse(cls, text: str, name: str = "policy") -> Self:
        """Return the policy in a YAML document.

        Raises:
            SiteFileError: With every problem of the document.
        """
        return read_document(text, cls, name)
