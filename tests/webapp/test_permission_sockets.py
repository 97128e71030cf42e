"""Every websocket, for nobody, a stranger, the members by their tokens, and a project's token."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from tests.factories import make_member, make_project
from tests.webapp.test_permission_matrix import SOCKETS, filled_in, samples
from tests.webapp.websocket_client import watching
from webapp.accounts import rules
from webapp.accounts.roles import Role, Scope
from webapp.accounts.rules import Reach
from webapp.accounts.services import create_project_token, create_token


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", SOCKETS)
async def test_websockets_are_closed_to_everybody_but_members(path: str) -> None:
    rule = rules.SOCKETS[path]
    if rule.reach is Reach.PUBLIC:
        async with watching(uuid4(), path="/ws/nothing/") as viewer:
            assert await viewer.close_code() == 4404
        return
    rows, tokens = await sync_to_async(_socket_world)()
    address = "/" + filled_in(path, rule, rows)
    for role, token in tokens.items():
        async with watching(uuid4(), path=address, token=token) as viewer:
            if role == "nobody" or rule.reach is Reach.SITE:
                assert await viewer.close_code() == 4401
            elif role == "stranger":
                assert await viewer.close_code() == 4404
            else:
                assert (await viewer.message())["type"] == "websocket.accept"
                assert (await viewer.frame())["type"] == "snapshot"


def _socket_world() -> tuple[dict[str, str], dict[str, str]]:
    project = make_project()
    day = timedelta(days=1)
    owner = make_member(project, Role.ADMIN)
    rows = {model: make() for model, make in samples(owner, project).items()}
    stranger = make_member(make_project(), Role.ADMIN)
    tokens = {
        "nobody": "rh_nothing",
        "stranger": create_token(user=stranger, name="t", lifetime=day)[1],
    }
    for role in Role:
        user = make_member(project, role)
        tokens[role] = create_token(user=user, name="t", lifetime=day, scope=Scope.READ)[1]
    tokens["project"] = create_project_token(
        user=owner, project=project, name="p", lifetime=day, scope=Scope.READ
    )[1]
    return rows, tokens
