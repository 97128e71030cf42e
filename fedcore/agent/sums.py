"""A site's part in secure sums: what it keeps of one from stage to stage, on its disk.

One sum of a run at a time, in a private folder. A stage's answer is written first, then that the
stage was answered and what with, and only then is anything sent: a site that is killed in between
gives the same answer to the same message when it starts again, and none to another one. The vector
goes once it was sent under its masks. When the sum is opened, the next one of the run begins, or
nothing was heard of it for a week, the keys go too; the number stays, so that no sum is ever made
twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID

import numpy as np
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, ValidationError

from fedcore.agent.private_files import read_private, write_private
from fedcore.errors import PermanentError
from fedcore.secagg import Memory, Participant, Ring, SecureAggregationError, Session, documents
from fedcore.secagg.subject import Subject
from fedcore.sites.decisions import Reason, too_few_left
from fedcore.sites.policy import Policy
from fedcore.sites.secure import KeyList, ShareList, SharesForOne, Survivors
from fedcore.sites.tasks import RunDescription, Task, TaskKind

#: A sum of which nothing was heard for so long is not opened any more: its run has ended.
_FORGOTTEN_AFTER_S = 7 * 24 * 3600
_MEMORY, _VECTOR, _ANSWER = "memory.json", "vector", ".answer"
#: Masks are words of the ring that all sums have; what its numbers stand for does not matter here.
_RING = Ring(1.0, 1)
_FIX = "The next round makes another sum; if that is refused too, compare the sites' keys."


log = structlog.get_logger(__name__)


class TooFewLeftError(SecureAggregationError):
    """The site's policy asks for more updates in a sum than are in this one."""

    @property
    def reason(self) -> Reason:
        """The rule that says so."""
        reason: Reason = self.context["reason"]
        return reason


class _Kept(BaseModel):
    """What the folder of a sum holds.

    Attributes:
        number: Which of the run's sums.
        memory: None once the sum was opened.
        asked: SHA-256 of the message of each stage that was answered.
    """

    model_config = ConfigDict(extra="forbid", ser_json_bytes="hex", val_json_bytes="hex")

    number: int
    memory: Memory | None
    asked: dict[TaskKind, str] = {}


class Sums:
    """The secure sums of one site."""

    def __init__(
        self, folder: Callable[[UUID], Path], identity: Ed25519PrivateKey, policy: Policy
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            folder: Returns where to keep what belongs to a run's sums.
            identity: The site's key.
            policy: Says of how many updates a sum must be.
        """
        self._folder = folder
        self._identity = identity
        self._policy = policy

    def begin(self, task: Task, described: RunDescription, vector: bytes) -> bytes:
        """Return the keys of a new sum, after writing down what will be masked.

        Args:
            task: Of the kind ``secure_keys``.
            described: The run.
            vector: Words of the ring, little-endian.

        Raises:
            SecureAggregationError: If it is no new sum.
        """
        number, last = _number_of(task), self._find(task)
        if last is not None and last.number >= number:
            if last.number > number or not last.asked.keys() <= {TaskKind.KEYS}:
                raise SecureAggregationError(
                    f"sum {number} of this run is over for this site, which has begun sum "
                    f"{last.number}"
                )
            return self._answered(task)  # the same sum, begun before an interruption
        kept = _Kept(number=number, memory=Memory())
        write_private(self._file(task, _VECTOR), vector)
        subject = _subject_of(task, described).digest()
        ad = self._participant(kept, task, described).advertise(subject)
        payload = documents.padded(documents.keys_message(ad), task.max_result_bytes)
        self._note(kept, task, _digest_of(task), payload)
        return payload

    def answer(self, task: Task, described: RunDescription, message: bytes) -> bytes:
        """Return the site's answer to one of the later stages.

        Raises:
            SecureAggregationError: If giving it would tell more than the sum, the messages of
                others were changed, or the site has not been in the stages before.
            TooFewLeftError: If fewer updates are in the sum than the policy asks for.
        """
        kept = self._find(task)
        if kept is None or kept.number != _number_of(task):
            raise SecureAggregationError("this site has no keys of this sum")
        asked = hashlib.sha256(message).hexdigest()
        self._drop_vector(kept, task)  # a crash may have come between
        known = kept.asked.get(task.kind)
        if known is not None:
            if known != asked:
                raise SecureAggregationError(
                    f"this site has answered {task.kind.value} of this sum, to another message"
                )
            return self._answered(task)
        participant = self._participant(kept, task, described)
        payload = self._step(participant, task, message)
        if task.kind is TaskKind.UNMASK:
            kept.memory = None
        self._note(kept, task, asked, payload)
        self._drop_vector(kept, task)
        return payload

    def _step(self, participant: Participant, task: Task, message: bytes) -> bytes:
        size = task.max_result_bytes
        if task.kind is TaskKind.SHARES:
            listed = documents.read(message, KeyList).keys
            self._check_number(len(listed))
            participant.session = participant.session.among(len(listed))
            shares = participant.share([documents.advertisement(one) for one in listed])
            messages = tuple(documents.share_message(one) for one in shares)
            return documents.padded(ShareList(client_id=task.client_id, shares=messages), size)
        if task.kind is TaskKind.MASKED:
            inbox = documents.read(message, SharesForOne).shares
            words = np.frombuffer(read_private(self._file(task, _VECTOR)) or b"", _RING.dtype)
            if words.nbytes != size:
                raise SecureAggregationError(f"a vector of {words.nbytes} bytes, not {size}")
            found = [documents.encrypted_shares(one) for one in inbox]
            return participant.mask(found, words, _RING).words.tobytes()
        survivors = documents.read(message, Survivors)
        self._check_number(len(set(survivors.client_ids)))
        if task.kind is TaskKind.CONFIRM:
            signed = participant.confirm(survivors.client_ids)
            return documents.padded(documents.confirmed(signed), size)
        confirmations = [documents.confirmation(one) for one in survivors.confirmations]
        given = participant.unmask(survivors.client_ids, confirmations)
        return documents.padded(documents.unmasking_message(given), size)

    def _check_number(self, count: int) -> None:
        reason = too_few_left(self._policy, count)
        if reason is not None:
            raise TooFewLeftError(reason.message, reason=reason)

    def _participant(self, kept: _Kept, task: Task, described: RunDescription) -> Participant:
        if kept.memory is None:
            raise SecureAggregationError("this site has opened this sum already, or given it up")
        session = Session(str(task.run_id), kept.number)
        if kept.memory.known:
            session = session.among(len(kept.memory.known))
        identities = _identities_in(described)
        return Participant(session, task.client_id, self._identity, identities, kept.memory)

    # --- on the disk -----------------------------------------------------------------------------

    def _find(self, task: Task) -> _Kept | None:
        return _read(self._file(task, _MEMORY))

    def _note(self, kept: _Kept, task: Task, asked: str, payload: bytes) -> None:
        write_private(self._file(task, task.kind.value + _ANSWER), payload)
        kept.asked[task.kind] = asked
        write_private(self._file(task, _MEMORY), kept.model_dump_json().encode())

    def _drop_vector(self, kept: _Kept, task: Task) -> None:
        """Remove the vector once its masked form is on the disk: nothing needs it any more."""
        if TaskKind.MASKED in kept.asked:
            self._file(task, _VECTOR).unlink(missing_ok=True)

    def _answered(self, task: Task) -> bytes:
        found = read_private(self._file(task, task.kind.value + _ANSWER))
        if found is None:
            raise SecureAggregationError("this site's answer is gone")
        return found

    def _file(self, task: Task, name: str) -> Path:
        return self._folder(task.run_id) / name


def forget_old(folders: Iterable[Path], now: float) -> None:
    """Remove the secrets of sums that were begun and never opened; their numbers stay.

    Args:
        folders: What `Sums` was given for each run.
        now: Seconds since 1970.
    """
    for folder in folders:
        file = folder / _MEMORY
        if not file.exists() or now - file.stat().st_mtime < _FORGOTTEN_AFTER_S:
            continue
        for other in folder.iterdir():
            if other != file:
                other.unlink(missing_ok=True)
        try:
            kept = _read(file)
        except PermanentError as error:  # the run says so when it asks for another sum
            log.warning("a sum is not forgotten", file=str(file), reason=str(error))
            continue
        if kept is not None and kept.memory is not None:
            kept.memory = None
            write_private(file, kept.model_dump_json().encode())


def _read(file: Path) -> _Kept | None:
    content = read_private(file)
    if content is None:
        return None
    try:
        return _Kept.model_validate_json(content)
    except ValidationError as error:
        raise SecureAggregationError("what this site knows of the sum is damaged") from error


def refused_by(error: SecureAggregationError) -> Reason:
    """Return the rule by which a stage of a sum is refused."""
    if isinstance(error, TooFewLeftError):
        return error.reason
    said = error.message
    return Reason("secure_aggregation", f"{said[:1].upper()}{said[1:]}.", _FIX)


def _number_of(task: Task) -> int:
    if task.sum_number is None:
        raise SecureAggregationError("the task does not say which sum it belongs to")
    return task.sum_number


def _digest_of(task: Task) -> str:
    if task.message is None:
        raise SecureAggregationError("the task has no model to train")
    return task.message.sha256


def _subject_of(task: Task, described: RunDescription) -> Subject:
    return Subject(
        model=_digest_of(task),
        spec=task.spec_digest,
        round_index=task.round_index,
        cohort_size=task.cohort_size,
        members=_identities_in(described),
    )


def _identities_in(described: RunDescription) -> dict[int, bytes]:
    """Return everybody's public key; an empty one verifies nothing."""
    return {each.client_id: bytes.fromhex(each.public_key) for each in described.members}
