"""The one description of a run: API body, stored JSON, YAML file, engine input, form."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from fedcore.spec import (  # noqa: F401  (importing registers the rules)
    rules_data,
    rules_methods,
    rules_peft,
    rules_personal,
    rules_placement,
    rules_privacy,
    rules_sites,
    rules_topology,
    rules_trust,
)
from fedcore.spec.aggregators import AggregationSpec, MeanSpec
from fedcore.spec.algorithms import AlgorithmSpec, FedAvgSpec
from fedcore.spec.attacks import AttackSpec
from fedcore.spec.base import BASIC, Spec
from fedcore.spec.compression import CompressionSpec
from fedcore.spec.data import DatasetSpec, DigitsSpec, DirichletPartitionSpec, PartitionSpec
from fedcore.spec.documents import load_yaml
from fedcore.spec.models import FullTrainingSpec, MlpSpec, ModelSpec, PeftSpec
from fedcore.spec.privacy import PrivacySpec
from fedcore.spec.problems import Problem, SpecError, as_validation_error, problems_of
from fedcore.spec.rules import broken_rules
from fedcore.spec.sampling import RandomSamplingSpec, SamplingSpec
from fedcore.spec.system import SystemSpec
from fedcore.spec.topology import StarSpec, TopologySpec
from fedcore.spec.training import (
    EvaluationSpec,
    LocalSpec,
    RuntimeSpec,
)

#: Largest whole number that every JSON reader keeps exactly.
MAX_SEED = 2**53 - 1


class RunSpec(Spec):
    """A federated run.

    Everything has a default: ``{}`` is a valid spec that trains well on ``digits`` in seconds.
    """

    spec_version: Literal[1] = Field(1, description="Version of this format.")
    seed: int = Field(
        0, ge=0, le=MAX_SEED, description="Same spec, same seed, same numbers to the last digit."
    )
    rounds: int = Field(
        20, ge=1, le=1_000_000, description="How many rounds to train.", json_schema_extra=BASIC
    )
    dataset: DatasetSpec = Field(
        DigitsSpec(), description="Where the examples come from.", json_schema_extra=BASIC
    )
    partition: PartitionSpec = Field(
        DirichletPartitionSpec(),
        description="How the examples are divided among the clients.",
        json_schema_extra=BASIC,
    )
    model: ModelSpec = Field(
        MlpSpec(), description="The model that all clients train.", json_schema_extra=BASIC
    )
    peft: PeftSpec = Field(FullTrainingSpec(), description="Which part of the model is trained.")
    algorithm: AlgorithmSpec = Field(
        FedAvgSpec(), description="The federated method.", json_schema_extra=BASIC
    )
    local: LocalSpec = Field(
        LocalSpec(), description="Training on one client.", json_schema_extra=BASIC
    )
    sampling: SamplingSpec = Field(
        RandomSamplingSpec(), description="Who takes part in a round.", json_schema_extra=BASIC
    )
    aggregation: AggregationSpec = Field(MeanSpec(), description="How updates are combined.")
    compression: CompressionSpec = Field(
        CompressionSpec(), description="How messages are made smaller."
    )
    privacy: PrivacySpec = Field(
        PrivacySpec(), description="What the run promises about the clients' data."
    )
    attack: AttackSpec | None = Field(
        None, description="Clients that try to harm the run, to test a defence."
    )
    topology: TopologySpec = Field(StarSpec(), description="Who talks to whom.")
    system: SystemSpec = Field(SystemSpec(), description="Hardware of the simulated clients.")
    evaluation: EvaluationSpec = Field(
        EvaluationSpec(), description="When the model is tested, and when that ends the run."
    )
    runtime: RuntimeSpec = Field(RuntimeSpec(), description="Where the run is executed.")

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        problems = broken_rules(self)
        if problems:
            raise as_validation_error("RunSpec", problems)
        return self

    @classmethod
    def parse(cls, data: Any) -> Self:
        """Return the spec that ``data`` (a mapping) describes.

        Raises:
            SpecError: With every problem of the document.
        """
        result = check(data)
        if result.spec is None:
            raise SpecError.of(result.problems)
        return cls.model_validate(result.spec)

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Return the spec that a YAML (or JSON) document describes.

        Raises:
            SpecError: If the text is not YAML, or with every problem of the document.
        """
        return cls.parse(load_yaml(text))

    @property
    def holds_individual_updates(self) -> bool:
        """Whether all updates of a round are in memory at the same time."""
        return self.aggregation.needs_individual_updates or self.algorithm.needs_individual_updates

    @property
    def messages_each_way(self) -> int:
        """How many messages a client sends, and receives, in a round."""
        if self.topology.has_server:
            return 1
        return self.algorithm.exchanges * self.topology.num_neighbours(self.partition.clients)

    @property
    def messages_in_turn(self) -> int:
        """How many messages of a client's round wait for each other.

        The model and the update; neighbours send each other theirs at the same time.
        """
        return 2 if self.topology.has_server else self.algorithm.exchanges

    def to_yaml(self) -> str:
        """Return the complete spec as YAML, sections in the order of this class."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON: same digest and code, same numbers."""
        canonical = json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        return hashlib.sha256(canonical.encode()).hexdigest()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON schema of the format; families are ``oneOf`` told apart by ``kind``."""
        return cls.model_json_schema(mode="validation")


@dataclass(frozen=True)
class CheckResult:
    """Outcome of checking a document: a spec, or the reasons why there is none."""

    spec: RunSpec | None
    problems: tuple[Problem, ...]


def check(data: Any) -> CheckResult:
    """Return the spec that ``data`` describes, or all of its problems; bad data never raises.

    Sections that are wrong in themselves are replaced by their defaults for one more pass, so
    that rules between the other sections are reported at the same time.
    """
    if not isinstance(data, dict):
        found = Problem("", "not_a_mapping", "A spec is a mapping of settings.", "Start with {}.")
        return CheckResult(None, (found,))
    try:
        return CheckResult(RunSpec.model_validate(data), ())
    except ValidationError as error:
        problems = problems_of(error, RunSpec)
    broken = {problem.path.split(".")[0] for problem in problems}
    sound = {key: value for key, value in data.items() if key not in broken}
    return CheckResult(None, (*problems, *_other_problems(sound, broken)))


def _other_problems(sound: dict[Any, Any], broken: set[str]) -> list[Problem]:
    try:
        RunSpec.model_validate(sound)
    except ValidationError as error:
        found = problems_of(error, RunSpec)
        return [problem for problem in found if problem.path.split(".")[0] not in broken]
    return []
