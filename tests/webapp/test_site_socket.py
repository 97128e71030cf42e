"""The websocket of a site says when to ask, and ends with the site's identity."""

from __future__ import annotations

from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from fedcore.sites import routes
from fedcore.sites.tasks import TaskKind
from tests.factories import begin, make_member, make_project, make_run
from tests.webapp.site_agents import Agent, approved
from tests.webapp.websocket_client import watching
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.artifacts.services import StoredFile
from webapp.sites import services
from webapp.sites.models import RunSite, SiteTask
from webapp.sites.work_models import TaskState

#: How often the server looks what waits, where nothing tells it.
WATCH_S = 0.25


def _world() -> tuple[User, Agent, str]:
    project = make_project()
    admin = make_member(project, Role.ADMIN)
    agent = approved(admin, project)
    return admin, agent, agent.credential("GET", routes.SOCKET).to_header()


def _ask_something(admin: User, agent: Agent) -> None:
    run = make_run(admin, agent.row.project)
    lease = begin(run)
    RunSite.objects.create(
        run=run, site=agent.row, client_id=0, name="north", num_train=1, num_test=1
    )
    message = StoredFile(key="nowhere", name="m", size_bytes=1, sha256="0" * 64)
    errands = services.errands_of([0], message, 1)
    stage = services.Stage(TaskKind.TRAIN, (0,), errands, limit_s=60.0)
    services.open_stage(lease=lease, stage=stage, now=timezone.now())


@pytest.mark.django_db(transaction=True)
async def test_a_site_is_told_when_a_task_waits_and_when_it_is_revoked() -> None:
    admin, agent, header = await sync_to_async(_world)()
    opened = watching(uuid4(), path=routes.SOCKET, authorization=header, origin=None)
    async with opened as socket:
        assert (await socket.message())["type"] == "websocket.accept"
        assert (await socket.frame())["kind"] == "tasks"
        await sync_to_async(_ask_something)(admin, agent)
        assert (await socket.frame())["kind"] == "tasks"
        await sync_to_async(_take_on)(agent)
        assert await socket.is_silent(3 * WATCH_S), "what a site has taken on is no news to it"
        await sync_to_async(_revoke)(admin, agent)
        assert await socket.close_code() == 4403


@pytest.mark.django_db(transaction=True)
async def test_a_handshake_is_good_once_and_a_site_says_nothing() -> None:
    _, _, header = await sync_to_async(_world)()
    opened = watching(uuid4(), path=routes.SOCKET, authorization=header, origin=None)
    async with opened as socket:
        assert (await socket.message())["type"] == "websocket.accept"
        await socket.say(text="hello")
        assert await socket.close_code() == 1003
    again = watching(uuid4(), path=routes.SOCKET, authorization=header, origin=None)
    async with again as socket:
        assert await socket.close_code() == 4401


def _take_on(agent: Agent) -> None:
    SiteTask.objects.filter(site=agent.site_id).update(state=TaskState.ACCEPTED)


def _revoke(admin: User, agent: Agent) -> None:
    services.revoke_site(user=admin, site=agent.row, reason="")
