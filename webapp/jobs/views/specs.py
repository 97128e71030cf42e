"""What can be asked for, and whether what was asked for can be run."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fedcore.spec import Problem, RunSpec, SpecError, catalogue, check, load_yaml
from webapp.accounts.models import User
from webapp.accounts.permissions import signed_in
from webapp.api.compressed import compressed
from webapp.jobs.limits import oversized
from webapp.jobs.preflight import preflight


class CatalogueRow(BaseModel):
    """One kind of one section of the spec."""

    section: str
    kind: str
    title: str
    summary: str
    description: str
    paper: str | None
    synonyms: list[str]
    constraints: list[str]
    json_schema: dict[str, Any] = Field(alias="schema", description="JSON schema of its settings.")
    example: dict[str, Any] = Field(description="The shortest spec that uses it.")


class Catalogue(RootModel[list[CatalogueRow]]):
    """Every kind of every section, in the order in which they are offered."""


class SpecProblem(BaseModel):
    path: str = Field(description="Dotted path in the spec; empty for the whole document.")
    code: str
    message: str
    fix: str


class SpecEstimate(BaseModel):
    """What a run will cost; null where the data set is not known before it is read."""

    cohort: int
    model_parameters: int | None
    memory_bytes: int | None
    bytes_up_per_round: int | None
    bytes_down_per_round: int | None
    bytes_total: int | None
    epsilon: float | None = Field(
        description="Privacy loss of the whole run, at most; null without differential privacy, "
        "without noise, or where it depends on how many examples each client holds."
    )
    delta: float | None
    noise_multiplier: float | None = Field(
        description="Noise as a multiple of the clip, at most; null where unknown."
    )
    seconds_per_round: float | None = Field(
        description="Median of earlier runs that differ in seed and length only; null without any."
    )
    seconds_total: float | None
    fits: bool | None = Field(
        description="Whether a live worker of its queue has the memory; null where unknown."
    )


class SpecVerdict(BaseModel):
    valid: bool
    problems: list[SpecProblem]
    spec: RunSpec | None = Field(description="The spec with all defaults filled in.")
    yaml: str = Field(description="The same as YAML; the document as given where it is wrong.")
    digest: str | None
    estimate: SpecEstimate | None


class SpecDocumentSerializer(serializers.Serializer[Any]):
    """A spec as JSON or as YAML, one of the two."""

    spec = serializers.JSONField(required=False)
    yaml = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either spec or yaml.")
        return attrs


@compressed
class CatalogueView(APIView):
    """Every kind that a spec can name, with its settings."""

    @extend_schema(responses=Catalogue, tags=["spec"])
    def get(self, request: Request) -> Response:
        return Response(_catalogue())


@compressed
class SpecSchemaView(APIView):
    """The JSON schema that forms are made from."""

    @extend_schema(responses=OpenApiTypes.OBJECT, tags=["spec"])
    def get(self, request: Request) -> Response:
        return Response(_schema())


class SpecValidateView(APIView):
    """Every problem of a draft by path, and what a run of it would cost; nothing is saved."""

    @extend_schema(request=SpecDocumentSerializer, responses={200: SpecVerdict}, tags=["spec"])
    def post(self, request: Request) -> Response:
        user = signed_in(request)
        body = SpecDocumentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        text: str | None = body.validated_data.get("yaml")
        try:
            document = body.validated_data["spec"] if text is None else load_yaml(text)
        except SpecError as error:
            return Response(_verdict(user, None, list(error.problems), text or ""))
        result = check(document)
        if result.spec is None:
            given = _as_yaml(document) if text is None else text
            return Response(_verdict(user, None, list(result.problems), given))
        return Response(_verdict(user, result.spec, oversized(result.spec), result.spec.to_yaml()))


@cache
def _catalogue() -> list[dict[str, Any]]:
    """Return what changes with the code only, and takes a tenth of a second to make."""
    return [entry.to_json() for entry in catalogue()]


@cache
def _schema() -> dict[str, Any]:
    """Return the same for forms."""
    return RunSpec.json_schema()


def _as_yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _verdict(
    user: User, spec: RunSpec | None, problems: list[Problem], text: str
) -> dict[str, Any]:
    return {
        "valid": spec is not None and not problems,
        "problems": [problem.to_json() for problem in problems],
        "spec": spec and spec.model_dump(mode="json"),
        "yaml": text,
        "digest": spec and spec.digest(),
        "estimate": spec and preflight(spec, user),
    }
