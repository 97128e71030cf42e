"""Tokens of programs: one's own, and those of a project."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import ApiToken
from webapp.accounts.permissions import signed_in
from webapp.accounts.roles import Scope
from webapp.accounts.selectors import get_project
from webapp.accounts.services import (
    create_project_token,
    create_token,
    revoke_project_token,
    revoke_token,
)
from webapp.api.pagination import CursorPagination
from webapp.api.text_fields import NameField
from webapp.api.typed_fields import EnumField

MAX_TOKEN_DAYS = 365


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    scope = EnumField(Scope)
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry")
    prefix = serializers.CharField(source="token_key", help_text="How the token begins.")
    created_by = serializers.CharField(source="creator", allow_null=True, default=None)

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = (
            "id",
            "name",
            "scope",
            "prefix",
            "created_at",
            "created_by",
            "expires_at",
            "last_used_at",
            "last_used_from",
        )
        read_only_fields = fields


class TokenCreateSerializer(serializers.Serializer[Any]):
    name = NameField(max_length=120)
    scope = serializers.ChoiceField(
        choices=[scope.value for scope in Scope],
        default=Scope.RUN.value,
        help_text="read looks, run launches and controls too, admin manages projects as well;"
        " never more than the role of whom it acts for.",
    )
    expires_in_days = serializers.IntegerField(min_value=1, max_value=MAX_TOKEN_DAYS, default=90)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": attrs["name"],
            "scope": Scope(attrs["scope"]),
            "lifetime": timedelta(days=attrs["expires_in_days"]),
        }


class TokenCreatedSerializer(TokenSerializer):
    token = serializers.CharField(help_text="Shown this once; only its hash is kept.")

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")
        read_only_fields = fields


class TokenPagination(CursorPagination):
    ordering = ("-created", "digest")


def _wishes(request: Request) -> dict[str, Any]:
    body = TokenCreateSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    wishes: dict[str, Any] = body.validated_data
    return wishes


def _created(row: ApiToken, token: str, creator: str) -> Response:
    answer = {**TokenSerializer(row).data, "created_by": creator, "token": token}
    return Response(answer, status=status.HTTP_201_CREATED)


def _with_creator(rows: Any) -> Any:
    return rows.annotate(creator=F("created_by__username"))


class TokenListView(generics.GenericAPIView[ApiToken]):
    """The user's own tokens."""

    serializer_class = TokenSerializer
    pagination_class = TokenPagination
    filter_backends = ()
    queryset = ApiToken.objects.none()

    @extend_schema(
        tags=["tokens"], operation_id="tokens_list", responses=TokenSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        mine = ApiToken.objects.filter(user=signed_in(request), project=None)
        page = self.paginate_queryset(_with_creator(mine))
        return self.get_paginated_response(TokenSerializer(page, many=True).data)

    @extend_schema(
        request=TokenCreateSerializer, responses={201: TokenCreatedSerializer}, tags=["tokens"]
    )
    def post(self, request: Request) -> Response:
        user = signed_in(request)
        row, token = create_token(user=user, **_wishes(request))
        return _created(row, token, user.username)


class TokenView(APIView):
    @extend_schema(responses={204: None}, tags=["tokens"])
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke a token."""
        revoke_token(user=signed_in(request), token_id=token_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ProjectTokenListView(generics.GenericAPIView[ApiToken]):
    """The tokens that belong to a project and to no person."""

    serializer_class = TokenSerializer
    pagination_class = TokenPagination
    filter_backends = ()
    queryset = ApiToken.objects.none()

    @extend_schema(
        tags=["projects"],
        operation_id="project_tokens_list",
        responses=TokenSerializer(many=True),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = get_project(signed_in(request), project_id)
        page = self.paginate_queryset(_with_creator(ApiToken.objects.filter(project=project)))
        return self.get_paginated_response(TokenSerializer(page, many=True).data)

    @extend_schema(
        request=TokenCreateSerializer, responses={201: TokenCreatedSerializer}, tags=["projects"]
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        user = signed_in(request)
        project = get_project(user, project_id)
        row, token = create_project_token(user=user, project=project, **_wishes(request))
        return _created(row, token, user.username)


class ProjectTokenView(APIView):
    @extend_schema(responses={204: None}, tags=["projects"])
    def delete(self, request: Request, project_id: UUID, token_id: UUID) -> Response:
        """Revoke a token of a project."""
        user = signed_in(request)
        project = get_project(user, project_id)
        revoke_project_token(user=user, project=project, token_id=token_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
