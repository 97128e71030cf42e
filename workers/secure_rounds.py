"""The secure sum of a round on sites: from one stage to the next, to the sum.

A worker that closes a stage makes the sum's earlier stages anew from what sites have answered to
them. Masked vectors are added up when all are there, and then only their sum is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import structlog
from pydantic import BaseModel

from fedcore.engine import Answer, Engine, SecureSum
from fedcore.engine.report import Status
from fedcore.errors import TooFewUpdatesError
from fedcore.secagg import SecureAggregationError, Session
from fedcore.secagg.documents import (
    CONFIRMED_BYTES,
    as_message,
    shares_bytes,
    unmasking_bytes,
)
from fedcore.secagg.subject import Subject
from fedcore.sites.secure import KeyList
from fedcore.sites.tasks import TaskKind
from webapp.artifacts.services import StoredFile
from webapp.jobs.services import Lease
from webapp.sites.services import Errand, MaskedSum, MemberOfRun, Outcome, RoundOnSites, Stage

_STAGES = (
    TaskKind.KEYS,
    TaskKind.SHARES,
    TaskKind.MASKED,
    TaskKind.CONFIRM,
    TaskKind.UNMASK,
)

log = structlog.get_logger(__name__)

#: A stage of a sum takes no training, so it is given less time than a round: so long, and what its
#: upload takes at so many bytes a second.
STAGE_LIMIT_S = 120.0
_SLOWEST_UPLOAD = 1 << 20

Store = Callable[[TaskKind, bytes], StoredFile]
Read = Callable[[Outcome], bytes]


class SecureRound:
    """A round whose updates are added up under masks, when one of its stages is over."""

    def __init__(
        self,
        engine: Engine,
        found: RoundOnSites,
        *,
        lease: Lease,
        members: Collection[MemberOfRun],
        read: Read,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            engine: The run.
            found: What is known of the round.
            lease: The right to work on the run.
            members: Its sites.
            read: Returns the bytes that a site has sent.
        """
        self._engine = engine
        self._found = found
        self._names = {member.client_id: member.name for member in members}
        self._read = read
        self._digest = lease.digest
        self._identities = {each.client_id: bytes.fromhex(each.public_key) for each in members}
        session = Session(str(lease.run_id), found.sum_number or 0)
        self._sum = engine.secure_sum(found.reachable, session, self._identities)
        self._asked = frozenset(found.outcomes.get(TaskKind.KEYS, {}))

    @property
    def is_complete(self) -> bool:
        """Whether the sites' answers give the sum, so that there is no stage left."""
        return self._found.stage not in _STAGES[:-1] or not self._asked

    def next_stage(self, there: Collection[int], limit_s: float, store: Store) -> Stage:
        """Return what sites are asked next in a sum that is not complete.

        Args:
            there: Clients that can still be asked.
            limit_s: How long it may take at most.
            store: Puts a message, or the sum of masked vectors, into storage.

        Raises:
            TooFewUpdatesError: If too few are left for a sum, with each one's reason.
        """
        kind = _STAGES[_STAGES.index(self._found.stage) + 1]
        try:
            asked, masked = self._messages(kind, store)
        except SecureAggregationError as error:
            raise self._too_few(error) from error
        stored: dict[int, StoredFile] = {}
        errands = []
        for client_id, document in sorted(asked.items()):
            if client_id not in there:
                continue
            if id(document) not in stored:
                stored[id(document)] = store(kind, as_message(document))
            size = self._result_bytes(kind, client_id)
            errands.append(Errand(client_id, stored[id(document)], size))
        largest = max((errand.max_result_bytes for errand in errands), default=0)
        return Stage(
            kind=kind,
            reachable=self._found.reachable,
            errands=tuple(errands),
            limit_s=min(limit_s, STAGE_LIMIT_S + largest // _SLOWEST_UPLOAD),
            masked=masked,
            enough=self._enough(),
        )

    def total(self) -> SecureSum:
        """Return the sum, and who is in it.

        Raises:
            TooFewUpdatesError: If masks cannot be recovered.
        """
        if not self._asked:
            return SecureSum(np.zeros(0, np.uint32), {})
        try:
            self._until_unmasking()
            words = self._sum.sum(self._payloads(TaskKind.UNMASK))
        except SecureAggregationError as error:
            raise self._too_few(error) from error
        for client_id, reason in self._sum.refused.items():
            log.warning("not used in a sum", site=self._names[client_id], reason=reason)
        return SecureSum(words, self._answers())

    # --- stages ----------------------------------------------------------------------------------

    def _messages(
        self, kind: TaskKind, store: Store
    ) -> tuple[Mapping[int, BaseModel], MaskedSum | None]:
        """Return what each site is sent in the stage of a kind, as far as the sum goes."""
        keys = self._keys()
        if kind is TaskKind.SHARES:
            return dict.fromkeys((one.client_id for one in keys.keys), keys), None
        inboxes = self._sum.shares(self._payloads(TaskKind.SHARES))
        if kind is TaskKind.MASKED:
            return inboxes, None
        if kind is TaskKind.CONFIRM:
            survivors, words = self._sum.vectors(self._vectors())
            file = store(TaskKind.MASKED, words.tobytes())
            masked = MaskedSum(file.key, file.sha256, survivors.client_ids)
            return dict.fromkeys(survivors.client_ids, survivors), masked
        self._resume()
        survivors = self._sum.confirmations(self._payloads(TaskKind.CONFIRM))
        signed = (one.client_id for one in survivors.confirmations)
        return dict.fromkeys(signed, survivors), None

    def _keys(self) -> KeyList:
        shown = self._done(TaskKind.KEYS)
        if not shown:
            raise SecureAggregationError("nobody has sent its keys")
        subject = Subject(
            model=next(iter(shown.values())).message_sha256,
            spec=self._digest,
            round_index=self._engine.round_index,
            cohort_size=len(self._asked),
            members=self._identities,
        )
        return self._sum.keys(self._payloads(TaskKind.KEYS), subject.digest())

    def _until_unmasking(self) -> None:
        self._keys()
        self._sum.shares(self._payloads(TaskKind.SHARES))
        self._resume()

    def _resume(self) -> None:
        kept = self._found.masked
        if kept is None:
            raise SecureAggregationError("the sum of the masked vectors is gone")
        payload = self._read(Outcome("ok", key=kept.key, sha256=kept.sha256))
        self._sum.resume(kept.client_ids, payload)

    def _result_bytes(self, kind: TaskKind, client_id: int) -> int:
        if kind is TaskKind.MASKED:
            return self._sum.length * self._sum.ring.dtype.itemsize
        if kind is TaskKind.CONFIRM:
            return CONFIRMED_BYTES
        neighbours = self._sum.degree_of(client_id)
        return shares_bytes(neighbours) if kind is TaskKind.SHARES else unmasking_bytes(neighbours)

    def _enough(self) -> int | None:
        """Return how many answers are enough if the other sites are offline."""
        shown = len(self._done(TaskKind.KEYS))
        if self._sum.session.degree is not None:
            return None  # who is lost matters, not only how many
        return max(self._sum.least, self._sum.session.threshold(shown))

    # --- answers ---------------------------------------------------------------------------------

    def _done(self, kind: TaskKind) -> dict[int, Outcome]:
        outcomes = self._found.outcomes.get(kind, {})
        return {client: outcome for client, outcome in outcomes.items() if outcome.status == "ok"}

    def _payloads(self, kind: TaskKind) -> dict[int, bytes]:
        return {client: self._read(outcome) for client, outcome in self._done(kind).items()}

    def _vectors(self) -> Iterable[tuple[int, Callable[[], bytes]]]:
        for client, outcome in sorted(self._done(TaskKind.MASKED).items()):
            yield client, partial(self._read, outcome)

    def _answers(self) -> dict[int, Answer]:
        """Return what has become of each site, with the bytes of all its stages."""
        summed = () if self._found.masked is None else self._found.masked.client_ids
        answers = {}
        for client_id in self._asked:
            part = self._part(client_id)
            if client_id not in summed:
                status, reason = self._why_not(client_id)
                part = replace(part, status=status, reason=reason)
            answers[client_id] = part
        return answers

    def _part(self, client_id: int) -> Answer:
        done = {kind: self._done(kind).get(client_id) for kind in _STAGES}
        sent = {kind: outcome for kind, outcome in done.items() if outcome is not None}
        model = sent.get(TaskKind.KEYS, Outcome("ok")).message_bytes  # counted with the round's
        return Answer(
            status="ok",
            seconds=sum(outcome.seconds for outcome in sent.values()),
            bytes_up=sum(outcome.num_bytes for outcome in sent.values()),
            bytes_down=sum(outcome.message_bytes for outcome in sent.values()) - model,
        )

    def _why_not(self, client_id: int) -> tuple[Status, str]:
        """Return why a site has not done its part, or could not."""
        name, refused = self._names[client_id], self._sum.refused.get(client_id)
        if refused is not None:
            return "refused", f"site {name}: {refused}"
        for kind in _STAGES:
            outcome = self._found.outcomes.get(kind, {}).get(client_id)
            if outcome is not None and outcome.status != "ok":
                return outcome.status, f"site {name}: {outcome.reason}"
        return "lost", f"site {name}: it was taken out of the run"

    def _too_few(self, error: SecureAggregationError) -> TooFewUpdatesError:
        """Return why there is no sum, with every site that has not done its part."""
        last = self._done(self._found.stage)
        reasons = {
            client_id: self._why_not(client_id)[1]
            for client_id in sorted(self._asked)
            if client_id not in last or client_id in self._sum.refused
        }
        named = f" ({'; '.join(reasons.values())})" if reasons else ""
        return TooFewUpdatesError(
            f"round {self._engine.round_index} has no secure sum: {error.message}{named}",
            round_index=self._engine.round_index,
            client_ids=list(reasons),
            client_id=next(iter(reasons), None),
            reasons=reasons,
            fix="See each site's reason; then retry the run, or launch one with other sites.",
        )
