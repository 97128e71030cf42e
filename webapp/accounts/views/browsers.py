"""The browsers in which the user is signed in."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.permissions import signed_in
from webapp.accounts.services import end_other_sessions, end_session


class BrowserSerializer(serializers.ModelSerializer[UserSession]):
    address = serializers.CharField(source="ip")
    browser = serializers.CharField(source="user_agent", help_text="As it names itself.")
    is_this = serializers.SerializerMethodField(help_text="The one that asks.")

    class Meta:
        model = UserSession
        fields = ("id", "address", "browser", "is_this", "created_at", "last_seen_at")
        read_only_fields = fields

    def get_is_this(self, session: UserSession) -> bool:
        return bool(session.session_key == self.context["key"])


class BrowsersSerializer(serializers.Serializer[Any]):
    sessions = BrowserSerializer(many=True)


class BrowserListView(APIView):
    @extend_schema(responses=BrowsersSerializer, tags=["auth"])
    def get(self, request: Request) -> Response:
        """Return the sessions of the user that are still good, the newest first."""
        user = signed_in(request)
        key = request.session.session_key
        mine = UserSession.objects.filter(user=user)
        if key and not mine.filter(session_key=key).update(last_seen_at=timezone.now()):
            UserSession.objects.create_from_request(request._request)  # noqa: SLF001
        good = [session for session in mine.order_by("-created_at") if not session.purge()]
        shown = BrowsersSerializer({"sessions": good}, context={"key": key}).data
        return Response(shown)

    @extend_schema(responses={204: None}, tags=["auth"], operation_id="auth_sessions_end_others")
    def delete(self, request: Request) -> Response:
        """Sign out everywhere but here."""
        end_other_sessions(user=signed_in(request), keep=request.session.session_key)
        return Response(status=status.HTTP_204_NO_CONTENT)


_SESSION = OpenApiParameter("session_id", {"type": "integer", "minimum": 0}, OpenApiParameter.PATH)


class BrowserView(APIView):
    @extend_schema(parameters=[_SESSION], responses={204: None}, tags=["auth"])
    def delete(self, request: Request, session_id: int) -> Response:
        """Sign one browser out."""
        end_session(user=signed_in(request), session_id=session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
