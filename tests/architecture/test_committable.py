"""The pre-commit hook keeps large files and private keys out, and lets everything else in."""

from pathlib import Path

from tests.committable import MAX_BYTES, problems


def test_a_private_key_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    key.write_text(f"-----BEGIN OPENSSH {'PRIVATE'} KEY-----\nabc\n")
    assert problems([key]) == [f"{key}: holds a private key"]


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "model.bin"
    large.write_bytes(b"0" * (MAX_BYTES + 1))
    assert len(problems([large])) == 1


def test_a_public_key_and_a_deleted_file_are_let_in(tmp_path: Path) -> None:
    public = tmp_path / "key.pub"
    public.write_text("-----BEGIN PUBLIC KEY-----\nabc\n")
    assert problems([public, tmp_path / "gone"]) == []
