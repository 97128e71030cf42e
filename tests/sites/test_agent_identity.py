"""A site's key stays on the site, readable by its owner alone, through rotations and crashes."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from fedcore.agent.identity import Identity, IdentityError, IdentityStore
from fedcore.agent.private_files import ExposedFileError
from fedcore.sites.signing import public_key_of

SITE = UUID(int=7)


@pytest.fixture
def store(tmp_path: Path) -> IdentityStore:
    store = IdentityStore(tmp_path / "state")
    key = store.make_key()
    store.save(
        Identity(
            server="https://roundhouse.example",
            site_id=SITE,
            name="north",
            project="heart",
            public_key=public_key_of(key),
        )
    )
    return store


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "state").rglob("*") if path.is_file()]


def test_only_the_owner_can_read_what_identifies_a_site(
    store: IdentityStore, tmp_path: Path
) -> None:
    store.begin_rotation()
    assert len(files(tmp_path)) == 3
    for path in files(tmp_path):
        assert path.stat().st_mode & 0o777 == 0o600, path
    for folder in (tmp_path / "state", tmp_path / "state" / "keys"):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


def test_the_key_comes_back_as_it_was(store: IdentityStore) -> None:
    identity = store.load()
    assert public_key_of(store.key(identity.public_key)) == identity.public_key


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660])
def test_a_key_that_others_can_read_is_not_used(
    store: IdentityStore, tmp_path: Path, mode: int
) -> None:
    (file,) = (tmp_path / "state" / "keys").iterdir()
    file.chmod(mode)
    with pytest.raises(ExposedFileError) as caught:
        store.key(store.load().public_key)
    assert caught.value.fix == f"Run: chmod 600 {file}"


def test_a_site_that_has_not_enrolled_is_told_how(tmp_path: Path) -> None:
    with pytest.raises(IdentityError) as caught:
        IdentityStore(tmp_path).load()
    assert "roundhouse site enrol" in (caught.value.fix or "")


def test_a_damaged_identity_or_key_is_named(store: IdentityStore, tmp_path: Path) -> None:
    identity = store.load()
    other = store.make_key()
    folder = tmp_path / "state" / "keys"
    (folder / f"{public_key_of(other)}.pem").replace(folder / f"{identity.public_key}.pem")
    with pytest.raises(IdentityError, match="holds another key"):
        store.key(identity.public_key)
    (folder / f"{identity.public_key}.pem").write_text("nothing")
    with pytest.raises(IdentityError, match="is damaged"):
        store.key(identity.public_key)
    (folder / f"{identity.public_key}.pem").unlink()
    with pytest.raises(IdentityError, match="is missing"):
        store.key(identity.public_key)
    (tmp_path / "state" / "identity.json").write_text("{")
    with pytest.raises(IdentityError, match="is damaged"):
        store.load()


def test_a_rotation_ends_with_one_key(store: IdentityStore, tmp_path: Path) -> None:
    old = store.load().public_key
    begun, key = store.begin_rotation()
    assert begun.public_key == old
    assert begun.next_key == public_key_of(key) != old
    ended = store.end_rotation(public_key=public_key_of(key))
    assert (ended.public_key, ended.next_key) == (public_key_of(key), None)
    assert store.load() == ended
    assert [file.stem for file in (tmp_path / "state" / "keys").iterdir()] == [ended.public_key]


def test_a_rotation_whose_answer_was_lost_goes_on_with_the_same_key(
    store: IdentityStore, tmp_path: Path
) -> None:
    begun, key = store.begin_rotation()
    again, same = IdentityStore(tmp_path / "state").begin_rotation()
    assert (again, public_key_of(same)) == (begun, public_key_of(key))


def test_a_rotation_that_the_server_never_heard_of_keeps_the_old_key(
    store: IdentityStore,
) -> None:
    old = store.load().public_key
    begun, _ = store.begin_rotation()
    assert store.end_rotation(public_key=old).public_key == old
    assert begun.next_key is not None
    with pytest.raises(IdentityError, match="is missing"):
        store.key(begun.next_key)
