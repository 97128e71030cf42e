"""Files of a run: whole or absent, checked when read, and downloaded as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from fedcore.errors import CheckpointError
from tests.factories import begin, make_member, make_project, make_run
from tests.webapp.asgi_client import cookie_of, pieces_of
from webapp.artifacts.models import Artifact
from webapp.artifacts.services import StoredFile, restore_folder, store_checkpoint, store_model
from webapp.jobs import services
from webapp.jobs.models import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an engine saves: files, one of them in a folder."""
    folder = tmp_path / "state"
    (folder / "clients").mkdir(parents=True)
    (folder / "state.json").write_text("{}")
    (folder / "clients" / "0.bin").write_bytes(bytes(range(256)) * 100)
    return folder


def record(lease: services.Lease, stored: StoredFile, round_index: int) -> None:
    services.record_checkpoint(
        lease=lease,
        key=stored.key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        round_index=round_index,
    )


def files_in(settings: Settings) -> list[Path]:
    location = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    return sorted(path for path in location.rglob("*") if path.is_file())


def test_a_stored_folder_comes_back_the_same(run: Run, folder: Path, tmp_path: Path) -> None:
    stored = store_checkpoint(run_id=run.pk, folder=folder)
    into = tmp_path / "restored"
    into.mkdir()
    restore_folder(key=stored.key, sha256=stored.sha256, into=into)
    for path in folder.rglob("*"):
        copy = into / path.relative_to(folder)
        assert copy.is_dir() if path.is_dir() else copy.read_bytes() == path.read_bytes()


def test_a_damaged_file_is_not_restored(
    run: Run, folder: Path, tmp_path: Path, settings: Settings
) -> None:
    stored = store_checkpoint(run_id=run.pk, folder=folder)
    (path,) = files_in(settings)
    data = bytearray(path.read_bytes())
    data[700] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged"):
        restore_folder(key=stored.key, sha256=stored.sha256, into=tmp_path)


def test_a_missing_file_is_said_to_be_missing(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        restore_folder(key="runs/none", sha256="", into=tmp_path)


def test_a_write_that_breaks_off_leaves_nothing(db: None, settings: Settings) -> None:
    class Breaking(ContentFile):  # type: ignore[type-arg]  # not generic at run time
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"half"
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        default_storage.save("runs/x/file", Breaking(b""))
    assert files_in(settings) == []


def test_a_new_checkpoint_replaces_the_old_one_and_what_others_left(
    run: Run,
    folder: Path,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    lease = begin(run)
    record(lease, store_checkpoint(run_id=run.pk, folder=folder), 1)
    store_checkpoint(run_id=run.pk, folder=folder)  # by a worker that died before recording it
    newest = store_checkpoint(run_id=run.pk, folder=folder)
    with django_capture_on_commit_callbacks(execute=True):
        record(lease, newest, 2)
    (path,) = files_in(settings)
    assert path.name == Path(newest.key).name
    assert run.artifacts.get().round_index == 2
    assert run.events.filter(kind="checkpoint_saved").count() == 2


def test_recovery_says_how_much_the_checkpoint_holds(run: Run, folder: Path) -> None:
    lease = begin(run)
    record(lease, store_checkpoint(run_id=run.pk, folder=folder), 2)
    services.release_lease(lease=lease)
    checkpoint = services.acquire_lease(run_id=run.pk, holder="next")
    assert checkpoint is not None
    assert checkpoint.checkpoint is not None
    assert checkpoint.checkpoint.round_index == 2


# --- over REST ------------------------------------------------------------------------------------

MODEL = bytes(range(256)) * 4_000


def finish_with_model(run: Run, folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(MODEL)
    (folder / "model.json").write_text("{}")
    stored = [store_model(run_id=run.pk, path=p) for p in (path, folder / "model.json")]
    services.finish_run(lease=begin(run), metrics={}, totals={}, model_artifacts=stored)


def test_the_model_is_downloaded_as_it_was_stored(api: APIClient, run: Run, tmp_path: Path) -> None:
    finish_with_model(run, tmp_path)
    answer = api.get(f"/api/v1/runs/{run.pk}/model/")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == MODEL  # type: ignore[attr-defined]
    assert answer.headers["Content-Length"] == str(len(MODEL))
    assert answer.headers["ETag"] == f'"{hashlib.sha256(MODEL).hexdigest()}"'
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a-run-1.safetensors"'


@pytest.mark.django_db(transaction=True)
async def test_a_server_sends_the_model_block_by_block(tmp_path: Path) -> None:
    path, cookie = await sync_to_async(_finished_run)(tmp_path)
    blocks = await pieces_of(path, cookie)
    assert b"".join(blocks) == MODEL
    assert max(len(block) for block in blocks) < len(MODEL) / 4


def _finished_run(folder: Path) -> tuple[str, bytes]:
    project = make_project()
    user = make_member(project)
    run = make_run(user, project)
    finish_with_model(run, folder)
    return f"/api/v1/runs/{run.pk}/model/", cookie_of(user)


def test_before_the_end_there_is_no_model(api: APIClient, run: Run) -> None:
    answer = api.get(f"/api/v1/runs/{run.pk}/model/")
    assert (answer.status_code, answer.json()["code"]) == (409, "model_not_ready")


def test_files_are_listed_without_their_place(api: APIClient, run: Run, tmp_path: Path) -> None:
    finish_with_model(run, tmp_path)
    rows = api.get(f"/api/v1/runs/{run.pk}/artifacts/").json()["results"]
    assert {row["name"] for row in rows} == {"model.safetensors", "model.json"}
    assert set(rows[0]) == {
        "id",
        "kind",
        "name",
        "size_bytes",
        "sha256",
        "round_index",
        "created_at",
    }
    created = run.events.filter(kind="artifact_created")
    assert [event.data["kind"] for event in created] == ["model", "model"]
    assert Artifact.objects.filter(run=run, name="model.json").exists()
