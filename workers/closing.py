"""How a turn with a run ends: the run is over, is handed back, or stops as its user asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from enum import Enum, auto
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fedcore.engine import Engine
from fedcore.errors import RetryableError
from webapp.artifacts.services import store_model
from webapp.jobs import services
from webapp.jobs.services import Lease, LeaseLostError
from webapp.jobs.states import RequestedAction
from workers.engines import EngineCache
from workers.failures import failed_clients, failure_of
from workers.heartbeat import Heartbeat
from workers.patience import Patience
from workers.stopping import is_stopping


class Ending(Enum):
    """Why a turn is over."""

    FINISHED = auto()
    PAUSED = auto()
    CANCELLED = auto()
    HANDED_OVER = auto()
    FAILED = auto()
    SHARED_OUT = auto()


class Closing:
    """The last steps of a turn with a run that this worker holds the lease of."""

    def __init__(
        self, lease: Lease, heartbeat: Heartbeat, engines: EngineCache, patience: Patience
    ) -> None:
        self._lease = lease
        self._heartbeat = heartbeat
        self._engines = engines
        self._patience = patience

    def reason(self) -> Ending | None:
        """Return why the turn has to end now, if somebody wants it to.

        Raises:
            LeaseLostError: If the run may belong to another worker.
        """
        if self._heartbeat.is_lost:
            raise LeaseLostError("The lease was lost while training.")
        if self._heartbeat.requested is RequestedAction.CANCEL:
            return Ending.CANCELLED
        if self._heartbeat.requested is RequestedAction.PAUSE:
            return Ending.PAUSED
        return Ending.HANDED_OVER if is_stopping() else None

    def settle(self, ending: Ending) -> None:
        """Pause or cancel the run, or give it back."""
        act = {
            Ending.PAUSED: services.pause_run,
            Ending.CANCELLED: services.cancel_run,
            Ending.HANDED_OVER: services.release_lease,
        }[ending]
        self._heartbeat.end()
        self._patience.with_database(lambda: act(lease=self._lease))
        if ending is not Ending.HANDED_OVER:
            self._engines.drop(self._lease.run_id)

    def finish(self, engine: Engine) -> None:
        """Store the model and record the success."""
        with TemporaryDirectory(prefix="roundhouse-") as folder:
            # Where every client has its own model and there is none for all, the checkpoint is
            # what holds them.
            files = engine.export_model(Path(folder)) if engine.has_global_model else []
            stored = [store_model(run_id=self._lease.run_id, path=path) for path in files]
        self._heartbeat.end()
        self._patience.with_database(
            lambda: services.finish_run(
                lease=self._lease,
                metrics=engine.metrics,
                totals=asdict(engine.totals),
                model_artifacts=stored,
            )
        )
        self._engines.drop(self._lease.run_id)

    def end_with(
        self, error: Exception, reason: Callable[[], Ending | None], round_index: int | None
    ) -> Ending:
        """Fail the run, unless its user or this process wanted to stop just then."""
        ending = reason() if isinstance(error, RetryableError) else None
        if ending is not None:
            self.settle(ending)
            return ending
        failure = failure_of(error, round_index=round_index)
        self._engines.drop(self._lease.run_id)
        clients = failed_clients(error)
        self._patience.with_database(
            lambda: services.fail_run(lease=self._lease, failure=failure, clients=clients)
        )
        return Ending.FAILED


def clients_of(engine: Engine) -> list[dict[str, Any]]:
    """Return one row per client: how many examples it holds, and of each class."""
    return [
        {
            "client_id": row.client_id,
            "num_samples": row.num_train,
            "class_counts": list(row.class_counts),
        }
        for row in engine.client_table().clients
    ]
