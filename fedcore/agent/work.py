"""The work of a task: training or testing with the same client code as everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, time

from fedcore.agent.config import Site
from fedcore.agent.judging import spec_of
from fedcore.agent.shelf import Shelf, Version
from fedcore.agent.sums import Sums, forget_old, refused_by
from fedcore.agent.workspace import SavedTask, Workspace
from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.data.dataset import Dataset
from fedcore.data.sites import read_table
from fedcore.engine.site_work import SiteWork
from fedcore.environment import Folders
from fedcore.errors import PermanentError
from fedcore.secagg import SecureAggregationError
from fedcore.sites.decisions import Decision, Reason, took_too_long
from fedcore.sites.tasks import RunDescription, TaskKind, TaskResult
from fedcore.spec import RunSpec
from fedcore.spec.data import SitesDatasetSpec


class TurnedDownError(PermanentError):
    """The site's policy does not let a task through."""

    code = "turned_down"

    @classmethod
    def by(cls, decision: Decision) -> TurnedDownError:
        """Return the error for a decision."""
        return cls(decision.sentence, decision=decision)

    @property
    def decision(self) -> Decision:
        """Which rules, and what to do about it."""
        decision: Decision = self.context["decision"]
        return decision


class UnsupportedTaskError(PermanentError):
    """The server asks for something that this version cannot do."""

    code = "task_not_supported"


@dataclass(frozen=True)
class _Opened:
    """A run that is ready to be worked on; ``key`` changes when it has to be opened again."""

    key: tuple[str, int, Version]
    work: SiteWork


class Worker:
    """Does the tasks of one site, one after the other."""

    def __init__(
        self, site: Site, shelf: Shelf, workspace: Workspace, sums: Sums, folders: Folders
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            site: Whose data and policy.
            shelf: Its data sets.
            workspace: Where messages and results lie.
            sums: Its part in secure sums.
            folders: Where compiled code lies.
        """
        self._site = site
        self._shelf = shelf
        self._workspace = workspace
        self._sums = sums
        self._folders = folders
        self._opened: _Opened | None = None

    def open(self, saved: SavedTask, described: RunDescription) -> SiteWork:
        """Return the run of a task, ready to be worked on; the last one is kept.

        Raises:
            DatasetError: If the data cannot be read as the spec asks; no value is quoted.
            FedcoreError: If the model cannot be made here.
        """
        task = saved.task
        key = (task.spec_digest, task.client_id, self._shelf.version(task.dataset))
        if self._opened is None or self._opened.key != key:
            self._opened = None  # before the next one takes its memory
            spec = self._at_home(spec_of(described))
            dataset = self._read(spec, task.dataset)
            work = SiteWork.open(spec, dataset, task.client_id, self._folders)
            self._opened = _Opened(key, work)
        return self._opened.work

    def perform(self, saved: SavedTask, described: RunDescription, stop: ShouldStop) -> None:
        """Do the work of a task whose message is there, and save what comes of it.

        Raises:
            TurnedDownError: If it takes longer than the policy allows.
            Interrupted: If ``stop`` said so.
            UnsupportedTaskError: If there is nothing to start from.
            WireError: If the message is not one of the run.
            FedcoreError: If the work cannot be done.
        """
        if not saved.task.kind.needs_model:
            self._add_up(saved, described)
            return
        is_over = self._timer()
        try:
            if saved.task.kind is TaskKind.EVALUATE:
                self._test(saved, described, lambda: stop() or is_over() is not None)
            else:
                self._train(saved, described, lambda: stop() or is_over() is not None)
        except Interrupted:
            reason = is_over()
            if reason is None or stop():
                raise
            raise TurnedDownError.by(Decision("refused", (reason,))) from None

    def _train(self, saved: SavedTask, described: RunDescription, stop: ShouldStop) -> None:
        task, work = saved.task, self.open(saved, described)
        done = work.train(
            self._message(saved),
            round_index=task.round_index,
            cohort_size=task.cohort_size,
            kept=self._workspace.kept(task.run_id),
            should_stop=stop,
        )
        payload = done.payload
        if task.kind is TaskKind.KEYS:
            forget_old(self._workspace.sum_folders(), time())
            # What was trained stays here until it is masked.
            payload = self._in_secret(lambda: self._sums.begin(task, described, done.payload))
        outcome = _outcome(payload, done.seconds, done.num_examples)
        saved.save_outcome(outcome, payload, done.kept)

    def _add_up(self, saved: SavedTask, described: RunDescription) -> None:
        began, message = monotonic(), self._message(saved)
        payload = self._in_secret(lambda: self._sums.answer(saved.task, described, message))
        saved.save_outcome(_outcome(payload, monotonic() - began), payload)

    @staticmethod
    def _in_secret(answer: Callable[[], bytes]) -> bytes:
        """Return an answer to a stage of a secure sum.

        Raises:
            TurnedDownError: If giving it would tell more than it may; the next round may be good.
        """
        try:
            return answer()
        except SecureAggregationError as error:
            decision = Decision("refused", (refused_by(error),), is_final=False)
            raise TurnedDownError.by(decision) from error

    def _test(self, saved: SavedTask, described: RunDescription, stop: ShouldStop) -> None:
        done = self.open(saved, described).test(self._message(saved), should_stop=stop)
        outcome = TaskResult(seconds=done.seconds, num_examples=done.num_examples, tally=done.tally)
        saved.save_outcome(outcome)

    def _message(self, saved: SavedTask) -> bytes:
        blob = saved.task.message
        if blob is None:
            raise UnsupportedTaskError(f"a task of kind {saved.task.kind.value} has no message")
        return self._workspace.message_file(blob.sha256).read_bytes()

    def _at_home(self, spec: RunSpec) -> RunSpec:
        """Return the spec with the site's own device: a spec cannot choose the site's hardware."""
        runtime = spec.runtime.model_copy(update={"device": self._site.config.device})
        return spec.model_copy(update={"runtime": runtime})

    def _read(self, spec: RunSpec, name: str) -> Dataset:
        if not isinstance(spec.dataset, SitesDatasetSpec):
            raise UnsupportedTaskError("the run is not about data on sites")
        rows = self._shelf.rows(name)
        return read_table(spec.dataset, rows.train, rows.test)

    def _timer(self) -> Callable[[], Reason | None]:
        began = monotonic()
        return lambda: took_too_long(self._site.policy, monotonic() - began)


def _outcome(payload: bytes, seconds: float, num_examples: int = 0) -> TaskResult:
    return TaskResult(
        sha256=hashlib.sha256(payload).hexdigest(),
        size_bytes=len(payload),
        seconds=seconds,
        num_examples=num_examples,
    )
