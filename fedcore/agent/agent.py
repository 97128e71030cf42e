"""The agent: asks for tasks, judges them, does them, and says that it is alive."""

from __future__ import annotations

from threading import Event, Thread

import structlog

from fedcore.agent.board import Board
from fedcore.agent.connection import RejectedError, UnreachableError
from fedcore.agent.errand import Errand
from fedcore.agent.machine import describe_agent, describe_hardware
from fedcore.agent.office import Office
from fedcore.agent.push import Push
from fedcore.sites import PROTOCOL, routes
from fedcore.sites.messages import (
    ErrorCode,
    Heartbeat,
    HeartbeatReply,
    Hint,
    Limits,
    PolicyDeclaration,
    SiteState,
    SiteStatus,
)
from fedcore.sites.tasks import TaskList
from fedcore.sites.words import in_words

#: Until the server has said how often it wants to hear from sites.
_USUAL_S = 5.0
#: While a websocket is open, polling only finds what a lost frame has not said. What a person at
#: the site says to a run that waits is no frame, so then it is asked often.
_POLL_SELDOM = 6
_JOIN_S = 5.0

log = structlog.get_logger(__name__)


class RevokedError(Exception):
    """The server has revoked the site's identity; nothing that the agent asks will be answered."""


class Agent:
    """One site's agent; ``run`` is its life."""

    def __init__(self, office: Office) -> None:
        """Prepare; nothing is asked yet.

        Args:
            office: The site's identity, data and disk, and the way to the server.
        """
        self._office = office
        self._wake = Event()
        office.wake = self._wake.set
        self._stop = Event()
        self._revoked = Event()
        self._limits: Limits | None = None
        self._sequence = 0
        self._errand: Errand | None = None

    @property
    def office(self) -> Office:
        """What it works with."""
        return self._office

    @property
    def board(self) -> Board:
        """What the agent is at."""
        return self._office.board

    def stop(self) -> None:
        """End at the next batch; what was begun goes on at the next start."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Work until ``stop`` is called.

        Raises:
            RevokedError: If the server has revoked the site.
        """
        office = self._office
        office.audit.record("agent started", version=describe_agent().version)
        push = Push(office, self._hinted)
        threads = [
            Thread(target=push.run, args=(self._stop,), name="push", daemon=True),
            Thread(target=self._beat_on, name="heartbeat", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            self._work_on()
        finally:
            self.stop()
            office.board.stopped()
            office.board.write()
            for thread in threads:
                thread.join(_JOIN_S)
            office.audit.record("agent stopped")
        if self._revoked.is_set():
            raise RevokedError

    def _hinted(self, hint: Hint) -> None:
        if hint.kind == "tasks":
            self._wake.set()

    # --- tasks -----------------------------------------------------------------------------------

    def _work_on(self) -> None:
        backoff = self._office.backoff()
        while not self._stop.is_set():
            self._wake.clear()
            try:
                wait_s = 0.0 if self._work_off() else self._poll_s
                backoff.reset()
            except UnreachableError as error:
                wait_s = backoff.next_s(error.retry_after_s)
                self.board.trouble("server", error.message)
            except RejectedError as error:
                wait_s = backoff.next_s()
                self._rejected(error)
            self.board.write()
            if wait_s:
                self._wake.wait(wait_s)

    def _work_off(self) -> bool:
        """Ask for tasks and do what can be done; return whether something was."""
        office = self._office
        if self._limits is None:
            self._limits = office.connection.get(routes.STATUS, SiteStatus).limits
        listed = office.connection.get(routes.TASKS, TaskList)
        self.board.heard(SiteState.APPROVED)
        office.keep_only({task.task_id for task in listed.tasks})
        has_done = False
        for task in listed.tasks:
            if task.task_id in office.ended or self._stop.is_set():
                continue
            self._errand = Errand(office, task, self._stop, self._limits)
            try:
                has_done |= self._errand.run()
            finally:
                self._errand = None
        return has_done

    @property
    def _poll_s(self) -> float:
        often = _USUAL_S if self._limits is None else self._limits.poll_s
        is_told = self.board.read().is_pushed and not self._office.waiting
        return often * _POLL_SELDOM if is_told else often

    def _rejected(self, error: RejectedError) -> None:
        """Say why the server does not talk to the site; a revoked one stops for good."""
        if error.said == ErrorCode.REVOKED:
            self._office.audit.record("site revoked")
            self._revoked.set()
            self.stop()
            self.board.heard(SiteState.REVOKED)
        elif error.said == ErrorCode.NOT_APPROVED:
            self.board.heard(SiteState.PENDING)
        else:
            log.warning("server rejects", code=error.said, message=error.message)
            self.board.trouble("server", error.message)

    # --- heartbeats ------------------------------------------------------------------------------

    def _beat_on(self) -> None:
        backoff = self._office.backoff()
        while not self._stop.is_set():
            wait_s = _USUAL_S
            try:
                self._beat("busy" if self._errand is not None else "idle")
                wait_s = _USUAL_S if self._limits is None else self._limits.heartbeat_s
                backoff.reset()
            except UnreachableError as error:
                wait_s = min(wait_s, backoff.next_s(error.retry_after_s))
                self.board.trouble("server", error.message)
            except RejectedError as error:
                self._rejected(error)
            except Exception:  # without heartbeats the site would be taken for dead
                log.exception("heartbeat failed")
            self.board.write()
            self._stop.wait(wait_s)
        self._say_goodbye()

    def _beat(self, state: str) -> None:
        office = self._office
        sequence, self._sequence = self._sequence, self._sequence + 1
        beat = Heartbeat.model_validate(
            {
                "protocol": PROTOCOL,
                "state": state,
                "sequence": sequence,
                "agent": describe_agent(),
                "hardware": describe_hardware(office.site.state_dir),
                "datasets": office.shelf.declarations(),
                "policy": PolicyDeclaration(
                    document=office.site.policy.model_dump(mode="json"),
                    rules=in_words(office.site.policy),
                ),
                "tasks": self.board.progress(),
                "waiting_for_approval": tuple(office.waiting),
                "problems": office.problems(),
            }
        )
        reply = office.connection.post(routes.HEARTBEAT, beat, HeartbeatReply)
        self.board.heard(reply.state)
        self._limits = reply.limits
        errand = self._errand
        if errand is not None and errand.task.task_id in reply.no_longer_wanted:
            errand.cancel()
        if reply.tasks:
            self._wake.set()

    def _say_goodbye(self) -> None:
        if self._revoked.is_set():
            return
        try:
            self._beat("stopping")
        except (UnreachableError, RejectedError):
            log.info("the server was not told that the agent stops")
