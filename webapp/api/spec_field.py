"""Fields that hold a spec or a sweep: checked as a whole, every problem under its own path."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from fedcore.spec import Problem, RunSpec, SweepSpec, check, check_sweep
from webapp.api.errors import INVALID_SPEC
from webapp.jobs.limits import sentence


class SpecField(serializers.Field[Any, Any, dict[str, Any], dict[str, Any]]):
    """Takes a spec as JSON and gives a ``RunSpec``; what is stored is sent as it is."""

    def to_internal_value(self, data: Any) -> RunSpec:
        result = check(data)
        if result.spec is None:
            raise serializers.ValidationError(by_path(result.problems))
        return result.spec

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


class SweepField(serializers.Field[Any, Any, dict[str, Any], dict[str, Any]]):
    """Takes a sweep as JSON and gives a ``SweepSpec``."""

    def to_internal_value(self, data: Any) -> SweepSpec:
        result = check_sweep(data)
        if result.sweep is None:
            raise serializers.ValidationError(by_path(result.problems))
        return result.sweep

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


def by_path(problems: tuple[Problem, ...]) -> dict[str, list[serializers.ErrorDetail]]:
    fields: dict[str, list[serializers.ErrorDetail]] = {}
    for problem in problems:
        detail = serializers.ErrorDetail(sentence(problem), code=INVALID_SPEC)
        fields.setdefault(problem.path, []).append(detail)
    return fields
