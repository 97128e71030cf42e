"""Tokens of programs, and the projects that a user belongs to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import ApiToken, Project
from webapp.accounts.permissions import signed_in
from webapp.accounts.roles import Role
from webapp.accounts.services import create_token
from webapp.api.pagination import CursorPagination
from webapp.api.typed_fields import EnumField
from webapp.errors import NotFoundError

MAX_TOKEN_DAYS = 365


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry")
    prefix = serializers.CharField(source="token_key", help_text="How the token begins.")

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = ("id", "name", "prefix", "created_at", "expires_at")
        read_only_fields = fields


class TokenCreateSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    expires_in_days = serializers.IntegerField(min_value=1, max_value=MAX_TOKEN_DAYS, default=90)


class TokenCreatedSerializer(TokenSerializer):
    token = serializers.CharField(help_text="Shown this once; only its hash is kept.")

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")
        read_only_fields = fields


class TokenPagination(CursorPagination):
    ordering = ("-created", "digest")


class TokenListView(generics.GenericAPIView[ApiToken]):
    """The user's own tokens."""

    serializer_class = TokenSerializer
    pagination_class = TokenPagination
    filter_backends = ()
    queryset = ApiToken.objects.none()

    @extend_schema(tags=["tokens"], operation_id="tokens_list")
    def get(self, request: Request) -> Response:
        mine = ApiToken.objects.filter(user=signed_in(request))
        page = self.paginate_queryset(mine)
        return self.get_paginated_response(TokenSerializer(page, many=True).data)

    @extend_schema(
        request=TokenCreateSerializer, responses={201: TokenCreatedSerializer}, tags=["tokens"]
    )
    def post(self, request: Request) -> Response:
        body = TokenCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row, token = create_token(
            user=signed_in(request),
            name=body.validated_data["name"],
            lifetime=timedelta(days=body.validated_data["expires_in_days"]),
        )
        answer = {**TokenSerializer(row).data, "token": token}
        return Response(answer, status=status.HTTP_201_CREATED)


class TokenView(APIView):
    @extend_schema(responses={204: None}, tags=["tokens"])
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke a token."""
        deleted, _ = ApiToken.objects.filter(user=signed_in(request), id=token_id).delete()
        if not deleted:
            raise NotFoundError("There is no such token.")
        return Response(status=status.HTTP_204_NO_CONTENT)


class ProjectSerializer(serializers.ModelSerializer[Project]):
    role = EnumField(Role, source="viewer_role")

    class Meta:
        model = Project
        fields = ("id", "name", "role", "created_at")
        read_only_fields = fields


class ProjectListView(generics.ListAPIView[Project]):
    """The projects that the user belongs to."""

    serializer_class = ProjectSerializer
    filter_backends = ()

    def get_queryset(self) -> Any:
        return Project.objects.visible_to(self.request.user)
