"""Artifacts in an S3 bucket, on a server that speaks S3: whole or absent, found again, removed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone
from pydantic import SecretStr
from pytest_django import Settings

from fedcore.errors import CheckpointError, StorageError
from tests.factories import begin, make_run
from tests.waiting import wait_until
from tests.workers.test_shared_rounds import TINY, Broker, assert_as_local
from webapp.accounts.models import Project, User
from webapp.artifacts import services as artifacts
from webapp.artifacts.object_storage import StorageRefusedError
from webapp.jobs import services
from webapp.jobs.models import Run
from webapp.settings.artifacts import artifact_storage
from webapp.settings.env import Environment
from workers.diagnosis import Health, examine
from workers.engines import EngineCache
from workers.stack import free_port

IN_THE_BUCKET = pytest.mark.usefixtures("store")
KEY, SECRET = "a-key", "a-secret"
PARTS_AT = 8 * 1024 * 1024  # from this size on, a file is put in parts


class Store:
    """A server of its own that speaks S3, with one bucket."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.bucket = f"bucket-{uuid4().hex[:8]}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> Environment:
        return Environment(
            s3_bucket=self.bucket,
            s3_prefix="roundhouse",
            s3_endpoint=f"http://127.0.0.1:{self.port}",
            s3_region="us-east-1",
            s3_access_key_id=KEY,
            s3_secret_access_key=SecretStr(SECRET),
        )

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._make_bucket, within_s=60, every_s=0.1, what="a server that speaks S3")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def _make_bucket(self) -> bool:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        try:
            client.create_bucket(Bucket=self.bucket)
        except (BotoCoreError, ClientError):
            return False
        return True


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    store = Store(free_port("127.0.0.1", 0))
    store.start()
    yield store
    store.stop()


@pytest.fixture
def store(server: Store, settings: Settings, files: Path) -> Store:  # noqa: ARG001
    """The bucket as this installation's storage; the folder stays empty."""
    settings.STORAGES = {**settings.STORAGES, "default": artifact_storage(server.environment)}
    return server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    (made / "nested").mkdir(parents=True)
    (made / "state.json").write_text("{}")
    (made / "nested" / "big").write_bytes(bytes(range(256)) * (PARTS_AT // 256 + 1))
    return made


@IN_THE_BUCKET
def test_a_checkpoint_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    stored = artifacts.store_checkpoint(run_id=uuid4(), folder=folder)
    assert stored.size_bytes > PARTS_AT
    target = tmp_path / "restored"
    artifacts.restore_folder(key=stored.key, sha256=stored.sha256, into=target)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert (target / path.relative_to(folder)).read_bytes() == path.read_bytes()


@IN_THE_BUCKET
def test_a_checkpoint_that_is_damaged_or_gone_is_refused(folder: Path, tmp_path: Path) -> None:
    stored = artifacts.store_checkpoint(run_id=uuid4(), folder=folder)
    with pytest.raises(CheckpointError, match="damaged"):
        artifacts.restore_folder(key=stored.key, sha256="0" * 64, into=tmp_path / "a")
    artifacts.discard_file(key=stored.key)
    with pytest.raises(CheckpointError, match="missing"):
        artifacts.restore_folder(key=stored.key, sha256=stored.sha256, into=tmp_path / "b")
    artifacts.discard_file(key=stored.key)  # once more is no error


class Breaking(File):  # type: ignore[type-arg]  # only a stub knows the argument
    """A file whose disk fails after so many bytes."""

    def __init__(self, file: IO[bytes], readable: int) -> None:
        super().__init__(file, name="broken")
        self._whole, self._left = file, readable

    def read(self, num_bytes: int = -1) -> bytes:
        if self._left <= 0:
            raise OSError("the disk failed")
        block: bytes = self._whole.read(num_bytes)
        self._left -= len(block)
        return block


@IN_THE_BUCKET
@pytest.mark.parametrize("readable", [1, PARTS_AT])
def test_a_file_that_breaks_off_is_not_there(folder: Path, readable: int) -> None:
    key = f"runs/broken/{readable}"
    with (folder / "nested/big").open("rb") as file, pytest.raises(OSError, match="disk failed"):
        default_storage.save(key, Breaking(file, readable))
    assert not default_storage.exists(key)


@IN_THE_BUCKET
def test_parts_are_read_listed_and_removed() -> None:
    run_id = uuid4()
    artifacts.discard_parts(run_id=run_id)  # there are none yet
    one, two = (
        artifacts.store_part(run_id=run_id, name=f"{n}.safetensors", payload=b"x" * n)
        for n in (1, 2)
    )
    assert artifacts.read_part(key=two.key, sha256=two.sha256) == b"xx"
    assert artifacts.read_part(key=two.key, sha256=one.sha256) is None, "damaged"
    artifacts.discard_parts(run_id=run_id)
    assert artifacts.read_part(key=one.key, sha256=one.sha256) is None, "gone"


@IN_THE_BUCKET
def test_rounds_that_are_shared_out_come_to_the_bits_of_a_local_run(
    monkeypatch: pytest.MonkeyPatch, editor: User, project: Project, files: Path
) -> None:
    broker = Broker(monkeypatch)
    run = make_run(editor, project, **TINY)
    broker.deliver_all(EngineCache(), EngineCache())
    assert_as_local(run)
    assert default_storage.listdir(f"runs/{run.pk}/parts") == ([], [])
    assert len(default_storage.listdir(f"runs/{run.pk}/checkpoint")[1]) == 1
    assert not files.exists(), "nothing is kept on the disk"


@IN_THE_BUCKET
def test_old_checkpoints_are_removed_from_the_bucket(
    settings: Settings, editor: User, project: Project, folder: Path
) -> None:
    settings.KEEP_CHECKPOINTS_DAYS = 1
    run = make_run(editor, project)
    kept = _checkpoint(run, folder)
    assert default_storage.exists(kept)
    assert services.discard_old(now=timezone.now() + timedelta(days=2)).checkpoints == 1
    assert not default_storage.exists(kept)


def _checkpoint(run: Run, folder: Path) -> str:
    lease = begin(run)
    stored = artifacts.store_checkpoint(run_id=run.pk, folder=folder)
    services.record_checkpoint(
        lease=lease,
        key=stored.key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        round_index=1,
    )
    services.cancel_run(lease=lease)
    return stored.key


@pytest.mark.django_db
def test_a_store_that_is_away_is_tried_again_and_one_that_refuses_is_not(
    server: Store, settings: Settings
) -> None:
    away = server.environment.model_copy(
        update={"s3_endpoint": f"http://127.0.0.1:{free_port('127.0.0.1', 0)}"}
    )
    nowhere = server.environment.model_copy(update={"s3_bucket": "no-such-bucket"})
    for environment, error in ((away, StorageError), (nowhere, StorageRefusedError)):
        settings.STORAGES = {**settings.STORAGES, "default": artifact_storage(environment)}
        with pytest.raises(error):
            artifacts.store_part(run_id=uuid4(), name="part", payload=b"x")
        found = {finding.name: finding for finding in examine(environment)}
        assert found["storage"].health is Health.FAILED
        assert "ROUNDHOUSE_S3" in str(found["storage"].fix)


@pytest.mark.django_db
def test_the_doctor_finds_a_bucket_healthy(store: Store) -> None:
    found = {finding.name: finding for finding in examine(store.environment)}
    assert found["storage"].health is Health.OK
    assert store.bucket in found["storage"].detail
