"""Prompts over the API: a draft comes back, and nothing is saved or launched."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from webapp.api.spec_field import SpecField
from webapp.intents.backends import configured_backend
from webapp.intents.results import IntentResult
from webapp.intents.services import answer_prompt

MAX_PROMPT = 4000


class IntentThrottle(UserRateThrottle):
    """A person types slowly; a program that asks faster than this is a mistake."""

    scope = "intents"


class IntentSerializer(serializers.Serializer[Any]):
    prompt = serializers.CharField(
        max_length=MAX_PROMPT, allow_blank=True, help_text="What to run, in your own words."
    )
    draft = SpecField(
        required=False, allow_null=True, help_text="The spec that the prompt is to change."
    )


class IntentView(APIView):
    """A draft of a run or of a sweep, from a sentence."""

    throttle_classes = (IntentThrottle,)

    @extend_schema(request=IntentSerializer, responses={200: IntentResult}, tags=["intents"])
    def post(self, request: Request) -> Response:
        body = IntentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        result = answer_prompt(
            prompt=body.validated_data["prompt"],
            current=body.validated_data.get("draft"),
            backend=configured_backend(),
        )
        return Response(result.model_dump(mode="json"))
