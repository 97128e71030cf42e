"""Inviting people, and coming in by a link.

The code of a link is in its fragment, which browsers do not send, and in bodies, which are not
logged; it is never in the address of a request.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import Invitation, User
from webapp.accounts.permissions import signed_in
from webapp.accounts.roles import Role
from webapp.accounts.selectors import get_project
from webapp.accounts.services import (
    NewAccount,
    accept_invitation,
    find_invitation,
    invite,
    mail_invitation,
    request_account,
    withdraw_invitation,
)
from webapp.accounts.throttles import DoorThrottle, MailThrottle
from webapp.accounts.views.sessions import MeSerializer, describe, sign_in
from webapp.api.typed_fields import EnumField

MAX_DAYS = 30


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    role = EnumField(Role)
    created_by = serializers.CharField(source="created_by.username")

    class Meta:
        model = Invitation
        fields: tuple[str, ...] = ("id", "role", "note", "created_by", "created_at", "expires_at")
        read_only_fields = fields


class InvitationCreatedSerializer(InvitationSerializer):
    code = serializers.CharField(help_text="Shown this once. The link is /invitation#<code>.")
    is_mailed = serializers.BooleanField(
        help_text="Whether the mail server has taken a mail with the link."
    )

    class Meta(InvitationSerializer.Meta):
        fields = (*InvitationSerializer.Meta.fields, "code", "is_mailed")
        read_only_fields = fields


class InvitationWriteSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=[role.value for role in Role], default=Role.EDITOR.value)
    note = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="For whom it is meant."
    )
    email = serializers.EmailField(
        max_length=200, default="", allow_blank=True, help_text="Where the link is mailed to."
    )
    expires_in_days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=7)


class InvitationListView(generics.GenericAPIView[Invitation]):
    """The open invitations of a project."""

    serializer_class = InvitationSerializer
    filter_backends = ()
    queryset = Invitation.objects.none()
    throttle_classes = (*APIView.throttle_classes, MailThrottle)

    @extend_schema(
        tags=["projects"],
        operation_id="invitations_list",
        responses=InvitationSerializer(many=True),
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project = get_project(signed_in(request), project_id)
        rows = Invitation.objects.filter(project=project).select_related("created_by")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(InvitationSerializer(page, many=True).data)

    @extend_schema(
        request=InvitationWriteSerializer,
        responses={201: InvitationCreatedSerializer},
        tags=["projects"],
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        user = signed_in(request)
        project = get_project(user, project_id)
        body = InvitationWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        email = body.validated_data["email"]
        invitation, code = invite(
            user=user,
            project=project,
            role=Role(body.validated_data["role"]),
            note=body.validated_data["note"],
            email=email,
            lifetime=timedelta(days=body.validated_data["expires_in_days"]),
        )
        link = request.build_absolute_uri(f"/invitation#{code}")
        is_mailed = bool(email) and mail_invitation(invitation=invitation, link=link, email=email)
        answer = {**InvitationSerializer(invitation).data, "code": code, "is_mailed": is_mailed}
        return Response(answer, status=status.HTTP_201_CREATED)


class InvitationView(APIView):
    @extend_schema(responses={204: None}, tags=["projects"])
    def delete(self, request: Request, project_id: UUID, invitation_id: UUID) -> Response:
        """Withdraw an invitation."""
        user = signed_in(request)
        project = get_project(user, project_id)
        withdraw_invitation(user=user, project=project, invitation_id=invitation_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=100)


class NewAccountSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150, validators=[UnicodeUsernameValidator()])
    password = serializers.CharField(
        max_length=1000, trim_whitespace=False, style={"input_type": "password"}
    )


class AcceptSerializer(CodeSerializer):
    """A code, and a new account unless somebody is signed in."""

    account = NewAccountSerializer(required=False, allow_null=True)


class InvitationPreviewSerializer(serializers.Serializer[Any]):
    project = serializers.CharField(source="project.name")
    role = EnumField(Role)
    invited_by = serializers.CharField(source="created_by.username")
    expires_at = serializers.DateTimeField()


@method_decorator(csrf_protect, name="dispatch")
class InvitationPreviewView(APIView):
    refusals: ClassVar = {"POST": (403, 404)}
    throttle_classes = (DoorThrottle,)

    @extend_schema(
        request=CodeSerializer, responses={200: InvitationPreviewSerializer}, tags=["auth"]
    )
    def post(self, request: Request) -> Response:
        """Return where an invitation leads to; it is not used up."""
        body = CodeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        invitation = find_invitation(body.validated_data["code"])
        return Response(InvitationPreviewSerializer(invitation).data)


@method_decorator(csrf_protect, name="dispatch")
class InvitationAcceptView(APIView):
    refusals: ClassVar = {"POST": (403, 404, 409)}
    throttle_classes = (DoorThrottle,)

    @extend_schema(request=AcceptSerializer, responses={200: MeSerializer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Become a member; somebody new gets an account and is signed in."""
        body = AcceptSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        code, account = body.validated_data["code"], body.validated_data.get("account")
        if isinstance(request.user, User):
            return Response(describe(accept_invitation(code=code, by=request.user)))
        if account is None:
            raise serializers.ValidationError({"account": ["Choose a name and a password."]})
        user = accept_invitation(code=code, by=NewAccount(**account))
        sign_in(request, user)
        return Response(describe(user))


class RequestedSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()


@method_decorator(csrf_protect, name="dispatch")
class AccountRequestView(APIView):
    refusals: ClassVar = {"POST": (403,)}
    authentication_classes = ()
    throttle_classes = (DoorThrottle,)

    @extend_schema(
        request=NewAccountSerializer, responses={202: RequestedSerializer}, tags=["auth"]
    )
    def post(self, request: Request) -> Response:
        """Ask for an account, which an operator has to approve."""
        body = NewAccountSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = request_account(wanted=NewAccount(**body.validated_data))
        return Response({"username": user.username}, status=status.HTTP_202_ACCEPTED)
