"""A turn with a run that this worker holds the lease of: what every way of placing it needs.

How it begins, what is stored of it, and how it ends whatever happens: the run is over, is handed
back, stops as its user asked, or failed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict
from enum import Enum, auto
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import structlog
from django.db import InterfaceError, OperationalError

from fedcore.engine import Engine, Interrupted
from fedcore.errors import FedcoreError, RetryableError, TooFewUpdatesError
from webapp.artifacts.services import (
    StoredFile,
    discard_file,
    read_part,
    store_model,
    store_part,
    store_state,
    sync_file,
)
from webapp.jobs import services
from webapp.jobs.services import Lease, LeaseLostError
from webapp.jobs.states import RequestedAction
from workers.engines import EngineCache
from workers.failures import failed_clients, failure_of
from workers.heartbeat import Heartbeat
from workers.patience import Patience
from workers.retry import RetryPolicy
from workers.stopping import is_stopping

log = structlog.get_logger(__name__)


T = TypeVar("T")


class Ending(Enum):
    """Why a turn is over."""

    FINISHED = auto()
    PAUSED = auto()
    CANCELLED = auto()
    HANDED_OVER = auto()
    FAILED = auto()
    SHARED_OUT = auto()


class Turn:
    """A lease, its heartbeat, and the engine once it is open."""

    def __init__(
        self, lease: Lease, heartbeat: Heartbeat, engines: EngineCache, retries: RetryPolicy
    ) -> None:
        self.lease = lease
        self.heartbeat = heartbeat
        self.engines = engines
        self.patience = Patience(heartbeat, retries)
        self._engine: Engine | None = None
        #: How the run's page says that it is executed; nothing before it has begun.
        self._executor = lease.executor if lease.is_running else ""

    def play(
        self, rounds: Callable[[], Ending], reason_to_end: Callable[[], Ending | None] | None = None
    ) -> Ending:
        """Do the work of the turn and return how it ended.

        Args:
            rounds: What to do; it settles the endings that it returns.
            reason_to_end: Tells why to end now; by default what user and process want.

        Raises:
            LeaseLostError: If the run belongs to another worker.
            OperationalError: If the database stays away; the run is then recovered later.
        """
        reason_to_end = reason_to_end or self.reason_to_end
        try:
            ending = rounds()
        except (LeaseLostError, OperationalError, InterfaceError):
            self.engines.drop(self.lease.run_id)
            raise
        except Interrupted:
            ending = self.settle(reason_to_end() or Ending.HANDED_OVER)
        except Exception as error:  # noqa: BLE001 (whatever it is, the run's page must say so)
            ending = self._end_with(error, reason_to_end)
        log.info("turn ended", ending=ending.name.lower())
        return ending

    def open(self, how: Callable[[], Engine]) -> Engine:
        """Return the engine that ``how`` opens, patiently.

        Raises:
            Interrupted: If the turn has to end meanwhile.
        """
        self._engine = self.patience.with_engine(how)
        return self._engine

    def announce(
        self, engine: Engine, executor: str, *, clients: Sequence[dict[str, Any]] | None = None
    ) -> None:
        """Say how the run is executed if that is news; when it begins, also who its clients are.

        Args:
            engine: The run; it knows its clients, unless they are sites.
            executor: How it is executed.
            clients: Who they are, if the engine does not know.
        """
        if executor == self._executor:
            return
        table: Sequence[dict[str, Any]] = ()
        if not self._executor:
            table = _clients_of(engine) if clients is None else clients
        self.patience.with_database(
            lambda: services.mark_running(lease=self.lease, executor=executor, client_table=table)
        )
        self._executor = executor

    def reason_to_end(self) -> Ending | None:
        """Return why the turn has to end now, if somebody wants it to.

        Raises:
            LeaseLostError: If the run may belong to another worker.
        """
        if self.heartbeat.is_lost:
            raise LeaseLostError("The lease was lost while training.")
        if self.heartbeat.requested is RequestedAction.CANCEL:
            return Ending.CANCELLED
        if self.heartbeat.requested is RequestedAction.PAUSE:
            return Ending.PAUSED
        return Ending.HANDED_OVER if is_stopping() else None

    def settle(self, ending: Ending) -> Ending:
        """Pause or cancel the run, or give it back; return the ending."""
        act = {
            Ending.PAUSED: services.pause_run,
            Ending.CANCELLED: services.cancel_run,
            Ending.HANDED_OVER: services.release_lease,
        }[ending]
        self.heartbeat.end()
        self.patience.with_database(lambda: act(lease=self.lease))
        if ending is not Ending.HANDED_OVER:
            self.engines.drop(self.lease.run_id)
        return ending

    def store_state(self, engine: Engine) -> StoredFile:
        """Store a checkpoint that no row names yet.

        Raises:
            OSError, RetryableError: If it cannot be stored.
        """
        stored = self.store_state_unsynced(engine)
        sync_file(key=stored.key)
        return stored

    def store_state_unsynced(self, engine: Engine) -> StoredFile:
        """Store a checkpoint that a power cut may take until somebody waits for the disk.

        Raises:
            OSError, RetryableError: If it cannot be stored.
        """
        name, pieces = engine.encoded()
        return store_state(run_id=self.lease.run_id, name=name, pieces=pieces)

    def record_state(self, stored: StoredFile, record: Callable[[], T]) -> T:
        """Record a checkpoint that was stored; remove it again if the run is somebody else's.

        Raises:
            LeaseLostError: If it is.
        """
        try:
            return self.patience.with_database(record)
        except LeaseLostError:
            discard_file(key=stored.key)
            raise

    def finish(self, engine: Engine) -> Ending:
        """Store the model and record the success."""
        self.patience.with_engine(lambda: self._finish(engine))
        return Ending.FINISHED

    def _finish(self, engine: Engine) -> None:
        with TemporaryDirectory(prefix="roundhouse-") as folder:
            # Where every client has its own model and there is none for all, the checkpoint is
            # what holds them.
            files = engine.export_model(Path(folder)) if engine.has_global_model else []
            stored = [store_model(run_id=self.lease.run_id, path=path) for path in files]
        self.heartbeat.end()
        self.patience.with_database(
            lambda: services.finish_run(
                lease=self.lease,
                metrics=engine.metrics,
                totals=asdict(engine.totals),
                model_artifacts=stored,
            )
        )
        self.engines.drop(self.lease.run_id)

    def take_up(self, engine: Engine) -> bool:
        """Let the next round use what is kept of an earlier try of it; return whether it does."""
        kept = self.lease.kept_updates
        if kept is None or kept["round_index"] != engine.round_index:
            return False
        payload = read_part(key=kept["key"], sha256=kept["sha256"])
        if payload is None:
            log.warning("kept updates are gone, all clients train again")
            return False
        engine.keep(payload)
        return True

    def _keep_updates(self, error: Exception) -> StoredFile | None:
        """Store the updates of a round that got too few, for whoever tries it again."""
        payload = None
        if isinstance(error, TooFewUpdatesError) and self._engine is not None:
            payload = self._engine.kept_updates()
        if payload is None:
            return None
        try:
            name = f"kept-{secrets.token_hex(4)}.safetensors"
            return store_part(run_id=self.lease.run_id, name=name, payload=payload)
        except (OSError, FedcoreError) as problem:
            log.warning("updates not kept", reason=str(problem))
            return None

    def _end_with(self, error: Exception, reason_to_end: Callable[[], Ending | None]) -> Ending:
        """Fail the run, unless its user or this process wanted to stop just then."""
        ending = reason_to_end() if isinstance(error, RetryableError) else None
        if ending is not None:
            return self.settle(ending)
        round_index = self._engine.round_index if self._engine else None
        failure = failure_of(error, round_index=round_index)
        clients, kept = failed_clients(error), self._keep_updates(error)
        self.engines.drop(self.lease.run_id)
        self.patience.with_database(
            lambda: services.fail_run(lease=self.lease, failure=failure, clients=clients, kept=kept)
        )
        return Ending.FAILED


def _clients_of(engine: Engine) -> list[dict[str, Any]]:
    """Return one row per client: how many examples it holds, and of each class."""
    return [
        {
            "client_id": row.client_id,
            "num_samples": row.num_train,
            "class_counts": list(row.class_counts),
        }
        for row in engine.client_table().clients
    ]
