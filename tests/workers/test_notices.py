"""Notices of ends: written with the end, sent later, signed, tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Event, Thread
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from tests.factories import make_run, make_sweep, train
from tests.waiting import wait_until
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import Notice
from workers.notices import SIGNATURE, send_notice, signature
from workers.post import Post

SECRET = "only for tests"  # noqa: S105


class Receiver(BaseHTTPRequestHandler):
    """Takes what is sent to it, and answers as it is told."""

    answers: list[int]
    taken: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.headers[SIGNATURE], body))
        self.send_response(self.answers.pop(0) if self.answers else 204)
        self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver(settings: Settings) -> Iterator[type[Receiver]]:
    class Fresh(Receiver):
        answers: list[int] = []
        taken: list[tuple[str, bytes]] = []

    with HTTPServer(("127.0.0.1", 0), Fresh) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings.WEBHOOK_URLS = [f"http://127.0.0.1:{server.server_port}/hook"]
        settings.WEBHOOK_SECRET = SECRET
        yield Fresh
        server.shutdown()


def send(after_s: float = 0) -> int:
    """Send all that is due to everybody; return how many notices were sent."""
    now = timezone.now() + timedelta(seconds=after_s)
    sent = 0
    for receiver in services.receivers_due(now=now):
        while services.send_next_notice(receiver=receiver, send=send_notice, now=now):
            sent += 1
    return sent


def test_a_webhook_is_told_of_an_end_once_and_can_check_who_says_so(
    editor: User, project: Project, receiver: type[Receiver]
) -> None:
    run = train(make_run(editor, project), 0.5, 0.6, 0.7)
    assert (send(), send(3600)) == (1, 0)
    ((signed, body),) = receiver.taken
    told = json.loads(body)
    assert (told["event"], told["run"], told["state"]) == ("run.ended", str(run.pk), "succeeded")
    assert told["metrics"] == {"accuracy": 0.7}
    at = int(signed.partition(",")[0].removeprefix("t="))
    assert signed == signature(SECRET, body, at)
    assert signed != signature("another", body, at)


@pytest.mark.parametrize("status", [500, 302])
def test_a_receiver_that_refuses_is_asked_again_later(
    editor: User, project: Project, receiver: type[Receiver], status: int
) -> None:
    receiver.answers.append(status)
    services.request_cancel(run=make_run(editor, project), user=editor)
    assert (send(), send(30), send(90)) == (0, 0, 1)
    assert len(receiver.taken) == 2


def test_a_receiver_that_never_answers_is_given_up(
    editor: User, project: Project, settings: Settings
) -> None:
    settings.WEBHOOK_URLS = ["http://127.0.0.1:9/closed"]
    services.request_cancel(run=make_run(editor, project), user=editor)
    for attempt in range(10):
        send(after_s=10**5 * attempt)
    notice = Notice.objects.get()
    assert (notice.attempts, notice.due_at, notice.sent_at) == (8, None, None)
    assert notice.error


def test_the_runs_of_a_sweep_are_told_of_as_one(
    editor: User, project: Project, receiver: type[Receiver]
) -> None:
    job = make_sweep(editor, project, seeds=2, parallel=2)
    for run in job.runs.all():
        services.request_cancel(run=run, user=editor)
    services.advance_sweep(job_id=job.pk, now=timezone.now())
    send()
    (body,) = [json.loads(body) for _, body in receiver.taken]
    assert (body["event"], body["job"], body["state"]) == ("sweep.ended", str(job.pk), "finished")


def test_whoever_launched_a_run_gets_a_mail(
    editor: User, project: Project, settings: Settings
) -> None:
    settings.EMAIL_HOST_IS_SET = True
    make_run(editor, project)
    services.request_cancel(run=make_run(editor, project, name="no address"), user=editor)
    assert not Notice.objects.exists()
    editor.email = "ada@example.org"
    editor.save()
    train(make_run(editor, project, name="two\nlines"), 0.5, 0.6, 0.7)
    assert send() == 1
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["ada@example.org"], "two lines: succeeded")
    assert "accuracy: 0.7" in message.body


def test_nothing_is_written_where_nobody_is_to_be_told(editor: User, project: Project) -> None:
    services.request_cancel(run=make_run(editor, project), user=editor)
    assert not Notice.objects.exists()


def test_a_receiver_that_does_not_answer_holds_up_nobody_else(
    editor: User, project: Project, settings: Settings
) -> None:
    settings.WEBHOOK_URLS = ["https://slow.example/hook", "https://quick.example/hook"]
    answered = Event()
    told: Queue[str] = Queue()

    def deliver(notice: Notice) -> None:
        if notice.target == "0":
            assert answered.wait(60)
        told.put(notice.target)

    for _ in range(3):
        services.request_cancel(run=make_run(editor, project), user=editor)
    post = Post(deliver, interval_s=0.02)
    post.start()
    try:
        assert [told.get(timeout=30) for _ in range(3)] == ["1"] * 3
        assert Notice.objects.filter(target="0", sent_at=None).count() == 3
        answered.set()
        assert [told.get(timeout=30) for _ in range(3)] == ["0"] * 3
        wait_until(
            lambda: not Notice.objects.filter(sent_at=None).exists(), within_s=30, what="all sent"
        )
    finally:
        answered.set()
        post.stop()
