"""Who a site is: its key, made here and never sent, and what the server calls it.

Two files of the state folder: ``identity.json``, which names the server, the site and its public
key; and ``keys/<public key>.pem``, one for each key. A rotation makes the new key's file first and
changes ``identity.json`` last, so that a power cut at any moment leaves a key that the server
knows: the one that is named, or the one that is announced as its successor.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import BaseModel, ConfigDict, ValidationError

from fedcore.agent.private_files import read_private, write_private
from fedcore.errors import PermanentError
from fedcore.sites.base import Hex32
from fedcore.sites.signing import public_key_of

_FILE = "identity.json"
_KEYS = "keys"


class IdentityError(PermanentError):
    """There is no identity, or it is damaged."""

    code = "no_identity"


class Identity(BaseModel):
    """What ``identity.json`` holds.

    Attributes:
        server: Address that the site enrolled at.
        site_id: What the server calls the site.
        name: Its name, from the invitation.
        project: Project that invited it.
        public_key: The key that requests are signed with.
        next_key: A key that the server may know already; see ``begin_rotation``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str
    site_id: UUID
    name: str
    project: str
    public_key: Hex32
    next_key: Hex32 | None = None


class IdentityStore:
    """The identity in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self) -> bool:
        """Return whether the site has enrolled."""
        return (self._folder / _FILE).exists()

    def load(self) -> Identity:
        """Return the identity.

        Raises:
            IdentityError: If there is none, or it cannot be read.
            ExposedFileError: If others can read it.
        """
        content = read_private(self._folder / _FILE)
        if content is None:
            raise IdentityError(
                "this site has not enrolled",
                fix="Run `roundhouse site enrol CODE --server URL` with the code of an invitation.",
            )
        try:
            return Identity.model_validate_json(content)
        except ValidationError as error:
            raise IdentityError(
                f"{self._folder / _FILE} is damaged",
                fix="Restore it from a copy, or ask for a new invitation and enrol again.",
            ) from error

    def save(self, identity: Identity) -> None:
        """Replace the identity."""
        write_private(self._folder / _FILE, identity.model_dump_json(indent=2).encode())

    def make_key(self) -> Ed25519PrivateKey:
        """Return a new key, which is on the disk before it is used."""
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(self._key_file(public_key_of(key)), pem)
        return key

    def key(self, public_key: str) -> Ed25519PrivateKey:
        """Return the key of this public half.

        Raises:
            IdentityError: If it is not there, or damaged.
            ExposedFileError: If others can read it.
        """
        file = self._key_file(public_key)
        pem = read_private(file)
        fix = "Restore it from a copy, or ask for a new invitation and enrol again."
        if pem is None:
            raise IdentityError(f"the key file {file} is missing", fix=fix)
        try:
            key = load_pem_private_key(pem, password=None)
        except ValueError as error:
            raise IdentityError(f"the key file {file} is damaged", fix=fix) from error
        if not isinstance(key, Ed25519PrivateKey) or public_key_of(key) != public_key:
            raise IdentityError(f"the key file {file} holds another key", fix=fix)
        return key

    def begin_rotation(self) -> tuple[Identity, Ed25519PrivateKey]:
        """Return the identity with a successor of its key, and that key; both are on the disk.

        A rotation that was begun and not ended goes on with the key that it made.
        """
        identity = self.load()
        if identity.next_key is not None:
            return identity, self.key(identity.next_key)
        key = self.make_key()
        begun = identity.model_copy(update={"next_key": public_key_of(key)})
        self.save(begun)
        return begun, key

    def end_rotation(self, *, public_key: str) -> Identity:
        """Keep the key of this public half, which the server has let in, and delete the other."""
        identity = self.load()
        other = {identity.public_key, identity.next_key} - {public_key, None}
        kept = identity.model_copy(update={"public_key": public_key, "next_key": None})
        self.save(kept)
        for old in other:
            self._key_file(str(old)).unlink(missing_ok=True)
        return kept

    def forget_key(self, public_key: str) -> None:
        """Delete a key that nobody knows: an enrolment that was refused."""
        self._key_file(public_key).unlink(missing_ok=True)

    def _key_file(self, public_key: str) -> Path:
        return self._folder / _KEYS / f"{public_key}.pem"
