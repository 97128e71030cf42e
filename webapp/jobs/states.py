"""The states of a run, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SweepState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class SweepAction(StrEnum):
    """What the API lets a user do with a sweep."""

    CANCEL = "cancel"
    RESUME = "resume"


class Priority(StrEnum):
    """How soon a run is worked on, among the runs of its own project."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """Return the number that is stored; more is sooner."""
        return list(Priority).index(self) - 1

    @classmethod
    def of_rank(cls, rank: int) -> Priority:
        return list(cls)[rank + 1]


class RequestedAction(StrEnum):
    """What a user asked of a run that a worker holds; the worker does it at a batch boundary."""

    NONE = "none"
    PAUSE = "pause"
    CANCEL = "cancel"


class RunAction(StrEnum):
    """What the API lets a user do with a run."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    RETRY_FAILED = "retry-failed"
    CLONE = "clone"
    DOWNLOAD_MODEL = "download_model"


_Q, _S, _R, _P = RunState.QUEUED, RunState.STARTING, RunState.RUNNING, RunState.PAUSED
_OK, _BAD, _OFF = RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED

LEGAL_TRANSITIONS: frozenset[tuple[RunState, RunState]] = frozenset(
    {
        (_Q, _S),
        (_S, _R),
        (_R, _OK),
        *((held, _BAD) for held in (_S, _R)),
        *((state, _OFF) for state in (_Q, _S, _R, _P)),
        *((state, _P) for state in (_Q, _S, _R)),
        # A paused run goes back to where it was: in training, or waiting for its first worker.
        (_P, _R),
        (_P, _Q),
        # Retry.
        (_BAD, _Q),
        (_OFF, _Q),
    }
)

FINAL_STATES = frozenset({_OK, _BAD, _OFF})
#: What needs no more than the right to look.
READING_ACTIONS = frozenset({RunAction.DOWNLOAD_MODEL})
#: States in which a worker may take the run.
WORKABLE_STATES = frozenset({_Q, _S, _R})


def is_legal(before: RunState, after: RunState) -> bool:
    return (before, after) in LEGAL_TRANSITIONS


def states_before(after: RunState) -> frozenset[RunState]:
    """Return the states from which ``after`` can be reached."""
    return frozenset(before for before, to in LEGAL_TRANSITIONS if to is after)


def actions_for(state: RunState, requested: RequestedAction) -> tuple[RunAction, ...]:
    """Return what a member who may write can do with a run in this state."""
    if state is RunState.SUCCEEDED:
        return (RunAction.CLONE, RunAction.DOWNLOAD_MODEL)
    if state in FINAL_STATES:
        return (RunAction.RETRY, RunAction.CLONE)
    if requested is RequestedAction.CANCEL:
        return (RunAction.CLONE,)
    if state is RunState.PAUSED or requested is RequestedAction.PAUSE:
        return (RunAction.RESUME, RunAction.CANCEL, RunAction.CLONE)
    return (RunAction.PAUSE, RunAction.CANCEL, RunAction.CLONE)


def sweep_actions_for(state: SweepState) -> tuple[SweepAction, ...]:
    """Return what a member who may write can do with a sweep in this state."""
    if state is SweepState.RUNNING:
        return (SweepAction.CANCEL,)
    return (SweepAction.RESUME,) if state is SweepState.CANCELLED else ()
