"""Many viewers of one run: what is read is read once, and each sees what is for them."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from pytest_django import Settings

from tests.factories import begin, make_member, make_project, make_run, report
from tests.webapp.websocket_client import Viewer, accepted, watching
from webapp.accounts.models import Membership, User
from webapp.accounts.roles import Role
from webapp.jobs import looks, services
from webapp.jobs.live import watcher
from webapp.jobs.models import Favourite, Run

pytestmark = pytest.mark.django_db(transaction=True)


class Audience:
    """A run, and one user of each role who watches it."""

    def __init__(self) -> None:
        self.project = make_project()
        self.users = [make_member(self.project, role) for role in Role]
        self.run = make_run(make_member(self.project, Role.EDITOR), self.project)
        self.lease = begin(self.run)

    def cookie(self, user: User) -> str:
        browser = Client()
        browser.force_login(user)
        return browser.cookies["roundhouse_session"].value


@pytest.fixture
def audience(transactional_db: None) -> Audience:
    return Audience()


async def _enter(stack: AsyncExitStack, audience: Audience, query: str = "") -> list[Viewer]:
    cookies = [await sync_to_async(audience.cookie)(user) for user in audience.users]
    viewers = [
        await stack.enter_async_context(watching(audience.run.pk, cookie=cookie, query=query))
        for cookie in cookies
    ]
    for viewer in viewers:
        await accepted(viewer)
        assert (await viewer.frame())["type"] == "snapshot"
    return viewers


def _record(audience: Audience, *indices: int) -> None:
    for index in indices:
        services.record_round(lease=audience.lease, report=report(index))


async def test_all_get_the_same_events_and_each_the_actions_of_their_role(
    audience: Audience,
) -> None:
    await Favourite.objects.acreate(run=audience.run, user=audience.users[0])
    async with AsyncExitStack() as stack:
        viewers = await _enter(stack, audience)
        await sync_to_async(_record)(audience, 0, 1)
        for viewer in viewers:
            await viewer.until_event(5)
    assert [viewer.seqs for viewer in viewers] == [[1, 2, 3, 4, 5]] * len(viewers)
    shown = dict(zip(Role, [viewer.frames[0]["run"] for viewer in viewers], strict=True))
    assert "cancel" in shown[Role.EDITOR]["allowed_actions"]
    assert "cancel" not in shown[Role.VIEWER]["allowed_actions"]
    starred = [viewer.frames[0]["run"]["is_favourite"] for viewer in viewers]
    assert starred == [True] + [False] * (len(viewers) - 1)


async def test_who_is_removed_leaves_and_the_others_stay(audience: Audience) -> None:
    async with AsyncExitStack() as stack:
        gone, *others = await _enter(stack, audience)
        await Membership.objects.filter(user=audience.users[0]).adelete()
        await sync_to_async(_record)(audience, 0)
        assert await gone.close_code() == 4403
        for viewer in others:
            await viewer.until_event(4)
    assert 4 not in gone.seqs


async def test_events_are_read_once_for_all_who_are_at_the_same_place(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, int]] = []
    page = looks.page

    def counted(run_id: object, after: int, last_seq: int) -> looks.Page:
        read.append((after, last_seq))
        return page(run_id, after, last_seq)  # type: ignore[arg-type]

    monkeypatch.setattr(looks, "page", counted)
    async with AsyncExitStack() as stack:
        viewers = await _enter(stack, audience)
        for viewer in viewers:
            await viewer.until_event(3)
        await sync_to_async(_record)(audience, 0)
        for viewer in viewers:
            await viewer.until_event(4)
    assert sorted(read) == sorted(set(read))
    assert len(viewers) == len(Role) > len(read) - 1


async def test_the_last_who_leaves_ends_the_feed(audience: Audience) -> None:
    async with AsyncExitStack() as stack:
        await _enter(stack, audience)
        with watcher().feed_of(audience.run.pk) as feed:
            assert feed.is_watched
    with watcher().feed_of(audience.run.pk) as another:
        assert another is not feed


async def test_who_comes_back_gets_nothing_twice_from_a_look_that_is_old(
    audience: Audience, settings: Settings
) -> None:
    """Another process may have shown it more than this one has looked at yet."""
    settings.WATCH_INTERVAL_S = 3600
    settings.CHANNEL_LAYERS = {}
    async with AsyncExitStack() as stack:
        viewers = await _enter(stack, audience)
        for viewer in viewers:
            await viewer.until_event(3)
        await sync_to_async(_record)(audience, 0, 1)
        cookie = await sync_to_async(audience.cookie)(audience.users[0])
        back = await stack.enter_async_context(
            watching(audience.run.pk, cookie=cookie, query="after=5")
        )
        await accepted(back)
        assert (await back.frame())["after"] == 5
        await sync_to_async(_record)(audience, 2)
        with watcher().feed_of(audience.run.pk) as feed:
            feed.wake()
        await back.until_event(6)
    assert back.seqs == [6]


async def test_signing_out_ends_the_connection_though_there_is_always_news(
    audience: Audience, settings: Settings
) -> None:
    settings.WEBSOCKET_PING_S = 0.05
    run: Run = audience.run
    browser = Client()
    await sync_to_async(browser.force_login)(audience.users[0])
    cookie = browser.cookies["roundhouse_session"].value
    async with watching(run.pk, cookie=cookie) as viewer:
        await accepted(viewer)
        await viewer.until_event(3)
        await sync_to_async(browser.logout)()
        await sync_to_async(_record)(audience, *range(3))
        assert await viewer.close_code() == 4401
