"""A worker divides the data of a preview as a run of the same spec would."""

from __future__ import annotations

from typing import Any

import pytest

from fedcore.spec import RunSpec
from tests.factories import make_member, make_project
from webapp.jobs import services
from webapp.jobs.models import PartitionPreview
from workers.previews import preview_partition

pytestmark = pytest.mark.django_db


def asked(**sections: Any) -> PartitionPreview:
    project = make_project()
    return services.preview_partition(
        user=make_member(project), project=project, spec=RunSpec.model_validate(sections)
    )


def test_the_preview_holds_what_a_run_would_hold() -> None:
    preview = asked(partition={"kind": "dirichlet", "clients": 5, "alpha": 0.1})
    preview_partition(preview.key)
    preview.refresh_from_db()
    assert preview.state == "ready"
    assert preview.report is not None
    clients = preview.report["clients"]
    assert len(clients) == 5
    assert all(sum(row["class_counts"]) == row["num_train"] for row in clients)
    assert 0 < preview.report["total_variation"] <= 1


def test_data_that_cannot_be_read_say_why() -> None:
    preview = asked(dataset={"kind": "upload", "path": "none.csv"}, model={"kind": "linear"})
    preview_partition(preview.key)
    preview.refresh_from_db()
    assert preview.state == "failed"
    assert preview.problem


def test_a_preview_that_is_made_or_forgotten_is_left_alone() -> None:
    preview_partition("0" * 64)
    preview = asked()
    services.record_failed_preview(preview.key, "kept")
    preview_partition(preview.key)
    preview.refresh_from_db()
    assert preview.problem == "kept"
