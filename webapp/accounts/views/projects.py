"""Projects, and who belongs to them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import Membership, Project, User
from webapp.accounts.permissions import signed_in
from webapp.accounts.roles import Role
from webapp.accounts.selectors import get_project
from webapp.accounts.services import (
    ProjectWishes,
    change_project,
    change_role,
    create_project,
    remove_member,
)
from webapp.api.text_fields import NameField
from webapp.api.typed_fields import EnumField


class ProjectSerializer(serializers.ModelSerializer[Project]):
    role = EnumField(Role, source="viewer_role")

    class Meta:
        model = Project
        fields = ("id", "name", "role", "created_at")
        read_only_fields = fields


class ProjectWriteSerializer(serializers.Serializer[Any]):
    name = NameField(max_length=120)


def _name_in(request: Request) -> str:
    body = ProjectWriteSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    name: str = body.validated_data["name"]
    return name


def _present(user: User, project_id: UUID) -> dict[str, Any]:
    shown: dict[str, Any] = ProjectSerializer(get_project(user, project_id)).data
    return shown


class ProjectListView(generics.ListAPIView[Project]):
    """The projects that the user belongs to."""

    serializer_class = ProjectSerializer
    filter_backends = ()

    refusals: ClassVar = {"POST": (409,)}

    def get_queryset(self) -> Any:
        return Project.objects.visible_to(self.request.user)

    @extend_schema(
        request=ProjectWriteSerializer,
        responses={201: ProjectSerializer},
        tags=["projects"],
        description="Make a project. Only administrators of the installation may.",
    )
    def post(self, request: Request) -> Response:
        user = signed_in(request)
        project = create_project(user=user, name=_name_in(request))
        return Response(_present(user, project.pk), status=status.HTTP_201_CREATED)


class ProjectView(APIView):
    refusals: ClassVar = {"PATCH": (409,)}

    @extend_schema(responses=ProjectSerializer, tags=["projects"])
    def get(self, request: Request, project_id: UUID) -> Response:
        return Response(_present(signed_in(request), project_id))

    @extend_schema(request=ProjectWriteSerializer, responses=ProjectSerializer, tags=["projects"])
    def patch(self, request: Request, project_id: UUID) -> Response:
        """Rename a project."""
        user = signed_in(request)
        wanted = ProjectWishes(name=_name_in(request))
        change_project(user=user, project=get_project(user, project_id), wanted=wanted)
        return Response(_present(user, project_id))


class MemberSerializer(serializers.ModelSerializer[Membership]):
    username = serializers.CharField(source="user.username")
    role = EnumField(Role)
    is_me = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = ("id", "username", "role", "is_me", "created_at")
        read_only_fields = fields

    def get_is_me(self, membership: Membership) -> bool:
        return bool(membership.user_id == self.context["user"].pk)


class MemberWriteSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=[role.value for role in Role])


class MemberListView(generics.GenericAPIView[Membership]):
    """The people who belong to a project."""

    serializer_class = MemberSerializer
    filter_backends = ()
    queryset = Membership.objects.none()

    @extend_schema(
        tags=["projects"], operation_id="members_list", responses=MemberSerializer(many=True)
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        user = signed_in(request)
        people = Membership.objects.filter(
            project=get_project(user, project_id), user__is_service=False
        )
        page = self.paginate_queryset(people.select_related("user"))
        shown = MemberSerializer(page, many=True, context={"user": user}).data
        return self.get_paginated_response(shown)


class MemberView(APIView):
    @extend_schema(request=MemberWriteSerializer, responses=MemberSerializer, tags=["projects"])
    def patch(self, request: Request, project_id: UUID, member_id: UUID) -> Response:
        """Give a member another role."""
        user = signed_in(request)
        project = get_project(user, project_id)
        body = MemberWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        role = Role(body.validated_data["role"])
        member = change_role(user=user, project=project, member_id=member_id, role=role)
        return Response(MemberSerializer(member, context={"user": user}).data)

    @extend_schema(responses={204: None}, tags=["projects"])
    def delete(self, request: Request, project_id: UUID, member_id: UUID) -> Response:
        """Take a member out of the project, or leave it."""
        user = signed_in(request)
        project = get_project(user, project_id)
        remove_member(user=user, project=project, member_id=member_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
