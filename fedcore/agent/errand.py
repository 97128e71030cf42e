"""One task from its offer to its end: judged, accepted, fetched, done, sent."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from threading import Event
from typing import Any

import structlog
from pydantic import BaseModel

from fedcore.agent.board import Doing, Stage, Waiting
from fedcore.agent.connection import RejectedError, UnreachableError
from fedcore.agent.judging import summary_of
from fedcore.agent.office import Office, about
from fedcore.agent.transfer import Transfer
from fedcore.agent.work import TurnedDownError
from fedcore.agent.workspace import SavedTask
from fedcore.clients.training import Interrupted
from fedcore.errors import (
    CodecError,
    DatasetError,
    DeviceError,
    FedcoreError,
    KernelsError,
    ModelError,
    RetryableError,
    WireError,
)
from fedcore.sites import routes
from fedcore.sites.base import shortened
from fedcore.sites.decisions import Decision, refusal_of
from fedcore.sites.messages import ErrorCode, Limits
from fedcore.sites.tasks import RunDescription, Task, TaskFailure, TaskKind, TaskResult

#: Errors whose message is made of the spec and of names, never of a row or a path.
_TOLD = (CodecError, DatasetError, DeviceError, KernelsError, ModelError, WireError)
#: What the work of a task is called; the rest are stages of a secure sum.
_STAGES: dict[TaskKind, Stage] = {
    TaskKind.TRAIN: "training",
    TaskKind.KEYS: "training",
    TaskKind.EVALUATE: "testing",
}
#: Answers that say something of the site, not of the task.
_ABOUT_THE_SITE = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
#: What arrives damaged so often is damaged where it comes from.
_TRIES = 3

log = structlog.get_logger(__name__)


class _Nothing(BaseModel):
    """An empty object."""


class Errand:
    """One task; ``run`` takes it as far as it goes now."""

    def __init__(self, office: Office, task: Task, stop: Event, limits: Limits) -> None:
        """Prepare; nothing is done yet.

        Args:
            office: What it is done with.
            task: What is asked for.
            stop: Set when the agent ends.
            limits: How the server wants to be treated.
        """
        self.task = task
        self._office = office
        self._stop = stop
        self._limits = limits
        self._cancelled = Event()
        self._may_be_known = False
        self._run_name = ""

    def cancel(self) -> None:
        """Drop the task at the next batch: the server no longer wants it."""
        self._cancelled.set()

    def run(self) -> bool:
        """Take the task as far as it goes; return whether it is over for this site.

        Raises:
            UnreachableError: If the server does not answer before the task is accepted.
            RejectedError: If the server does not let the site in.
        """
        try:
            is_over = self._run()
        except Interrupted:
            is_over = self._cancelled.is_set()  # else it goes on at the next start
            if is_over:
                self._drop("no longer wanted")
        except UnreachableError:
            raise
        except RejectedError as error:
            self._rejected(error)
            is_over = True
        except TurnedDownError as error:
            self._refuse(error.decision)
            is_over = True
        except Exception as error:  # noqa: BLE001  (one task must not end the agent)
            self._fail(error)
            is_over = True
        finally:
            self._office.board.done(self.task.task_id)
        if is_over:
            self._office.ended.add(self.task.task_id)
        return is_over

    def _run(self) -> bool:
        described = self._office.describe(self.task.run_id)
        self._run_name = shortened(described.name)
        saved = self._office.workspace.find(self.task.task_id)
        if saved is None:
            decision = self._office.judge(self.task, described)
            if decision.verdict == "needs_approval":
                self._wait(described, decision)
                return False
            saved = self._accept(described, decision)
        if saved.outcome is None:
            self._fetch(saved, described)
            self._do(saved, described)
        self._send(saved, described)
        return True

    # --- before ----------------------------------------------------------------------------------

    def _accept(self, described: RunDescription, decision: Decision) -> SavedTask:
        office = self._office
        if decision.verdict != "accepted":
            raise TurnedDownError.by(decision)
        office.waiting.pop(self.task.task_id, None)
        office.audit.record("task accepted", project=described.project, **self._about())
        accepted = office.connection.post(routes.accept(self.task.task_id), _Nothing(), Task)
        if _named(accepted) != _named(self.task):
            raise WireError("the server answers with another task than it has offered")
        return office.workspace.begin(accepted)

    def _wait(self, described: RunDescription, decision: Decision) -> None:
        self._office.waiting[self.task.task_id] = self.task.run_id
        waiting = Waiting(
            run_id=described.run_id,
            name=shortened(described.name),
            project=shortened(described.project),
            launched_by=shortened(described.launched_by),
            summary=summary_of(described),
        )
        if self._office.board.waits(waiting):
            self._office.audit.record(
                "run waits for approval", sentence=decision.sentence, **self._about()
            )

    # --- the work --------------------------------------------------------------------------------

    def _fetch(self, saved: SavedTask, described: RunDescription) -> None:
        blob, workspace = saved.task.message, self._office.workspace
        if blob is None:
            return
        self._is_at(described, "downloading")
        workspace.tidy(
            {each.task.message.sha256 for each in workspace.tasks() if each.task.message}
        )
        target = workspace.message_file(blob.sha256)
        transfer = self._transfer(described, "downloading")
        for attempt in range(1, _TRIES + 1):
            try:
                self._patiently(lambda: transfer.download(blob, target))
            except WireError:
                if attempt == _TRIES:
                    raise
            else:
                return

    def _do(self, saved: SavedTask, described: RunDescription) -> None:
        kind, parameters = self.task.kind, None
        self._is_at(described, _STAGES.get(kind, "summing"))
        if kind.needs_model:
            parameters = self._office.worker.open(saved, described).num_parameters
        decision = self._office.judge(self.task, described, parameters)
        if decision.verdict != "accepted":
            raise TurnedDownError.by(decision)
        self._office.worker.perform(saved, described, self._should_stop)

    def _send(self, saved: SavedTask, described: RunDescription) -> None:
        outcome, office = saved.outcome, self._office
        if outcome is None:
            raise WireError("what came of the task is not on the disk")
        self._may_be_known = saved.was_reported
        for attempt in range(1, _TRIES + 1):
            try:
                self._report(saved, described, outcome)
                break
            except RejectedError as error:
                if error.said != ErrorCode.CHECKSUM or attempt == _TRIES:
                    raise
        office.workspace.end(saved, is_used=True)
        office.audit.record(
            "task done",
            seconds=round(outcome.seconds, 3),
            num_examples=outcome.num_examples,
            size_bytes=outcome.size_bytes,
            sha256=outcome.sha256,
            **self._about(),
        )

    def _report(self, saved: SavedTask, described: RunDescription, outcome: TaskResult) -> None:
        if outcome.sha256 is not None:
            self._is_at(described, "uploading")
            transfer = self._transfer(described, "uploading")
            piece_bytes = self._limits.max_chunk_bytes
            self._patiently(lambda: transfer.upload(saved.payload_file, piece_bytes))
        saved.report_begins()
        self._tell(routes.result(self.task.task_id), outcome)

    def _tell(self, target: str, body: BaseModel) -> None:
        """Tell the server how the task has ended, until it has heard it."""

        def tell() -> None:
            try:
                self._office.connection.tell(target, body)
            except UnreachableError:
                self._may_be_known = True  # perhaps only the answer was lost
                raise

        self._patiently(tell)

    def _patiently(self, ask: Callable[[], None]) -> None:
        """Ask until the server answers, or the agent or the server wants the task to end.

        Raises:
            Interrupted: If it was ended.
            RejectedError: If the server refuses.
        """
        backoff = self._office.backoff()
        while True:
            try:
                ask()
            except UnreachableError as error:
                self._office.board.trouble("server", error.message)
                wait_s = backoff.next_s(error.retry_after_s)
            else:
                self._office.board.heard()
                return
            if self._stop.wait(wait_s) or self._should_stop():
                raise Interrupted

    def _should_stop(self) -> bool:
        return self._stop.is_set() or self._cancelled.is_set()

    # --- other ends ------------------------------------------------------------------------------

    def _refuse(self, decision: Decision) -> None:
        refusal = refusal_of(decision)
        self._end_with("task refused", sentence=decision.sentence)
        self._tell_or_give_up(routes.refuse(self.task.task_id), refusal)

    def _fail(self, error: Exception) -> None:
        log.error("task failed", exc_info=error, **self._about())
        code = error.code if isinstance(error, FedcoreError) else "internal"
        told = error.message if isinstance(error, _TOLD) else "The log of the site says why."
        self._end_with("task failed", code=code, message=shortened(str(error)))
        failure = TaskFailure(
            code=code,
            message=shortened(told),
            can_retry=isinstance(error, RetryableError | OSError),
        )
        self._tell_or_give_up(routes.fail(self.task.task_id), failure)

    def _rejected(self, error: RejectedError) -> None:
        """Let go of a task that the server does not want, or whose result it does not take.

        Raises:
            RejectedError: If it is not about the task but about the site.
        """
        if error.context.get("status") in _ABOUT_THE_SITE:
            raise error
        self._drop(error.message)
        if error.said != ErrorCode.NOT_WANTED:
            failure = TaskFailure(code=error.code, message=shortened(error.message))
            self._tell_or_give_up(routes.fail(self.task.task_id), failure)

    def _drop(self, why: str) -> None:
        self._end_with("task dropped", why=why)

    def _end_with(self, event: str, **facts: str) -> None:
        """Note how the task has ended and remove what is left of it."""
        office = self._office
        office.waiting.pop(self.task.task_id, None)
        office.audit.record(event, **facts, **self._about())
        saved = office.workspace.find(self.task.task_id)
        if saved is not None:
            office.workspace.end(saved, is_used=self._may_be_known)

    def _tell_or_give_up(self, target: str, body: BaseModel) -> None:
        try:
            self._tell(target, body)
        except (RejectedError, Interrupted) as error:
            # The server knows already, or will find out at the deadline of the round.
            log.info("the server was not told", why=str(error), **self._about())

    def _about(self) -> dict[str, Any]:
        return about(self.task, self._run_name)

    # --- what others see -------------------------------------------------------------------------

    def _transfer(self, described: RunDescription, stage: Stage) -> Transfer:
        return Transfer(
            self._office.connection,
            self.task.task_id,
            report=lambda fraction: self._is_at(described, stage, fraction),
            should_stop=self._should_stop,
        )

    def _is_at(
        self, described: RunDescription, stage: Stage, fraction: float | None = None
    ) -> None:
        doing = Doing(
            task_id=self.task.task_id,
            run_id=self.task.run_id,
            run_name=shortened(described.name),
            round_index=self.task.round_index,
            kind=self.task.kind.value,
            stage=stage,
            fraction=fraction,
        )
        self._office.board.does(doing)


def _named(task: Task) -> tuple[object, ...]:
    """Return what must not change between the offer of a task and its acceptance."""
    return (
        task.task_id,
        task.kind,
        task.run_id,
        task.spec_digest,
        task.dataset,
        task.client_id,
        task.round_index,
        task.message,
        task.sum_number,
        task.max_result_bytes,
    )
