"""The websocket of a run: snapshot, replay and live follow; who may look, and for how long."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.factories import begin, make_member, make_project, make_run, report
from tests.webapp.conftest import signed_in
from tests.webapp.websocket_client import HOST, WITHIN_S, Viewer, accepted, watching
from webapp.accounts.models import ApiToken, Membership
from webapp.accounts.roles import Role
from webapp.accounts.services import create_token
from webapp.asgi import application
from webapp.jobs import services
from webapp.jobs.events import Event, LogData
from webapp.jobs.frames import Frame
from webapp.jobs.hints import RUNS
from webapp.jobs.live import watcher
from webapp.jobs.looks import MAX_EVENTS_PER_FRAME
from webapp.jobs.models import Run
from webapp.jobs.services.run_changes import change, lock_run

pytestmark = pytest.mark.django_db(transaction=True)

begin_async = sync_to_async(begin)
record = sync_to_async(services.record_round)
finish = sync_to_async(services.finish_run)


class Stage:
    """A user with a session and a run."""

    def __init__(self) -> None:
        self.project = make_project()
        self.user = make_member(self.project, Role.EDITOR)
        self.run = make_run(self.user, self.project)
        self.browser = Client()
        self.browser.force_login(self.user)
        self.cookie = self.browser.cookies["roundhouse_session"].value


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return Stage()


async def caught_up(viewer: Viewer, seq: int) -> None:
    """Read the snapshot and all events up to a number."""
    await accepted(viewer)
    snapshot = await viewer.frame()
    assert snapshot["type"] == "snapshot"
    await viewer.until_event(seq)


async def test_the_first_frame_is_a_snapshot_and_all_events_follow(stage: Stage) -> None:
    lease = await begin_async(stage.run)
    await record(lease=lease, report=report(0))
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 4)
    snapshot = viewer.frames[0]
    assert (snapshot["after"], snapshot["run"]["last_seq"]) == (0, 4)
    assert snapshot["run"]["id"] == str(stage.run.pk)
    assert viewer.seqs == [1, 2, 3, 4]


async def test_replay_starts_after_the_number_asked_for(stage: Stage) -> None:
    lease = await begin_async(stage.run)
    await record(lease=lease, report=report(0))
    async with watching(stage.run.pk, cookie=stage.cookie, query="after=3") as viewer:
        await caught_up(viewer, 4)
    assert viewer.frames[0]["after"] == 3
    assert viewer.seqs == [4]


async def test_a_number_from_the_future_means_from_now_on(stage: Stage) -> None:
    async with watching(stage.run.pk, cookie=stage.cookie, query="after=99") as viewer:
        await accepted(viewer)
        assert (await viewer.frame())["after"] == 1
        await begin_async(stage.run)
        await viewer.until_event(3)
    assert viewer.seqs == [2, 3]


async def test_what_happens_later_arrives_without_asking(stage: Stage) -> None:
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 1)
        lease = await begin_async(stage.run)
        for index in range(3):
            await record(lease=lease, report=report(index))
        await finish(lease=lease, metrics={"accuracy": 0.9}, totals={}, model_artifacts=[])
        shown = await viewer.until_state("succeeded")
    assert viewer.seqs == [1, 2, 3, 4, 5, 6, 7], "none missing, none twice, in order"
    assert shown["run"]["rounds_done"] == 3
    assert shown["run"]["latest_metrics"]["accuracy"] == 0.9


async def test_a_viewer_who_comes_back_misses_nothing(stage: Stage) -> None:
    lease = await begin_async(stage.run)
    async with watching(stage.run.pk, cookie=stage.cookie) as before:
        await caught_up(before, 3)
    await record(lease=lease, report=report(0))
    await record(lease=lease, report=report(1))
    missed = f"after={before.seqs[-1]}"
    async with watching(stage.run.pk, cookie=stage.cookie, query=missed) as after:
        await caught_up(after, 5)
    assert before.seqs + after.seqs == [1, 2, 3, 4, 5]


async def test_frames_have_the_types_of_the_api_schema(stage: Stage) -> None:
    lease = await begin_async(stage.run)
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 3)
        await record(lease=lease, report=report(0))
        await viewer.until_event(4)
        await viewer.frame()
    for frame in viewer.frames:
        Frame.model_validate(frame)
    assert [frame["type"] for frame in viewer.frames][-2:] == ["events", "run"]


async def test_snapshot_and_events_equal_a_snapshot_fetched_afterwards(stage: Stage) -> None:
    lease = await begin_async(stage.run)
    await record(lease=lease, report=report(0))
    async with watching(stage.run.pk, cookie=stage.cookie, query="after=4") as viewer:
        await accepted(viewer)
        model = RunModel((await viewer.frame())["run"])
        await record(lease=lease, report=report(1))
        await record(lease=lease, report=report(2, metrics={"train_loss": 0.1}))
        await finish(lease=lease, metrics={}, totals={}, model_artifacts=[])
        await viewer.until_event(7)
    for event in viewer.events:
        model.apply(event)
    fetched = await sync_to_async(signed_in(stage.user).get)(f"/api/v1/runs/{stage.run.pk}/")
    assert model.state == {name: fetched.json()[name] for name in model.state}


class RunModel:
    """What a viewer knows of a run from a snapshot and the events after it."""

    FROM_EVENTS = ("state", "rounds_done", "latest_metrics", "totals", "last_seq")

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.state = {name: snapshot[name] for name in self.FROM_EVENTS}

    def apply(self, event: dict[str, Any]) -> None:
        Event.model_validate(event)
        assert event["seq"] == self.state["last_seq"] + 1
        self.state["last_seq"] = event["seq"]
        data = event["data"]
        if event["kind"] == "state_changed":
            assert data["from"] == self.state["state"]
            self.state["state"] = data["to"]
        elif event["kind"] == "round_finished":
            self.state["rounds_done"] = data["round"] + 1
            self.state["latest_metrics"] |= data["metrics"]
            for name, total in self.state["totals"].items():
                self.state["totals"][name] = total + data[name]


async def test_a_slow_reader_gets_fuller_frames_and_no_longer_queue(
    stage: Stage, settings: Settings
) -> None:
    """While a frame is not taken, none is made; what has happened meanwhile comes as one."""
    settings.WEBSOCKET_PING_S = 60
    lease = await begin_async(stage.run)
    taken, blocked = asyncio.Event(), asyncio.Event()
    sent: list[dict[str, Any]] = []

    async def send_slowly(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            blocked.set()
            await taken.wait()
        sent.append(message)

    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await inbox.put({"type": "websocket.connect"})
    scope = {
        "type": "websocket",
        "path": f"/ws/runs/{stage.run.pk}/",
        "query_string": b"after=3",
        "headers": [
            (b"host", HOST.encode()),
            (b"cookie", f"roundhouse_session={stage.cookie}".encode()),
        ],
    }
    serve: Any = application
    serving = asyncio.create_task(serve(scope, inbox.get, send_slowly))
    await asyncio.wait_for(blocked.wait(), WITHIN_S)
    for index in range(3):
        await record(lease=lease, report=report(index))
    assert len(sent) == 1, "only the accept has gone out"
    with watcher().feed_of(stage.run.pk) as feed:
        async with asyncio.timeout(WITHIN_S):
            while feed.latest is None or feed.latest.last_seq < 6:
                feed.wake()
                await asyncio.sleep(0)
    taken.set()
    async with asyncio.timeout(WITHIN_S):
        while len(sent) < 4:
            await asyncio.sleep(0)
    await inbox.put({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(serving, WITHIN_S)
    frames = [Frame.model_validate_json(message["text"]).root for message in sent[1:4]]
    assert [frame.type for frame in frames] == ["snapshot", "events", "run"]
    assert [event.root.seq for event in frames[1].events] == [4, 5, 6]  # type: ignore[union-attr]


async def test_a_long_history_comes_in_limited_frames(stage: Stage) -> None:
    number = MAX_EVENTS_PER_FRAME + 50
    await sync_to_async(_add_log_events)(stage.run, number)
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, number)
    batches = [len(frame["events"]) for frame in viewer.frames if frame["type"] == "events"]
    assert batches == [MAX_EVENTS_PER_FRAME, 50]
    assert viewer.seqs == list(range(1, number + 1))


def _add_log_events(run: Run, until: int) -> None:
    with transaction.atomic():
        locked = lock_run(run.pk)
        missing = range(locked.last_seq + 1, until + 1)
        logs = [LogData(level="info", message=f"message {number}") for number in missing]
        change(locked, *logs, now=timezone.now())


async def test_without_its_channel_layer_news_arrive_all_the_same(
    stage: Stage, settings: Settings
) -> None:
    config = {"hosts": ["redis://127.0.0.1:1/0"]}
    away = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": config}
    settings.CHANNEL_LAYERS = {"default": away}
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 1)
        await begin_async(stage.run)
        await viewer.until_event(3)


async def test_a_hint_brings_news_at_once(stage: Stage, settings: Settings) -> None:
    """With a channel layer nobody waits for the next look, which is an hour away here."""
    settings.WATCH_INTERVAL_S = 3600
    if not settings.CHANNEL_LAYERS:
        settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 1)
        layer = get_channel_layer()
        assert layer is not None
        await begin_async(stage.run)
        await layer.group_send(
            RUNS.group, {"type": RUNS.message_type, "run_ids": [str(stage.run.pk)]}
        )
        await viewer.until_event(3)


# --- who may look ---------------------------------------------------------------------------------


async def test_nobody_may_look_without_signing_in(stage: Stage) -> None:
    async with watching(stage.run.pk) as viewer:
        assert await viewer.close_code() == 4401


async def test_a_wrong_session_is_no_session(stage: Stage) -> None:
    async with watching(stage.run.pk, cookie="x" * 32) as viewer:
        assert await viewer.close_code() == 4401


async def test_to_a_stranger_the_run_does_not_exist(stage: Stage) -> None:
    token = await sync_to_async(_token_of_a_stranger)()
    async with watching(stage.run.pk, token=token) as viewer:
        assert await viewer.close_code() == 4404


def _token_of_a_stranger() -> str:
    stranger = make_member(make_project(), Role.ADMIN)
    return create_token(user=stranger, name="t", lifetime=timedelta(days=1))[1]


async def test_an_unknown_run_is_closed_with_its_own_code(stage: Stage) -> None:
    async with watching(uuid4(), cookie=stage.cookie) as viewer:
        assert await viewer.close_code() == 4404


async def test_an_unknown_address_is_closed(stage: Stage) -> None:
    async with watching("", path="/ws/nothing/", cookie=stage.cookie) as viewer:
        assert await viewer.close_code() == 4404


async def test_a_program_looks_with_its_token(stage: Stage) -> None:
    make = sync_to_async(create_token)
    _, token = await make(user=stage.user, name="t", lifetime=timedelta(days=1))
    async with watching(stage.run.pk, token=token, origin=None) as viewer:
        await caught_up(viewer, 1)


async def test_a_token_in_the_address_opens_nothing(stage: Stage) -> None:
    make = sync_to_async(create_token)
    _, token = await make(user=stage.user, name="t", lifetime=timedelta(days=1))
    async with watching(stage.run.pk, query=f"token={token}") as viewer:
        assert await viewer.close_code() == 4401


async def test_another_sites_page_cannot_use_the_cookie(stage: Stage) -> None:
    async with watching(stage.run.pk, cookie=stage.cookie, origin="https://evil.example") as viewer:
        assert (await viewer.message())["type"] == "websocket.close"


async def test_a_member_who_is_removed_is_shown_out_before_the_next_event(stage: Stage) -> None:
    lease = await begin_async(stage.run)
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 3)
        await Membership.objects.filter(user=stage.user).adelete()
        await record(lease=lease, report=report(0))
        assert await viewer.close_code() == 4403
    assert max(viewer.seqs) == 3


async def test_a_member_who_is_removed_is_shown_out_though_nothing_happens(
    stage: Stage, settings: Settings
) -> None:
    settings.WEBSOCKET_PING_S = 0.05
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 1)
        await Membership.objects.filter(user=stage.user).adelete()
        assert await viewer.close_code() == 4403


async def test_signing_out_ends_the_connection(stage: Stage, settings: Settings) -> None:
    settings.WEBSOCKET_PING_S = 0.05
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 1)
        await sync_to_async(stage.browser.logout)()
        assert await viewer.close_code() == 4401


async def test_revoking_the_token_ends_the_connection(stage: Stage, settings: Settings) -> None:
    settings.WEBSOCKET_PING_S = 0.05
    make = sync_to_async(create_token)
    _, token = await make(user=stage.user, name="t", lifetime=timedelta(days=1))
    async with watching(stage.run.pk, token=token) as viewer:
        await caught_up(viewer, 1)
        await ApiToken.objects.all().adelete()
        assert await viewer.close_code() == 4401


async def test_a_quiet_connection_gives_signs_of_life(stage: Stage, settings: Settings) -> None:
    settings.WEBSOCKET_PING_S = 0.02
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 1)
        while (await viewer.frame())["type"] != "ping":
            pass


async def test_a_waiting_runs_place_in_the_queue_is_kept_up_to_date(
    stage: Stage, settings: Settings
) -> None:
    settings.WEBSOCKET_PING_S = 0.05
    second = await sync_to_async(make_run)(stage.user, stage.project)
    async with watching(second.pk, cookie=stage.cookie) as viewer:
        await accepted(viewer)
        assert (await viewer.frame())["run"]["queue"]["position"] == 2
        await begin_async(stage.run, now=timezone.now())
        while True:
            frame = await viewer.frame()
            if frame["type"] == "run" and frame["run"]["queue"]["position"] == 1:
                break


@pytest.mark.parametrize("said", [{"text": "{}"}, {"text": "["}, {"bytes": b"\x00\xff"}])
async def test_a_viewer_that_says_something_is_shown_out(stage: Stage, said: Any) -> None:
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 1)
        await viewer.say(**said)
        assert await viewer.close_code() == 1003


async def test_a_user_holds_a_limited_number_of_connections(
    stage: Stage, settings: Settings
) -> None:
    settings.SOCKETS_PER_USER = 2
    async with AsyncExitStack() as opened:
        for _ in range(2):
            viewer = await opened.enter_async_context(watching(stage.run.pk, cookie=stage.cookie))
            await caught_up(viewer, 1)
        async with watching(stage.run.pk, cookie=stage.cookie) as one_more:
            assert await one_more.close_code() == 4429
    async with watching(stage.run.pk, cookie=stage.cookie) as viewer:
        await caught_up(viewer, 1)
