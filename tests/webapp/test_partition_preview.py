"""The preview of a partition: asked for in the browser, made by a worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from fedcore.spec import RunSpec
from tests.messages import catch_messages
from tests.webapp.conftest import signed_in
from webapp.accounts.models import Project, User
from webapp.jobs import services
from webapp.jobs.models import PartitionPreview

URL = "/api/v1/spec/partition/"


def ask(api: APIClient, **spec: Any) -> Any:
    return api.post(URL, {"spec": spec}, format="json")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """The hints that workers would get."""
    hints: list[tuple[str, list[str]]] = []
    catch_messages(monkeypatch, lambda name, args, **_: hints.append((name, args)))
    return hints


REPORT: dict[str, Any] = {
    "num_classes": 2,
    "class_names": ["cat", "dog"],
    "unused_train": 0,
    "total_variation": 0.5,
    "jensen_shannon": 1.0,
    "size_gini": 0.0,
    "clients": [
        {"client_id": k, "name": None, "num_train": 3, "num_test": 1, "class_counts": (3, 0)}
        for k in range(300)
    ],
}


def test_a_preview_is_pending_until_a_worker_has_made_it(
    api: APIClient, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert ask(api, partition={"kind": "iid", "clients": 3}).json()["state"] == "pending"
        # Everything else in a spec changes nothing about who holds what.
        ask(api, partition={"kind": "iid", "clients": 3}, rounds=7, local={"lr": 0.3})
    ((task, (key,)),) = sent
    assert task == "previews.partition"
    services.record_preview(key, REPORT)
    answer = ask(api, partition={"kind": "iid", "clients": 3}).json()
    assert answer["state"] == "ready"
    assert answer["report"]["num_clients"] == 300
    assert len(answer["report"]["clients"]) == 200


def test_another_seed_is_another_preview(api: APIClient, sent: list[Any]) -> None:
    ask(api, seed=1)
    ask(api, seed=2)
    assert PartitionPreview.objects.count() == 2


def test_a_lost_hint_is_sent_again_and_a_failure_is_tried_again(
    editor: User, project: Project, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    now = timezone.now()

    def ask_after(seconds: float) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            later = now + timedelta(seconds=seconds)
            preview = services.preview_partition(
                user=editor, project=project, spec=RunSpec(), now=later
            )
        return preview.state

    assert [ask_after(s) for s in (0, 1, 16)] == ["pending"] * 3
    assert len(sent) == 2
    services.record_failed_preview(sent[0][1][0], "No such data.")
    assert ask_after(17) == "failed"
    assert ask_after(60) == "pending"
    assert len(sent) == 3


def test_a_failure_says_why(api: APIClient, sent: list[Any]) -> None:
    ask(api)
    services.record_failed_preview(PartitionPreview.objects.get().pk, "Give fewer clients.")
    answer = ask(api).json()
    assert (answer["state"], answer["problem"]) == ("failed", "Give fewer clients.")


def test_a_wrong_spec_is_refused_by_path(api: APIClient) -> None:
    answer = ask(api, partition={"kind": "iid", "clients": 0})
    assert answer.status_code == 400
    assert any("partition.clients" in path for path in answer.json()["fields"])


def test_who_may_not_launch_runs_does_not_occupy_workers(viewer: User, sent: list[Any]) -> None:
    assert ask(signed_in(viewer)).status_code == 403
    assert ask(APIClient()).status_code == 401
    assert not PartitionPreview.objects.exists()
