"""Notices of ends: written with the end, sent later, signed, tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from tests.factories import make_run, make_sweep, train
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import Notice
from workers.notices import SIGNATURE, send_notice, signature

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
    now = timezone.now() + timedelta(seconds=after_s)
    return services.send_due_notices(send=send_notice, now=now)


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
