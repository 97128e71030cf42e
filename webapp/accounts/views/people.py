"""The accounts of the installation, for those who run it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import User
from webapp.accounts.permissions import signed_in
from webapp.accounts.services import set_active
from webapp.api.filters import YesNoFilter
from webapp.api.pagination import CursorPagination


class PersonSerializer(serializers.ModelSerializer[User]):
    email = serializers.CharField(help_text="Empty where none is known.")

    class Meta:
        model = User
        fields = (
            "id",
            "username",
            "email",
            "is_superuser",
            "is_active",
            "awaits_approval",
            "date_joined",
            "last_login",
        )
        read_only_fields = fields


class PersonWriteSerializer(serializers.Serializer[Any]):
    is_active = serializers.BooleanField(help_text="True approves or switches on.")


class PersonFilter(django_filters.FilterSet):  # type: ignore[misc]  # published without types
    awaits_approval = YesNoFilter()


class PersonPagination(CursorPagination):
    ordering = ("-date_joined", "id")


class PersonListView(generics.ListAPIView[User]):
    """Everybody who has an account, the newest first."""

    serializer_class = PersonSerializer
    pagination_class = PersonPagination
    filterset_class = PersonFilter
    queryset = User.objects.filter(is_service=False)


class PersonView(APIView):
    refusals: ClassVar = {"PATCH": (409,)}

    @extend_schema(request=PersonWriteSerializer, responses=PersonSerializer, tags=["users"])
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Approve an account, or switch it on or off."""
        operator = signed_in(request)
        body = PersonWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        active = body.validated_data["is_active"]
        user = set_active(operator=operator, user_id=user_id, active=active)
        return Response(PersonSerializer(user).data)
