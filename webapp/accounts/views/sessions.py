"""Signing in and out with a browser."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from webapp.accounts.models import User
from webapp.accounts.permissions import signed_in
from webapp.accounts.roles import Role
from webapp.accounts.throttles import GuessThrottle, LoginAddressThrottle, LoginThrottle
from webapp.api.typed_fields import EnumField
from webapp.errors import UnauthenticatedError


class WrongCredentialsError(UnauthenticatedError):
    code = "wrong_credentials"


class LoginSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(
        max_length=1000, trim_whitespace=False, style={"input_type": "password"}
    )


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "username", "is_staff")
        read_only_fields = fields


class MyProjectSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="project.id")
    name = serializers.CharField(source="project.name")
    role = EnumField(Role)


class MeSerializer(serializers.Serializer[Any]):
    user = UserSerializer()
    projects = MyProjectSerializer(many=True)


class CsrfSerializer(serializers.Serializer[Any]):
    csrf_token = serializers.CharField(help_text="Send it as the X-CSRFToken header.")


def describe(user: User) -> dict[str, Any]:
    """Return who the user is, and where they may do what."""
    memberships = user.memberships.select_related("project").order_by("project__created_at")
    me: dict[str, Any] = MeSerializer({"user": user, "projects": memberships}).data
    return me


@method_decorator(csrf_protect, name="dispatch")
class LoginView(APIView):
    """Sign in; the answer sets the session cookie."""

    authentication_classes = ()
    throttle_classes = (LoginThrottle, LoginAddressThrottle)
    guesses: list[GuessThrottle]

    def get_throttles(self) -> list[BaseThrottle]:
        self.guesses = [throttle() for throttle in self.throttle_classes]
        return [*self.guesses]

    @extend_schema(request=LoginSerializer, responses={200: MeSerializer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        body = LoginSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = authenticate(request, **body.validated_data)
        if not isinstance(user, User):
            raise WrongCredentialsError("The name or the password is wrong.")
        login(request, user)
        for guess in self.guesses:
            guess.forgive()
        return Response(describe(user))


class LogoutView(APIView):
    """End the session of this browser."""

    @extend_schema(request=None, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        logout(request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    """Who is asking, and where they may do what."""

    @extend_schema(responses=MeSerializer, tags=["auth"])
    def get(self, request: Request) -> Response:
        return Response(describe(signed_in(request)))


class CsrfView(APIView):
    """Set the CSRF cookie, which every request that changes something needs."""

    authentication_classes = ()

    @extend_schema(responses=CsrfSerializer, tags=["auth"])
    def get(self, request: Request) -> Response:
        return Response({"csrf_token": get_token(request)})
