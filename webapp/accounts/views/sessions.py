"""Signing in and out with a browser."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.http import HttpRequest, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_safe
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
from webapp.settings.env import SignUp


class WrongCredentialsError(UnauthenticatedError):
    code = "wrong_credentials"


class SecondFactorError(UnauthenticatedError):
    """The password was right, and is not enough."""

    code = "second_factor_required"


class LoginSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(
        max_length=1000, trim_whitespace=False, style={"input_type": "password"}
    )


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "username", "is_staff", "is_superuser")
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


def sign_in(request: Request, user: User) -> None:
    """Open a session for somebody whose password was right.

    Raises:
        SecondFactorError: If the account asks for more. What is missing is kept in the session, and
            allauth's ``auth/2fa/authenticate`` and ``auth/webauthn/authenticate`` complete it.
    """
    http = request._request  # noqa: SLF001  what allauth needs is Django's own request
    record_authentication(http, user, method="password", username=user.username)
    perform_login(http, Login(user=user))
    if http.user != user:
        kinds = Authenticator.objects.filter(user=user).values_list("type", flat=True)
        raise SecondFactorError(
            "A second factor is needed. With a program, use a token, made at a browser.",
            fields={"second_factor": sorted(set(kinds))},
        )


@method_decorator(csrf_protect, name="dispatch")
class LoginView(APIView):
    """Sign in; the answer sets the session cookie."""

    authentication_classes = ()
    throttle_classes = (LoginThrottle, LoginAddressThrottle)
    guesses: list[GuessThrottle]
    refusals: ClassVar = {"POST": (401, 403)}

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
        for guess in self.guesses:
            guess.forgive()
        sign_in(request, user)
        return Response(describe(user))


class LogoutView(APIView):
    """End the session of this browser."""

    @extend_schema(request=None, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        UserSession.objects.filter(session_key=request.session.session_key or "").delete()
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


class SignInOptionsSerializer(serializers.Serializer[Any]):
    """What the sign-in screen offers beside a password."""

    single_sign_on = serializers.CharField(
        allow_null=True, help_text="What the button says; null where there is none."
    )
    may_request = serializers.BooleanField(help_text="Whether an account can be asked for.")
    passkeys = serializers.BooleanField()
    mails_invitations = serializers.BooleanField(
        help_text="Whether the link of an invitation can be mailed from here."
    )


class SignInOptionsView(APIView):
    """How one can sign in here."""

    authentication_classes = ()

    @extend_schema(responses=SignInOptionsSerializer, tags=["auth"])
    def get(self, request: Request) -> Response:
        environment = settings.ENVIRONMENT
        options = {
            "single_sign_on": environment.oidc_name if environment.oidc_url else None,
            "may_request": settings.SIGN_UP is not SignUp.CLOSED,
            "passkeys": True,
            "mails_invitations": settings.EMAIL_HOST_IS_SET,
        }
        return Response(SignInOptionsSerializer(options).data)


@require_safe
def to_sign_in(request: HttpRequest) -> HttpResponseRedirect:
    """Lead those who want into the administration to the one place where people sign in."""
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    query = urlencode({"next": wanted if is_ours else "/admin/"})
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{query}")
